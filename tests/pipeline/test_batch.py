"""A stage for a batch: which video owns a crash, and what the journal can be believed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.batch_files import Journal, read_batch
from vv_core.errors import ConfigError, UnavailableError
from vv_core.pipeline.batch import ItemOutcome, run_batch, settle, share_blame
from vv_core.pipeline.ending import Ending
from vv_core.pipeline.journal import (
    START_ALLOWANCE_S,
    JournalState,
    journal_path,
)
from vv_core.pipeline.retry import is_crash
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec, pipeline_stages
from vv_core.process import ChildResult
from vv_core.settings import load_settings
from vv_core.stage import WHOLE_BATCH, StageItem

SPEC = pipeline_stages(load_settings())[0]


def child(exit_code: int, *, timed_out: bool = False, stderr: str = "") -> ChildResult:
    return ChildResult(exit_code, timed_out, 6.0, (stderr,) if stderr else ())


def end(code: int, **more: object) -> dict[str, object]:
    return {"event": "end", "exit_code": code, **more}


def codes(outcomes: dict[int, ItemOutcome]) -> dict[int, int]:
    return {index: outcome.exit_code for index, outcome in outcomes.items()}


@pytest.mark.parametrize(
    ("journal", "result", "expected"),
    [
        # All ended: each has its own code, whatever the process says.
        (JournalState({0: end(0), 1: end(65), 2: end(0)}, None), child(65), {0: 0, 1: 65, 2: 0}),
        (JournalState({0: end(0), 1: end(0), 2: end(0)}, None), child(139), {0: 0, 1: 0, 2: 0}),
        # A crash belongs to the one that had begun; the rest is not settled.
        (JournalState({0: end(0)}, 1), child(137), {0: 0, 1: 137}),
        (JournalState({}, 0), child(1), {0: 1}),
        # None had begun: nobody is to blame.
        (JournalState({}, None), child(1), {0: 69, 1: 69, 2: 69}),
        (JournalState({}, None), child(0), {0: 69, 1: 69, 2: 69}),
        (JournalState({}, None), child(137, timed_out=True), {0: 69, 1: 69, 2: 69}),
        (JournalState({}, None), child(78), {0: 78, 1: 78, 2: 78}),
        (JournalState({}, None), child(77), {0: 77, 1: 77, 2: 77}),
        # A code that concerns all concerns the rest.
        (JournalState({0: end(0), 1: end(77)}, None), child(77), {0: 0, 1: 77, 2: 77}),
        (JournalState({0: end(69)}, None), child(69), {0: 69, 1: 69, 2: 69}),
        (JournalState({0: end(0)}, 1), child(78), {0: 0, 1: 78, 2: 78}),
        # It ended between two: the rest is not settled.
        (JournalState({0: end(0), 1: end(0)}, None), child(139), {0: 0, 1: 0}),
        # An orderly end with another item's code, though one seems open: nobody's fault.
        (JournalState({0: end(65)}, 1), child(65), {0: 65, 1: 75}),
        (JournalState({0: end(0)}, 1), child(0), {0: 0, 1: 75}),
        (JournalState({0: end(0)}, 1), child(75), {0: 0, 1: 75}),
    ],
)
def test_who_is_settled_and_how(
    journal: JournalState, result: ChildResult, expected: dict[int, int]
) -> None:
    assert codes(settle(journal, StageEnd(result), 3, SPEC)) == expected


def test_a_fault_of_the_box_is_held_against_no_video() -> None:
    fault = UnavailableError("the engine is away", advice="start it")
    end_now = StageEnd(child(1, stderr="EOF"), fault=fault)
    outcomes = settle(JournalState({0: end(0), 1: end(65)}, 2), end_now, 4, SPEC)
    assert codes(outcomes) == {0: 0, 1: 65, 2: 69, 3: 69}
    assert [outcomes[index].is_box_fault for index in range(4)] == [False, False, True, True]
    assert outcomes[2] == outcomes[3]
    assert (outcomes[2].message, outcomes[2].advice) == ("the engine is away", "start it")
    assert outcomes[2].stderr_tail == ("EOF",)
    hung = StageEnd(child(143, timed_out=True), fault=fault)
    assert codes(settle(JournalState({}, 0), hung, 1, SPEC)) == {0: 69}


def test_want_of_memory_is_named_with_the_setting() -> None:
    killed = StageEnd(child(137), out_of_memory=True)
    outcomes = settle(JournalState({0: end(0)}, 1), killed, 3, SPEC)
    assert codes(outcomes) == {0: 0, 1: 137}
    assert outcomes[1].message == "scan_video ran out of memory and was killed (exit code 137)"
    assert "SCANNER_MEMORY" in outcomes[1].advice
    (lost,) = settle(JournalState({}, None), killed, 1, SPEC).values()
    assert lost.exit_code == 69
    assert "SCANNER_MEMORY" in lost.advice


def test_messages_say_what_happened() -> None:
    journal = JournalState({0: end(65, message="moov missing", advice="record it again")}, 1)
    outcomes = settle(journal, StageEnd(child(137, stderr="last words")), 2, SPEC)
    assert outcomes[0] == ItemOutcome(65, False, "moov missing", "record it again", (), 3.0)
    assert "killed (exit code 137" in outcomes[1].message
    assert outcomes[1].message.endswith(": last words")
    assert outcomes[1].stderr_tail == ("last words",)
    (asked,) = settle(JournalState({}, 0), StageEnd(child(143)), 1, SPEC).values()
    assert asked.message.startswith("scan_video was asked to end")
    late = settle(JournalState({}, 0), StageEnd(child(143, timed_out=True)), 1, SPEC)[0]
    assert late.timed_out
    assert "took too long" in late.message
    (lost,) = settle(
        JournalState({}, None), StageEnd(child(1, stderr="no module")), 1, SPEC
    ).values()
    assert lost.message == "scan_video did not begin: scan_video ended with exit code 1: no module"
    assert lost.advice


journals = st.dictionaries(st.integers(0, 5), st.sampled_from([0, 65, 66, 69, 70, 75, 77, 78]))


@given(journals, st.integers(0, 5), st.booleans(), st.integers(0, 255), st.booleans())
def test_every_start_settles_somebody_and_blames_nobody_who_did_not_begin(
    ended: dict[int, int], last: int, has_open: bool, exit_code: int, timed_out: bool
) -> None:
    open_index = last if has_open and last not in ended else None
    journal = JournalState({index: end(code) for index, code in ended.items()}, open_index)
    outcomes = settle(journal, StageEnd(child(exit_code, timed_out=timed_out)), 6, SPEC)
    assert outcomes
    for index, outcome in outcomes.items():
        if index in ended:
            assert outcome.exit_code == ended[index]
        elif index != open_index:
            assert outcome.exit_code in WHOLE_BATCH
            assert not is_crash(outcome.exit_code, outcome.timed_out)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([137], [137]),
        ([137, 0], [137, 0]),
        ([137, 139, 0], [137, 139, 0]),
        ([137, 65, 137], [137, 65, 137]),
        ([137, 137], [69, 69]),
        ([70, 137, 1], [69, 69, 69]),
        ([137, 66, 137, 75], [69, 66, 69, 75]),
        ([137, 66], [137, 66]),
        ([0, 0], [0, 0]),
        ([69, 69], [69, 69]),
    ],
)
def test_a_stage_that_works_for_nobody_is_itself_to_blame(
    before: list[int], after: list[int]
) -> None:
    outcomes = share_blame([ItemOutcome(code, message="boom") for code in before], "scan_video")
    assert [outcome.exit_code for outcome in outcomes] == after


def test_time_outs_of_all_are_the_stages_fault_too() -> None:
    late = ItemOutcome(143, timed_out=True, message="late")
    for outcome in share_blame([late, late], "scan_video"):
        assert (outcome.exit_code, outcome.timed_out) == (69, False)
        assert outcome.message == "scan_video failed for every video: late"
    slow_success = ItemOutcome(0, timed_out=True)
    assert share_blame([late, slow_success], "x")[0].exit_code == 69


# ── A batch with a runner that acts in this process ──


class Ticks:
    """Seconds that a test counts."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class ScriptedRunner:
    """A runner whose stage is a function: it gets items and journal, and returns how it ended."""

    def __init__(self, *acts: Callable[[Sequence[StageItem], Journal], ChildResult]) -> None:
        self._acts = list(acts)
        self.batches: list[list[str]] = []

    def recover(self) -> None:
        pass

    def place(self, item: StageItem) -> StageItem:
        return item

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        items = read_batch(batch_list)
        self.batches.append([item.input.name for item in items])
        assert timeout_s == (spec.timeout_s + START_ALLOWANCE_S) * len(items)
        with Journal(journal_path(batch_list)) as journal:
            return StageEnd(self._acts.pop(0)(items, journal))


