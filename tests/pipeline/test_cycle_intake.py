"""Which files a cycle takes: finished ones only, readable ones only, each content once."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.users import needs_root, other_user
from tests.support.fork_runner import ForkRunner
from vv_core.pipeline.intake import take_in
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec


class Meddler(ForkRunner):
    """Does something once, when a stage is about to start."""

    def __init__(self, stage: str, act: Callable[[], object]) -> None:
        super().__init__()
        self._stage = stage
        self._act: Callable[[], object] | None = act

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        if spec.name == self._stage and self._act is not None:
            self._act()
            self._act = None
        return super().run(spec, batch_list, timeout_s=timeout_s, is_stalled=is_stalled)


# ── Finished? ──


def test_a_growing_file_waits_until_it_is_left_alone(
    make_box: MakeBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(ORCHESTRATOR_STABLE_SECONDS=10)
    path = box.input / "cam/a.mp4"
    path.parent.mkdir()
    for number in range(3):
        with path.open("a") as stream:
            stream.write("ok\n" if number == 0 else "more")
        assert box.cycle() == 0
        assert capsys.readouterr().out == "cycle: 1 still being written\n"
        assert box.names("input") == ["cam/a.mp4"]
    box.contents = set(box.videos("input"))
    box.wait(11)
    assert box.cycle() == 0
    box.check_settled()


def test_a_file_copied_with_its_old_times_is_not_taken_for_finished(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_STABLE_SECONDS=10)
    box.add("a.mp4")
    os.utime(box.input / "a.mp4", (0, 0))
    assert box.cycle() == 0
    assert box.names("input") == ["a.mp4"]
    box.wait(11)
    assert box.cycle() == 0
    box.check_settled()


def test_a_file_from_the_future_is_taken_after_two_looks(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_STABLE_SECONDS=10)
    box.add("a.mp4")
    future = box.clock.now().timestamp() + 10 * 365 * 86400
    os.utime(box.input / "a.mp4", (future, future))
    box.wait(3600)
    assert box.cycle() == 0
    assert box.names("input") == ["a.mp4"]
    box.wait(9)
    assert box.cycle() == 0
    assert box.names("input") == ["a.mp4"]
    box.wait(2)
    assert box.cycle() == 0
    box.check_settled()


def test_a_file_that_is_open_for_writing_waits(box: Box) -> None:
    box.add("a.mp4")
    box.add("b.mp4")
    with (box.input / "a.mp4").open("a"):
        assert box.cycle() == 0
        assert box.names("input") == ["a.mp4"]
        assert box.cycle() == 0
        assert box.names("input") == ["a.mp4"]
    assert box.cycle() == 0
    box.check_settled()


def test_a_writer_that_comes_while_it_is_processed(box: Box) -> None:
    """A DVR that goes on with a file it had closed: what it writes is another video."""
    first = box.add("a.mp4")

    def go_on() -> None:
        with (box.input / "a.mp4").open("a") as stream:
            stream.write("more")

    box.runner = Meddler("scan_video", go_on)
    assert box.cycle() == 0
    assert box.names("input") == ["a.mp4"]
    assert box.log_lines() == []
    box.contents = set(box.videos("input"))
    assert first not in box.contents
    with box.history() as history:
        assert [run.exit_code for run in history.stage_runs()] == [66]
    assert box.cycle() == 0
    box.check_settled()
    with box.history() as history:
        assert history.waiting_retries() == 0


@pytest.mark.parametrize("stage", ["summarize_scene", "logline_generator"])
def test_a_writer_that_comes_later_keeps_both_videos(box: Box, stage: str) -> None:
    first = box.add("a.mp4")
    second: list[str] = []
    box.runner = Meddler(stage, lambda: second.append(box.add("a.mp4", "ok\nother")))
    assert box.cycle() == 0
    # The first content has its LogLine; the file is another video now, and stays.
    assert [line[0] for line in box.log_lines()] == [first]
    assert box.names("input") == ["a.mp4"]
    assert box.names("processed") == []
    assert box.cycle() == 0
    assert {line[0] for line in box.log_lines()} == {first, *second}
    assert len(box.loglines()) == 2
    assert box.names("input") == []


def test_bad_data_that_was_exchanged_meanwhile_is_not_quarantined(box: Box) -> None:
    box.add("a.mp4", "bad")
    box.runner = Meddler("scan_video", lambda: box.add("a.mp4", "bad\nstill growing"))
    assert box.cycle() == 0
    assert box.names("corrupted") == []
    assert box.names("input") == ["a.mp4"]


@pytest.mark.parametrize("word", ["ok", "bad", "crash"])
@pytest.mark.parametrize("stage", ["scan_video", "summarize_scene", "logline_generator"])
def test_a_video_that_vanishes_at_any_stage_stops_nothing(box: Box, word: str, stage: str) -> None:
    gone = box.add("a.mp4", word)
    box.add("b.mp4")
    box.runner = Meddler(stage, lambda: (box.input / "a.mp4").unlink(missing_ok=True))
    assert box.cycle() == 0
    assert "b.mp4" in box.names("processed")
    if word == "ok":
        box.contents.discard(gone)
        lines = [line for line in box.log_lines() if line[0] == gone]
        assert len(lines) == (stage != "scan_video")
        assert len(box.loglines().get(gone, [])) == len(lines)
    assert box.cycle() == 0


def test_a_video_that_vanishes_between_listing_and_hashing(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add("a.mp4")
    box.add("b.mp4")
    from vv_core.pipeline import intake

    def hash_after_loss(path: Path) -> str:
        path.unlink()
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(intake, "compute_sha256", hash_after_loss)
    with box.history() as history:
        found = take_in(box.settings, history, box.clock.now())
    assert (found.ready, found.growing, found.ignored) == ([], [], [])


def test_a_video_that_changes_while_it_is_hashed(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.add("a.mp4")
    from vv_core.pipeline import intake

    def hash_and_change(path: Path) -> str:
        with path.open("a") as stream:
            stream.write("x")
        return "0" * 64

    monkeypatch.setattr(intake, "compute_sha256", hash_and_change)
    with box.history() as history:
        found = take_in(box.settings, history, box.clock.now())
    assert found.ready == []
    assert found.growing == [box.input / "a.mp4"]


def test_nothing_is_hashed_twice(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from vv_core.pipeline import intake

    hashed: list[str] = []

    def note(path: Path) -> str:
        hashed.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()

    monkeypatch.setattr(intake, "compute_sha256", note)
    box.add("a.mp4", "busy")
    box.cycle()
    box.cycle()
    assert hashed == ["a.mp4"]
    box.add("a.mp4", "busy\nother")
    box.cycle()
    assert hashed == ["a.mp4", "a.mp4"]


# ── Not a video, or not for us ──


def test_what_is_no_file_is_named_once_and_stops_nothing(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("ok.mp4")
    (box.input / "folder.mp4").mkdir()
    (box.input / "link.mp4").symlink_to(box.input / "ok.mp4")
    os.mkfifo(box.input / "pipe.mp4")
    for _ in range(2):
        assert box.cycle() == 0
    assert "3 ignored" in capsys.readouterr().out
    assert box.names("processed") == ["ok.mp4"]
    assert sorted(box.alerts()) == [
        ("input_ignored", "folder.mp4"),
        ("input_ignored", "link.mp4"),
        ("input_ignored", "pipe.mp4"),
    ]
    box.check()


@needs_root
def test_what_cannot_be_read_is_named_and_stops_nothing(box: Box) -> None:
    box.add("a.mp4")
    box.add("secret.mp4")
    box.add("closed/b.mp4")
    (box.input / "secret.mp4").chmod(0o000)
    (box.input / "closed").chmod(0o000)
    shutil.chown(box.input / "secret.mp4", 0, 0)
    for path in (box.home, *box.home.rglob("*")):
        if path.name not in {"secret.mp4", "closed"} and path.parent.name != "closed":
            os.chown(path, 65534, 65534)
    with other_user(box.home) as do:
        assert do(lambda: box.cycle() == 0)
    assert box.names("processed") == ["a.mp4"]
    assert sorted(box.alerts()) == [("input_ignored", "closed"), ("input_ignored", "secret.mp4")]
    alerts = (box.folder("orchestrator_data") / "alerts.jsonl").read_text()
    assert "Permission denied" in alerts
    assert "(owner and mode" in alerts
    (box.input / "secret.mp4").chmod(0o600)
    (box.input / "closed").chmod(0o700)
    for key in box.key_store.parent.iterdir():
        shutil.chown(key, 0)
    assert box.cycle() == 0
    box.check_settled()
