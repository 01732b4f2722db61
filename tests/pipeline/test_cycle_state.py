"""The orchestrator's own state: torn, damaged, deleted, or left behind by one that was killed."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.support.fork_runner import ForkRunner
from vv_core.errors import TemporaryError, UnavailableError
from vv_core.pipeline.lock import CycleLock


def database(box: Box) -> Path:
    return box.folder("orchestrator_data") / "orchestrator_db.sqlite"


def put_copies_back(box: Box) -> None:
    """Put a copy of everything processed into input/ again."""
    for name in box.names("processed"):
        target = box.input / f"again-{name}"
        target.write_bytes((box.folder("processed") / name).read_bytes())


@pytest.mark.parametrize("pattern", ["orchestrator_db.sqlite*", "orchestrator_db.sqlite"])
def test_without_the_database_nothing_is_processed_twice(box: Box, pattern: str) -> None:
    for number in range(3):
        box.add(f"{number}.mp4")
    box.cycle()
    lines = box.log_lines()
    for path in box.folder("orchestrator_data").glob(pattern):
        path.unlink()
    put_copies_back(box)
    assert box.cycle() == 0
    assert box.log_lines() == lines
    assert isinstance(box.runner, ForkRunner)
    assert len(box.runner.starts) == 3
    box.check_settled()


@pytest.mark.parametrize("seed", range(6))
def test_with_a_damaged_database_the_box_goes_on(box: Box, seed: int) -> None:
    box.add("a.mp4")
    box.add("b.mp4", "busy")
    box.cycle()
    chance = random.Random(seed)
    data = bytearray(database(box).read_bytes())
    for _ in range(200):
        data[chance.randrange(len(data))] = chance.randrange(256)
    database(box).write_bytes(data)
    put_copies_back(box)
    box.add("c.mp4")
    for _ in range(2):
        try:
            box.cycle()
        except TemporaryError as exc:
            assert "it was put aside" in exc.advice  # noqa: PT017 - either way is right
    assert box.names("input") == ["b.mp4"]
    box.check()


def test_a_damage_that_shows_late_is_put_aside(box: Box) -> None:
    box.add("a.mp4")
    box.cycle()
    with sqlite3.connect(database(box)) as connection:
        connection.execute("DROP TABLE attempts")
    connection.close()
    box.add("b.mp4")
    with pytest.raises(TemporaryError) as caught:
        box.cycle()
    assert "damaged" in caught.value.message
    assert ("cycle_failed", "cycle") in box.alerts()
    assert box.cycle() == 0
    box.check_settled()
    assert database(box).with_name("orchestrator_db.sqlite.damaged").exists()


def test_a_database_that_somebody_locks_is_waited_for_in_vain_with_advice(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vv_core.pipeline import database as database_module

    monkeypatch.setattr(database_module, "_BUSY_SECONDS", 0.05)
    box.add("a.mp4")
    box.cycle()
    box.add("b.mp4")
    connection = sqlite3.connect(database(box))
    connection.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TemporaryError) as caught:
        box.cycle()
    connection.close()
    assert "database is locked" in caught.value.message
    assert not database(box).with_name("orchestrator_db.sqlite.damaged").exists()
    assert box.cycle() == 0
    box.check_settled()


def test_a_torn_line_is_repaired_and_its_video_done_again_without_a_second_logline(
    box: Box,
) -> None:
    for number in range(3):
        box.add(f"{number}.mp4")
    box.cycle()
    data = box.log_path.read_bytes()
    last = data.rindex(b"\n", 0, -1) + 1
    for length in (last + 1, last + 64, last + 65, len(data) - 1):
        box.log_path.write_bytes(data[:length])
        for name in box.names("processed"):
            (box.folder("processed") / name).rename(box.input / name)
        assert box.cycle() == 0
        box.check_settled()
    assert len(box.log_path.with_suffix(".torn").read_text().splitlines()) == 4


def test_videos_that_are_done_but_were_not_moved_are_moved(box: Box) -> None:
    box.add("a.mp4")
    box.cycle()
    (box.folder("processed") / "a.mp4").rename(box.input / "a.mp4")
    assert box.cycle() == 0
    box.check_settled()
    assert len(box.log_lines()) == 1


def test_left_overs_of_a_killed_cycle_go_and_a_clean_one_is_left_in_peace(box: Box) -> None:
    data = box.folder("orchestrator_data")
    (data / "batches").mkdir()
    left = [
        data / ".vv-tmp-1",
        data / "batches/1.jsonl",
        data / "batches/1.jsonl.journal",
        box.folder("analytic") / ".vv-tmp-2.json",
        box.folder("summaries") / ".vv-tmp-3.json",
        box.folder("loglines") / ".vv-tmp-4.json",
        box.folder("processed") / "cam/.vv-tmp-5.mp4",
        box.folder("corrupted") / "cam/.vv-tmp-6.mp4",
        box.folder("analytic") / "x.pictures/.vv-tmp-7.jpg",
    ]
    others = [box.input / ".vv-tmp-upload.mp4", box.folder("processed") / "cam/a.mp4"]
    folder = box.folder("analytic") / ".vv-tmp-8"
    for path in (*left, *others, folder / "inside.jpg"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    assert box.cycle() == 0
    assert all(path.exists() for path in left)
    with CycleLock(data / "orchestrator.lock") as lock:
        lock.begin_cycle()
    assert box.cycle() == 0
    assert not any(path.exists() for path in left)
    assert not folder.exists()
    assert all(path.exists() for path in others)


def test_after_an_interruption_the_runner_recovers_first(box: Box) -> None:
    class Recovering(ForkRunner):
        recovered = 0
        is_away = True

        def recover(self) -> None:
            self.recovered += 1
            if self.is_away:
                raise UnavailableError("the engine is away", advice="start it")

    box.runner = runner = Recovering()
    box.add("a.mp4")
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock") as lock:
        lock.begin_cycle()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            box.cycle()
    assert runner.starts == []
    runner.is_away = False
    assert box.cycle() == 0
    assert runner.recovered == 3
    assert box.cycle() == 0
    assert runner.recovered == 3
    assert box.alerts() == [("cycle_failed", "cycle")]
    with box.history() as history:
        last = history.last_cycle()
        assert last is not None
        assert last.stopped_by == ""
    box.check_settled()


def test_a_failed_cycle_says_why_in_the_history(box: Box) -> None:
    box.input.rmdir()
    with pytest.raises(Exception, match="list the videos"):
        box.cycle()
    with box.history() as history:
        last = history.last_cycle()
        assert last is not None
        assert "list the videos" in last.stopped_by


def test_a_log_that_is_a_folder_is_an_error_with_advice(box: Box) -> None:
    box.log_path.mkdir()
    box.add("a.mp4")
    with pytest.raises(TemporaryError) as caught:
        box.cycle()
    assert caught.value.advice
    box.log_path.rmdir()
    assert box.cycle() == 0
    box.check_settled()


def test_processed_that_cannot_be_written_keeps_the_video_and_tries_again(box: Box) -> None:
    box.add("cam/a.mp4")
    (box.folder("processed") / "cam").write_text("in the way")
    assert box.cycle() == 0
    assert box.names("input") == ["cam/a.mp4"]
    assert len(box.log_lines()) == 1
    assert box.alerts() == [("move_failed", "cam/a.mp4")]
    (box.folder("processed") / "cam").unlink()
    assert box.cycle() == 0
    box.check_settled()


def test_corrupted_that_cannot_be_written_keeps_the_video_and_the_others_go_on(box: Box) -> None:
    box.add("cam/a.mp4", "bad")
    box.add("z.mp4")
    (box.folder("corrupted") / "cam").write_text("in the way")
    assert box.cycle() == 0
    assert box.names("input") == ["cam/a.mp4"]
    assert box.names("processed") == ["z.mp4"]
    assert box.alerts() == [("quarantine_failed", "cam/a.mp4")]
    (box.folder("corrupted") / "cam").unlink()
    box.wait(60)
    assert box.cycle() == 0
    box.check_settled()


def written(path: Path) -> tuple[int, int]:
    """Return which file it is and when it was last written."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns


def test_an_idle_cycle_starts_nothing_and_writes_no_line(make_box: MakeBox) -> None:
    box = make_box()
    for number in range(5):
        box.add(f"{number}.mp4")
    box.cycle()
    # Not the time of reading: the file system may note that too.
    before = (box.log_path.read_bytes(), written(box.log_path))
    box.runner = runner = ForkRunner()
    assert box.cycle() == 0
    assert runner.starts == []
    assert (box.log_path.read_bytes(), written(box.log_path)) == before
