"""One stage for a batch of videos, and how it ended for each of them.

A crash or time-out belongs to the one video that the stage had begun; the rest goes into another start.
"""

from __future__ import annotations

import secrets
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.errors import ExitCode, VvError
from vv_core.pipeline.ending import Ending
from vv_core.pipeline.journal import (
    START_ALLOWANCE_S,
    JournalState,
    StallWatch,
    journal_path,
    read_journal,
)
from vv_core.pipeline.retry import is_crash
from vv_core.pipeline.runners import StageRunner
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec
from vv_core.process import ChildResult
from vv_core.stage import WHOLE_BATCH, StageItem

_FIRST_SIGNAL = 128


@dataclass(frozen=True)
class ItemOutcome:
    """How a stage ended for one video.

    Attributes:
        exit_code: of the stage for this video.
        timed_out: it was ended because it took too long.
        message: the error, or empty.
        advice: what to do, or empty.
        stderr_tail: last lines of the stage's stderr, when it crashed.
        duration_s: the batch's wall time shared equally, seconds.
        was_killed: a signal ended the stage at this video.
        out_of_memory: the kernel ended it there at its limit of memory, as far as that can be known.
        is_box_fault: the box around the stages is at fault (no engine, no image): it concerns all videos and is held
            against none.
    """

    exit_code: int
    timed_out: bool = False
    message: str = ""
    advice: str = ""
    stderr_tail: tuple[str, ...] = ()
    duration_s: float = 0.0
    was_killed: bool = False
    out_of_memory: bool = False
    is_box_fault: bool = False


def run_batch(
    runner: StageRunner,
    spec: StageSpec,
    items: Sequence[StageItem],
    folder: Path,
    *,
    monotonic: Callable[[], float],
    is_ending: Callable[[], bool] = lambda: False,
) -> list[ItemOutcome]:
    """Run a stage for some items, with as few starts as their crashes allow.

    Args:
        runner: how stages run.
        spec: which stage.
        items: what to do, with paths of this machine.
        folder: where batch lists go.
        monotonic: a clock, seconds.
        is_ending: True when the orchestrator itself is ending: the stage is ended too.

    Returns:
        One outcome for each item, in their order.

    Raises:
        OSError: the batch list cannot be written.
        ConfigError: the runner cannot serve these paths.
        Ending: the orchestrator is asked to end.
    """
    outcomes: dict[int, ItemOutcome] = {}
    waiting = list(range(len(items)))
    while waiting:
        if is_ending():
            raise Ending
        placed = [runner.place(items[index]) for index in waiting]
        with _batch_list(folder, placed) as path:
            watch = StallWatch(journal_path(path), spec.timeout_s, monotonic, is_ending)
            results = _run_once(runner, spec, path, len(placed), watch.is_stalled)
        if is_ending():
            raise Ending
        for position, outcome in results.items():
            outcomes[waiting[position]] = outcome
        waiting = [index for index in waiting if index not in outcomes]
    return [outcomes[index] for index in range(len(items))]


def _run_once(
    runner: StageRunner, spec: StageSpec, path: Path, count: int, is_stalled: Callable[[], bool]
) -> dict[int, ItemOutcome]:
    """Start the stage once; return the outcomes that this start settled: at least one."""
    try:
        end = runner.run(
            spec,
            path,
            timeout_s=(spec.timeout_s + START_ALLOWANCE_S) * count,
            is_stalled=is_stalled,
        )
    except VvError as exc:
        return dict.fromkeys(range(count), _box_outcome(exc))
    return settle(read_journal(journal_path(path), count), end, count, spec)


def settle(
    journal: JournalState, end: StageEnd, count: int, spec: StageSpec
) -> dict[int, ItemOutcome]:
    """Decide, from the journal and the stage's end, which items are settled and how.

    An item that ended has its own code. One that began and did not end owns the crash. When none
    began, or the box is at fault, that is not an item's: it concerns all, and can never be held against a video.
    """
    result = end.child
    share = result.duration_s / max(1, len(journal.ended) + (journal.open_index is not None))
    outcomes = {
        index: ItemOutcome(
            entry["exit_code"],
            message=str(entry.get("message", "")),
            advice=str(entry.get("advice", "")),
            duration_s=share,
        )
        for index, entry in journal.ended.items()
    }
    if journal.open_index is not None and end.fault is None:
        outcomes[journal.open_index] = ItemOutcome(
            _crash_code(result),
            timed_out=result.timed_out,
            message=_crash_message(end, spec.name),
            advice=_crash_advice(end, spec),
            stderr_tail=result.stderr_tail,
            duration_s=share,
            was_killed=_was_killed(result),
            out_of_memory=end.out_of_memory,
        )
    rest = [index for index in range(count) if index not in outcomes]
    common = _common_fault(outcomes, end, spec)
    if rest and common is not None:
        outcomes |= dict.fromkeys(rest, common)
    return outcomes


