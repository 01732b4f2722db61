"""What the diagnosis has done already: facts from before that are no news, and videos that may try again.

Otherwise the same losses that a model was rolled back for would, a look later, call for a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vv_core.clock import parse_utc
from vv_core.monitor.proposal import Action
from vv_core.monitor.rules import CACHE_EVENT, MEMORY_VARIABLES, MODEL_EVENT
from vv_core.monitor.situation import LogFact


@dataclass(frozen=True)
class Done:
    """An action that was carried out: what was done, to what, and when (seconds since the epoch)."""

    action: str
    target: str
    at_s: float


def done_of(entries: Sequence[Mapping[str, Any]]) -> tuple[Done, ...]:
    """Return what was carried out, from the log of proposals."""
    return tuple(_done(entries))


def _done(entries: Sequence[Mapping[str, Any]]) -> Iterator[Done]:
    for entry in entries:
        if entry.get("done"):
            at_s = parse_utc(entry["time"]).timestamp()
            yield Done(str(entry["action"]), str(entry.get("target", "")), at_s)


def is_answered(fact: LogFact, at_s: float, done: Sequence[Done]) -> bool:
    """Tell whether an action that came after a fact was the answer to it."""
    return any(one.at_s >= at_s and _answers(one, fact) for one in done)


def _answers(done: Done, fact: LogFact) -> bool:
    if done.action == Action.RAISE_MEMORY:
        return fact.memory and MEMORY_VARIABLES.get(fact.stage) == done.target
    if done.action == Action.CLEAR_CACHE:
        return fact.event == CACHE_EVENT
    return done.action == Action.ROLL_BACK_MODEL and fact.event == MODEL_EVENT


def has_more_memory(stage: str, set_aside_s: float, done: Sequence[Done]) -> bool:
    """Tell whether a stage was given more memory after a video had been set aside for it."""
    variable = MEMORY_VARIABLES.get(stage)
    return variable is not None and any(
        one.action == Action.RAISE_MEMORY and one.target == variable and one.at_s >= set_aside_s
        for one in done
    )
