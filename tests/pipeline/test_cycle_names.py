"""Names and contents: each content once, each name kept, whatever bytes it has."""

from __future__ import annotations

import json
import os

import pytest

from tests.pipeline.box import Box
from tests.support.fork_runner import ForkRunner


def test_same_name_in_two_cameras_keeps_both(box: Box) -> None:
    box.add("cam1/a.mp4")
    box.add("cam2/a.mp4")
    box.add("a.mp4")
    assert box.cycle() == 0
    box.check_settled()
    assert box.names("processed") == ["a.mp4", "cam1/a.mp4", "cam2/a.mp4"]
    stems = {json.loads(line[2]) for line in box.log_lines()}
    assert len(stems) == 3
    assert "a" in stems


def test_same_name_again_later_keeps_both(box: Box) -> None:
    box.add("a.mp4")
    box.cycle()
    second = box.add("a.mp4", "ok\nother")
    assert box.cycle() == 0
    box.check_settled()
    assert box.names("processed") == [f"a-{second[:8]}.mp4", "a.mp4"]
    assert json.loads(box.log_lines()[1][3]) == f"a-{second[:8]}.mp4"


def test_same_content_twice_is_processed_once(box: Box) -> None:
    for name in ("b.mp4", "a.mp4", "cam/c.mp4"):
        box.add(name, unique=False)
    assert box.cycle() == 0
    box.check_settled()
    assert len(box.log_lines()) == 1
    assert box.names("processed") == ["a.mp4", "b.mp4", "cam/c.mp4"]


def test_a_copy_of_what_is_done_is_only_moved(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.add("a.mp4", unique=False)
    box.cycle()
    box.add("a.mp4", unique=False)
    box.add("cam/b.mp4", unique=False)
    assert isinstance(box.runner, ForkRunner)
    box.runner.starts.clear()
    assert box.cycle() == 0
    assert box.runner.starts == []
    assert capsys.readouterr().out.splitlines()[-1] == "cycle: 2 processed before"
    box.check_settled()
    assert box.names("processed") == ["a.mp4", "cam/b.mp4"]


def test_copies_of_a_bad_video_are_each_quarantined(box: Box) -> None:
    box.add("a.mp4", "bad", unique=False)
    box.add("b.mp4", "bad", unique=False)
    assert box.cycle() == 0
    assert box.cycle() == 0
    box.check_settled()
    assert [name for name in box.names("corrupted") if name.endswith(".mp4")] == ["a.mp4", "b.mp4"]


def test_copies_of_a_busy_video_wait_together(box: Box) -> None:
    box.add("a.mp4", "busy", unique=False)
    box.add("b.mp4", "busy", unique=False)
    box.cycle()
    box.cycle()
    with box.history() as history:
        assert len(history.stage_runs()) == 1
    box.check()


NAMES = [
    b"a b.mp4",
    b"quo\"te's`$(x).mp4",
    b"new\nline.mp4",
    b"tab\tcr\r.mp4",
    "🎥 ação.mp4".encode(),
    b"-rf.mp4",
    b"--help.mp4",
    b"%s %d {x}.mp4",
    b"\xff\xfe\x80.mp4",
    b"\xe2\x80\xae4pm.exe.mp4",
    b"x" * 251 + b".mp4",
    "é".encode() * 125 + b".mp4",
    b"\xff" * 251 + b".mp4",
    b"cam \xff\n/-a.mp4",
    b"CON.mp4",
    b" .mp4",
]


@pytest.mark.parametrize("word", ["ok", "bad"])
def test_any_name_goes_through(box: Box, word: str) -> None:
    for name in NAMES:
        box.add(name, word)
    assert box.cycle() == 0
    box.check_settled()
    folder = "processed" if word == "ok" else "corrupted"
    moved = {
        os.fsencode(path.relative_to(box.folder(folder)))
        for paths in box.videos(folder).values()
        for path in paths
    }
    assert moved == set(NAMES)
    for path in box.folder("loglines").iterdir():
        assert path.name.isprintable()
        assert path.name[0] not in "-."


@pytest.mark.parametrize("word", ["busy", "crash", "lie", "fault"])
def test_any_name_can_fail(box: Box, word: str) -> None:
    for name in NAMES[:9]:
        box.add(name, word)
    box.add("good.mp4")
    for _ in range(3):
        assert box.cycle() == 0
        box.wait(86400)
    box.check()
    assert box.names("processed") == ["good.mp4"]