def _box_outcome(fault: VvError, stderr_tail: tuple[str, ...] = ()) -> ItemOutcome:
    return ItemOutcome(
        fault.exit_code,
        message=fault.message,
        advice=fault.advice,
        stderr_tail=stderr_tail,
        is_box_fault=True,
    )


def _crash_code(result: ChildResult) -> int:
    """Return the code for the item that did not end."""
    if is_crash(result.exit_code, result.timed_out) or result.exit_code in WHOLE_BATCH:
        return result.exit_code
    # An orderly end, with the code of some other item: the journal is incomplete (a full disk).
    return ExitCode.TEMPFAIL


def _common_fault(
    outcomes: dict[int, ItemOutcome], end: StageEnd, spec: StageSpec
) -> ItemOutcome | None:
    result = end.child
    if end.fault is not None:
        return _box_outcome(end.fault, result.stderr_tail)
    for outcome in outcomes.values():
        # The code of a stage that we ended is that of its hanging item, and concerns no other.
        if outcome.exit_code in WHOLE_BATCH and not outcome.timed_out:
            return outcome
    if outcomes:
        return None
    code = result.exit_code if result.exit_code in WHOLE_BATCH else ExitCode.UNAVAILABLE
    return ItemOutcome(
        code,
        message=f"{spec.name} did not begin: {_crash_message(end, spec.name)}",
        advice=_crash_advice(end, spec)
        if end.out_of_memory
        else "Look at logs/app.log; run the stage by hand with --help to see whether it starts.",
        stderr_tail=result.stderr_tail,
        duration_s=result.duration_s,
        was_killed=_was_killed(result),
        out_of_memory=end.out_of_memory,
    )


def _was_killed(result: ChildResult) -> bool:
    return result.timed_out or result.exit_code >= _FIRST_SIGNAL


def _crash_message(end: StageEnd, stage: str) -> str:
    result = end.child
    last = f": {result.stderr_tail[-1]}" if result.stderr_tail else ""
    if result.timed_out:
        return f"{stage} took too long and was ended{last}"
    if end.out_of_memory:
        return f"{stage} ran out of memory and was killed (exit code {result.exit_code}){last}"
    if result.exit_code == 137:  # noqa: PLR2004 - 128 + SIGKILL
        return f"{stage} was killed (exit code 137, often for want of memory){last}"
    if result.exit_code == _FIRST_SIGNAL + signal.SIGTERM:
        return f"{stage} was asked to end, as when the machine or the engine stops (exit code 143){last}"
    return f"{stage} ended with exit code {result.exit_code}{last}"


def _crash_advice(end: StageEnd, spec: StageSpec) -> str:
    if end.out_of_memory:
        return (
            f"Give it more memory, if the machine has it: {spec.memory_setting} in .env "
            "(docs/containers.md); or cut the video into smaller or less detailed ones."
        )
    return "Look at the last lines of stderr and at logs/app.log."


def share_blame(outcomes: list[ItemOutcome], stage: str) -> list[ItemOutcome]:
    """Clear the videos when a stage crashed for several and worked for none: the fault is not theirs.

    So a broken model or want of memory never sends all that waits into quarantine, one by one.
    """
    crashed = [is_crash(outcome.exit_code, outcome.timed_out) for outcome in outcomes]
    works = any(outcome.exit_code in _STAGE_WORKS and not outcome.timed_out for outcome in outcomes)
    if works or sum(crashed) == 1:
        return outcomes
    return [
        _as_unavailable(outcome, stage) if has_crashed else outcome
        for outcome, has_crashed in zip(outcomes, crashed, strict=True)
    ]


_STAGE_WORKS = {ExitCode.OK, ExitCode.DATAERR}


def _as_unavailable(outcome: ItemOutcome, stage: str) -> ItemOutcome:
    return replace(
        outcome,
        exit_code=ExitCode.UNAVAILABLE,
        timed_out=False,
        message=f"{stage} failed for every video: {outcome.message}",
    )


@contextmanager
def _batch_list(folder: Path, items: Sequence[StageItem]) -> Iterator[Path]:
    """Write a batch list, and remove it and its journal afterwards."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{secrets.token_hex(8)}.jsonl"
    write_bytes_atomic(path, "".join(f"{item.to_json()}\n" for item in items).encode("ascii"))
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)
        journal_path(path).unlink(missing_ok=True)