def do_all(items: Sequence[StageItem], journal: Journal) -> ChildResult:
    for index in range(len(items)):
        journal.start(index)
        journal.end(index, None)
    return child(0)


def crash_at(position: int) -> Callable[[Sequence[StageItem], Journal], ChildResult]:
    def act(items: Sequence[StageItem], journal: Journal) -> ChildResult:
        for index in range(position):
            journal.start(index)
            journal.end(index, None)
        journal.start(position)
        return child(137)

    return act


def items_of(*names: str) -> list[StageItem]:
    return [StageItem(Path(f"/in/{name}"), Path(f"/out/{name}.json"), name) for name in names]


def run(runner: ScriptedRunner, folder: Path, *names: str) -> list[int]:
    outcomes = run_batch(runner, SPEC, items_of(*names), folder, monotonic=Ticks())
    assert list(folder.iterdir()) == []
    return [outcome.exit_code for outcome in outcomes]


def test_one_crash_in_the_middle_costs_one_start_more(tmp_path: Path) -> None:
    runner = ScriptedRunner(crash_at(1), do_all)
    assert run(runner, tmp_path / "batches", "a", "b", "c", "d") == [0, 137, 0, 0]
    assert runner.batches == [["a", "b", "c", "d"], ["c", "d"]]


def test_each_crash_costs_one_start(tmp_path: Path) -> None:
    runner = ScriptedRunner(crash_at(0), crash_at(0), crash_at(0))
    assert run(runner, tmp_path / "batches", "a", "b", "c") == [137, 137, 137]
    assert len(runner.batches) == 3


