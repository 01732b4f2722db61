"""The journal of a stage: what can be believed of it, and when a stage has stalled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.batch_files import Journal
from vv_core.errors import TemporaryError
from vv_core.pipeline.journal import START_ALLOWANCE_S, JournalState, StallWatch, read_journal


def lines(*entries: object) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def start(index: int) -> dict[str, object]:
    return {"event": "start", "index": index}


def ended(index: int, code: int = 0) -> dict[str, object]:
    return {"event": "end", "index": index, "exit_code": code}


@pytest.mark.parametrize(
    ("content", "done", "open_index"),
    [
        (b"", (), None),
        (lines(start(0)), (), 0),
        (lines(start(0), ended(0)), (0,), None),
        (lines(start(0), ended(0), start(1)), (0,), 1),
        # A full disk cut a line; the next one may be glued to it.
        (lines(start(0), ended(0))[:-5], (), 0),
        (lines(start(0), ended(0))[:-1], (0,), None),
        (lines(start(0)) + b'{"event": "en' + lines(start(1), ended(1)), (1,), None),
        (lines(start(0)) + b'{"eve\n' + lines(start(1)), (), 1),
        # Rubbish is not believed.
        (b"\xff\xfe\0\n" + lines(start(0)), (), 0),
        (b"[" * 100_000 + b"\n" + lines(start(0)), (), 0),
        (lines([], 5, None, "x", {}, {"event": "start"}), (), None),
        (lines(start(9), ended(9), start(-1), {"event": "start", "index": 1.0}), (), None),
        (lines({"event": "end", "index": 0}, {"event": "odd", "index": 0}), (), None),
        (lines({"event": "end", "index": 0, "exit_code": "0"}), (), None),
    ],
)
def test_reading_a_journal(
    tmp_path: Path, content: bytes, done: tuple[int, ...], open_index: int | None
) -> None:
    path = tmp_path / "journal"
    path.write_bytes(content)
    state = read_journal(path, 3)
    assert tuple(state.ended) == done
    assert state.open_index == open_index


def test_no_journal_is_an_empty_one(tmp_path: Path) -> None:
    assert read_journal(tmp_path / "none", 3) == JournalState({}, None)


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "journal"
    path.write_bytes(data)
    read_journal(path, 3)


@given(st.integers(0, 400))
def test_a_journal_cut_anywhere_never_makes_an_item_done_too_early(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "journal"
    with Journal(path) as journal:
        journal.start(0)
        journal.end(0, None)
        journal.start(1)
        journal.end(1, TemporaryError("busy", advice="wait"))
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    state = read_journal(path, 2)
    whole_lines = data[: cut + 1].count(b"\n")
    assert set(state.ended) == {index for index in (0, 1) if whole_lines >= 2 * index + 2}


class Ticks:
    """Seconds that a test counts."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_stage_lives_as_long_as_its_journal_grows(tmp_path: Path) -> None:
    ticks, path = Ticks(), tmp_path / "journal"
    watch = StallWatch(path, 10, ticks)
    limit = 10 + START_ALLOWANCE_S
    assert not watch.is_stalled()
    for grown in range(1, 4):
        path.write_bytes(b"x" * grown)
        ticks.now += limit - 1
        assert not watch.is_stalled()
        ticks.now += limit
        assert not watch.is_stalled()
    ticks.now += 0.1
    assert watch.is_stalled()


def test_a_stage_that_never_begins_stalls(tmp_path: Path) -> None:
    ticks = Ticks()
    watch = StallWatch(tmp_path / "journal", 10, ticks)
    assert not watch.is_stalled()
    ticks.now += 10 + START_ALLOWANCE_S + 0.1
    assert watch.is_stalled()


def test_all_stages_stall_when_the_orchestrator_ends(tmp_path: Path) -> None:
    assert StallWatch(tmp_path / "journal", 10, Ticks(), lambda: True).is_stalled()
