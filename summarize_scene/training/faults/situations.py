"""Made-up situations of a box with what is right, seeded: only those on which the monitor's rules are silent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from summarize_scene.training.faults.draws import Draws
from summarize_scene.training.faults.kinds import WEIGHTS, Fault
from vv_core.monitor.proposal import Action, Diagnosis
from vv_core.monitor.rules import propose_by_rules
from vv_core.monitor.situation import Situation


@dataclass(frozen=True)
class MadeUp:
    """A situation, the name of its kind, and what is right."""

    kind: str
    situation: Situation
    diagnosis: Diagnosis
    action: Action


def make_situations(seed: int, *, held_out: bool) -> Iterator[MadeUp]:
    """Yield situations without end; the same seed gives the same ones.

    Args:
        seed: of all choices.
        held_out: take only wordings that no other situation has.
    """
    random = Random(seed)  # noqa: S311 - data, no secret
    draws = Draws(random, is_held_out=held_out)
    kinds = [kind for kind, weight in WEIGHTS.items() for _ in range(weight)]
    while True:
        kind = random.choice(kinds)
        fault = kind(draws)
        situation = _situation(fault, draws)
        if propose_by_rules(situation) is None and not situation.is_quiet:
            yield MadeUp(kind.__name__.lstrip("_"), situation, fault.diagnosis, fault.action)


def _situation(fault: Fault, draws: Draws) -> Situation:
    """Return the situation of a fault, among lines that have nothing to do with it."""
    log = list(fault.log)
    for _ in range(draws.one(0, 0, 1, 1, 2, 3)):
        log.insert(draws.number(0, len(log)), draws.beside())
    queued = draws.one(0, 0, 0, 1, 2, 5)
    return Situation(
        containers=fault.containers,
        log=tuple(log),
        quarantine=fault.quarantine,
        queued=queued if fault.queued is None else fault.queued,
        retrying=fault.retrying,
        disk_free_percent=draws.percent(4, 95),
        kinds_with_way_back=fault.kinds_with_way_back,
    )
