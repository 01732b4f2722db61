"""Trying again: growing waits that survive a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.errors import TemporaryError
from vv_ingest.waiting import FIRST_WAIT, LONGEST_WAIT, Wait, Waiting, is_due, note_failure

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)
SHA, OTHER = "a1" * 32, "b2" * 32
WAIT = Wait(2, 1, NOW + timedelta(minutes=2), "disk full")


@given(faults=st.lists(st.booleans(), min_size=1, max_size=40))
def test_waits_grow_up_to_an_hour(faults: list[bool]) -> None:
    wait: Wait | None = None
    last = timedelta()
    for is_fault in faults:
        wait = note_failure(wait, NOW, "full", is_fault=is_fault)
        pause = wait.due - NOW
        assert last <= pause <= LONGEST_WAIT
        last = pause
    assert wait is not None
    assert (wait.failures, wait.faults) == (len(faults), sum(faults))
    assert len(faults) > 1 or last == FIRST_WAIT


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (NOW, False),
        (WAIT.due, True),
        (WAIT.due + timedelta(days=1), True),
        (NOW - timedelta(days=30), True),
    ],
    ids=["not yet", "at the moment", "long ago", "a clock that was set back"],
)
def test_when_it_is_due(now: datetime, due: bool) -> None:
    assert is_due(WAIT, now) is due
    assert is_due(None, now)


def test_waits_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "waiting.json"
    waiting = Waiting(path)
    waiting.set(SHA, WAIT)
    waiting.set(OTHER, replace(WAIT, faults=0, reason="no room"))
    again = Waiting(path)
    assert again.of(SHA) == WAIT
    assert (again.count(), again.reason()) == (2, "no room")
    again.set(OTHER, None)
    again.forget_others([])
    assert Waiting(path).count() == 0
    assert Waiting(path).reason() == ""


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": "vv.clip-waiting/1", "waits": {"a": {}}}', "null"]
)
def test_a_file_of_no_use_makes_all_due(tmp_path: Path, content: str) -> None:
    path = tmp_path / "waiting.json"
    path.write_text(content)
    assert Waiting(path).count() == 0


def test_a_wait_that_cannot_be_kept_holds_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    waiting = Waiting(tmp_path / "state" / "waiting.json")
    with pytest.raises(TemporaryError):
        waiting.set(SHA, WAIT)
    assert waiting.of(SHA) == WAIT


def test_what_does_not_wait_is_not_written(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "waiting.json")
    waiting.set(SHA, None)
    waiting.forget_others([SHA])
    assert list(tmp_path.iterdir()) == []