def test_a_start_that_settles_some_is_followed_by_one_for_the_rest(tmp_path: Path) -> None:
    def stop_after_one(items: Sequence[StageItem], journal: Journal) -> ChildResult:
        journal.start(0)
        journal.end(0, None)
        return child(75)

    runner = ScriptedRunner(stop_after_one, do_all)
    assert run(runner, tmp_path / "batches", "a", "b", "c") == [0, 0, 0]
    assert runner.batches == [["a", "b", "c"], ["b", "c"]]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UnavailableError("docker is away", advice="start it"), 69),
        (ConfigError("no such service", advice="add it"), 78),
    ],
)
def test_a_runner_that_cannot_start_concerns_all(
    tmp_path: Path, error: UnavailableError | ConfigError, code: int
) -> None:
    def refuse(_items: Sequence[StageItem], _journal: Journal) -> ChildResult:
        raise error

    runner = ScriptedRunner(refuse)
    outcomes = run_batch(runner, SPEC, items_of("a", "b"), tmp_path, monotonic=Ticks())
    assert [outcome.exit_code for outcome in outcomes] == [code, code]
    assert outcomes[0].message == error.message
    assert outcomes[0].advice == error.advice


def test_an_ending_orchestrator_starts_nothing(tmp_path: Path) -> None:
    runner = ScriptedRunner()
    with pytest.raises(Ending):
        run_batch(runner, SPEC, items_of("a"), tmp_path, monotonic=Ticks(), is_ending=lambda: True)
    assert runner.batches == []


def test_an_ending_orchestrator_believes_nothing(tmp_path: Path) -> None:
    ending: list[bool] = []

    def end_meanwhile(items: Sequence[StageItem], journal: Journal) -> ChildResult:
        ending.append(True)
        return crash_at(0)(items, journal)

    with pytest.raises(Ending):
        run_batch(
            ScriptedRunner(end_meanwhile),
            SPEC,
            items_of("a"),
            tmp_path,
            monotonic=Ticks(),
            is_ending=lambda: bool(ending),
        )
    assert list(tmp_path.iterdir()) == []
