"""The run history: a diary and a cache that may be lost, damaged or deleted at any time."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.pipeline.users import needs_root, other_user
from vv_core.pipeline.database import is_damage
from vv_core.pipeline.history import KEEP_SECONDS, CycleRun, History, StageRun
from vv_core.pipeline.retry import Attempts
from vv_core.stability import Observation
from vv_core.video_files import FileSignature

SIGNATURE = FileSignature(10, 20, 30, 40)
OTHER = FileSignature(10, 20, 31, 40)
NOW = 1_700_000_000.0
ODD = Path(os.fsdecode(b"/in/\xff\n\xf0\x9f\x8e\xa5.mp4"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator_db.sqlite"


def fill(history: History) -> None:
    """Use every kind of row."""
    for number in range(30):
        name = Path(f"/in/{number}.mp4")
        history.observe(name, SIGNATURE, NOW)
        history.remember_hash(name, f"{number:064x}")
        history.remember_attempts(f"{number:064x}", Attempts(1, 0, NOW), "scan_video", "busy")
        history.add_stage_run(
            StageRun(NOW, f"{number:064x}", "a.mp4", "scan_video", 1.5, 75, False, "busy")
        )
    history.add_cycle(CycleRun(NOW, 1.0, 3, 2, 1, 0, ""))


def use(history: History) -> None:
    """Do what a cycle does."""
    history.observe(Path("/in/1.mp4"), SIGNATURE, NOW + 5)
    history.cached_hash(Path("/in/1.mp4"), SIGNATURE)
    history.remember_hash(Path("/in/1.mp4"), "a" * 64)
    history.forget_files_except([Path("/in/1.mp4")])
    history.attempts("a" * 64)
    history.remember_attempts("a" * 64, Attempts(1, 1, NOW), "scan_video", "")
    history.add_stage_run(StageRun(NOW, "a" * 64, "a.mp4", "scan_video", 1.0, 0, False, ""))
    history.add_cycle(CycleRun(NOW, 1.0, 3, 2, 1, 0, ""))
    history.forget_attempts("a" * 64)
    history.stage_runs()
    history.last_cycle()
    history.waiting_retries()


def test_a_new_one_is_empty(path: Path) -> None:
    with closing(History(path)) as history:
        assert history.stage_runs() == []
        assert history.last_cycle() is None
        assert history.waiting_retries() == 0
        assert history.attempts("a" * 64) == Attempts()
        assert history.cached_hash(ODD, SIGNATURE) is None


@pytest.mark.parametrize("name", [Path("/in/a.mp4"), ODD])
def test_a_file_is_known_since_it_looks_so(path: Path, name: Path) -> None:
    with closing(History(path)) as history:
        assert history.observe(name, SIGNATURE, NOW) == Observation(SIGNATURE, NOW)
        assert history.observe(name, SIGNATURE, NOW + 5) == Observation(SIGNATURE, NOW)
        history.remember_hash(name, "a" * 64)
    with closing(History(path)) as history:
        assert history.cached_hash(name, SIGNATURE) == "a" * 64
        assert history.cached_hash(name, OTHER) is None
        assert history.observe(name, OTHER, NOW + 6) == Observation(OTHER, NOW + 6)
        assert history.cached_hash(name, OTHER) is None
        # The clock was set back: the look counts from now again.
        assert history.observe(name, OTHER, NOW - 99) == Observation(OTHER, NOW - 99)


def test_what_is_gone_is_forgotten_with_its_failures(path: Path) -> None:
    with closing(History(path)) as history:
        for name, sha256 in ((ODD, "a" * 64), (Path("/in/b.mp4"), "b" * 64)):
            history.observe(name, SIGNATURE, NOW)
            history.remember_hash(name, sha256)
            history.remember_attempts(sha256, Attempts(2, 1, NOW), "scan_video", "crash")
        history.forget_files_except([ODD, Path("/in/b.mp4")])
        assert history.waiting_retries() == 2
        history.forget_files_except([ODD])
        assert history.cached_hash(ODD, SIGNATURE) == "a" * 64
        assert history.cached_hash(Path("/in/b.mp4"), SIGNATURE) is None
        assert history.attempts("a" * 64) == Attempts(2, 1, NOW)
        assert history.attempts("b" * 64) == Attempts()


def test_names_and_messages_that_are_not_unicode_are_kept_readable(path: Path) -> None:
    odd = "caf\udce9.mp4"
    with closing(History(path)) as history:
        history.add_stage_run(StageRun(NOW, "a" * 64, odd, "scan_video", 1.0, 65, True, odd))
        history.remember_attempts("a" * 64, Attempts(1, 1, 5.0), "scan_video", odd)
        history.add_cycle(CycleRun(NOW, 1.0, 1, 0, 1, 0, odd))
        (run,) = history.stage_runs()
        assert (run.name, run.message, run.timed_out) == ("caf?.mp4", "caf?.mp4", 1)
        assert history.attempts("a" * 64) == Attempts(1, 1, 5.0)
        last = history.last_cycle()
        assert last is not None
        assert last.stopped_by == "caf?.mp4"


def test_old_rows_are_dropped_and_the_newest_come_first(path: Path) -> None:
    with closing(History(path)) as history:
        for at in (NOW - KEEP_SECONDS - 1, NOW - 5, NOW - 3):
            history.add_stage_run(StageRun(at, "a" * 64, "a", "scan_video", 1.0, 0, False, ""))
        history.add_cycle(CycleRun(NOW, 1.0, 1, 1, 0, 0, ""))
        assert [run.at for run in history.stage_runs()] == [NOW - 3, NOW - 5]
        assert [run.at for run in history.stage_runs(limit=1)] == [NOW - 3]


def test_a_file_that_is_no_database_is_put_aside(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)
    with closing(History(path)) as history:
        use(history)
    assert path.with_name(f"{path.name}.damaged").read_bytes() == b"not a database" * 1000


def test_another_version_is_put_aside(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with closing(History(path)) as history:
        use(history)
    assert path.with_name(f"{path.name}.damaged").exists()


def test_a_table_that_is_missing_counts_as_damage(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
    with closing(History(path)) as history, pytest.raises(sqlite3.OperationalError) as caught:
        use(history)
    assert is_damage(path, caught.value)


@needs_root
def test_a_folder_without_access_is_not_damage(path: Path) -> None:
    History(path).close()

    def refused() -> bool:
        try:
            with closing(History(path)) as history:
                use(history)
        except sqlite3.OperationalError as exc:
            return not is_damage(path, exc)
        return False

    with other_user(path.parent) as do:
        assert do(refused)
    assert not path.with_name(f"{path.name}.damaged").exists()


def test_a_path_that_cannot_be_opened_is_not_damage(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError) as caught:
        History(tmp_path / "none" / "db.sqlite")
    assert not is_damage(tmp_path / "none" / "db.sqlite", caught.value)


def is_survived_or_damage(path: Path) -> bool:
    try:
        with closing(History(path)) as history:
            use(history)
    except sqlite3.Error as exc:
        return is_damage(path, exc)
    return True


@pytest.mark.parametrize("seed", range(8))
def test_any_damage_is_survived_or_known_as_such(path: Path, seed: int) -> None:
    """Overwrite parts of the file: it still works, or says so in a way that puts it aside."""
    with closing(History(path)) as history:
        fill(history)
    pristine = path.with_suffix(".pristine")
    shutil.copyfile(path, pristine)
    chance = random.Random(seed)
    for _ in range(25):
        data = bytearray(pristine.read_bytes())
        for _ in range(chance.choice([1, 1, 10, 1000])):
            data[chance.choice([chance.randrange(len(data)), chance.randrange(100)])] = (
                chance.randrange(256)
            )
        cut = len(data) if chance.random() < 0.7 else chance.randrange(len(data))
        path.write_bytes(data[:cut])
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        assert is_survived_or_damage(path)


@pytest.mark.parametrize("kept", ["", "-wal", "-shm"])
def test_it_may_be_deleted_in_parts_after_a_kill(path: Path, kept: str) -> None:
    with closing(History(path)) as history:
        fill(history)
        for suffix in ("", "-wal", "-shm"):
            shutil.copyfile(f"{path}{suffix}", f"{path}{suffix}.copy")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
        if suffix == kept:
            os.replace(f"{path}{suffix}.copy", f"{path}{suffix}")
    with closing(History(path)) as history:
        use(history)
