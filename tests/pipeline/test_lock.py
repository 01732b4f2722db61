"""One orchestrator at a time, and how the last cycle ended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.pipeline.users import run_forked
from vv_core.pipeline.lock import AlreadyRunning, CycleLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orchestrator.lock"


def is_free(path: Path) -> bool:
    try:
        with CycleLock(path):
            return True
    except AlreadyRunning:
        return False


def test_only_one_holds_it(path: Path) -> None:
    with CycleLock(path):
        assert not is_free(path)
        assert not run_forked(lambda: is_free(path))
    assert is_free(path)


def test_refused_attempts_leave_nothing_open(path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with CycleLock(path):
        for _ in range(5):
            assert not is_free(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_it_is_free_again_after_an_error(path: Path) -> None:
    with pytest.raises(RuntimeError), CycleLock(path):
        raise RuntimeError
    assert is_free(path)


def test_it_is_not_inherited_by_programs_but_can_be_handed_on(path: Path) -> None:
    with CycleLock(path) as lock:
        assert not os.get_inheritable(lock.fileno())
        kept = os.dup(lock.fileno())
    assert not is_free(path)
    os.close(kept)
    assert is_free(path)


def test_a_cycle_that_did_not_end_is_known_to_the_next(path: Path) -> None:
    with CycleLock(path) as lock:
        assert lock.begin_cycle() is False
        lock.end_cycle()
    with CycleLock(path) as lock:
        assert lock.begin_cycle() is False
    # Somebody else, who runs no cycle, does not wipe the mark.
    assert is_free(path)
    with CycleLock(path) as lock:
        assert lock.begin_cycle() is True
        lock.end_cycle()
    with CycleLock(path) as lock:
        assert lock.begin_cycle() is False


def test_a_missing_folder_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), CycleLock(tmp_path / "none" / "lock"):
        pass
