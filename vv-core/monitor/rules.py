"""What the rules of the diagnosis know; the first that fits decides.

They read fields, never the words of a message. Where they know nothing they say so (None), and only there may a model
be asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vv_core.errors import ExitCode
from vv_core.monitor.proposal import Action, Diagnosis, Proposal
from vv_core.monitor.situation import LogFact, Situation

MEMORY_VARIABLES = {
    "scan_video": "SCANNER_MEMORY",
    "scene_scanner": "SCANNER_MEMORY",
    "summarize_scene": "SUMMARIZER_MEMORY",
    "scene_summarizer": "SUMMARIZER_MEMORY",
    "logline_generator": "WRITER_MEMORY",
    "logline_writer": "WRITER_MEMORY",
}
"""Which variable gives memory to a stage or its service; see `pipeline.stages`."""

CACHE_EVENT, MODEL_EVENT = "cache_damaged", "model_process_lost"
_CACHE_TIMES, _MODEL_TIMES = 3, 3
_DISK_PERCENT = 2.0
_KILLED = 137

Rule = Callable[[Situation], Proposal | None]


def propose_by_rules(situation: Situation) -> Proposal | None:
    """Return what the rules are sure of, or None."""
    return next((found for rule in _RULES if (found := rule(situation)) is not None), None)


def _ends(situation: Situation) -> Iterator[LogFact]:
    """Yield how stages ended, newest first."""
    return (fact for fact in reversed(situation.log) if fact.stage and fact.exit_code > 0)


def _keys(situation: Situation) -> Proposal | None:
    if any(fact.exit_code == ExitCode.NOPERM for fact in situation.log):
        reason = (
            "a signing key is missing, unsafe or does not fit: nobody but a person may touch keys"
        )
        return Proposal(Diagnosis.KEYS_WRONG, Action.ESCALATE, "", reason)
    return None


def _settings(situation: Situation) -> Proposal | None:
    wrong = {ExitCode.CONFIG, ExitCode.USAGE}
    if any(fact.exit_code in wrong for fact in situation.log):
        reason = "a setting is wrong: only who chose it can put it right"
        return Proposal(Diagnosis.SETTINGS_WRONG, Action.ESCALATE, "", reason)
    return None


def _disk(situation: Situation) -> Proposal | None:
    if situation.disk_free_percent < _DISK_PERCENT:
        reason = f"{situation.disk_free_percent:.1f} % of the disk are free"
        return Proposal(Diagnosis.DISK_FULL, Action.ESCALATE, "", reason)
    return None


def _requeue_after_memory(situation: Situation) -> Proposal | None:
    """Videos were quarantined for want of memory, and it has been raised since."""
    held = [
        entry
        for entry in situation.quarantine
        if entry.exit_code == _KILLED and entry.has_more_memory
    ]
    if held:
        reason = f"{len(held)} videos were quarantined before memory was raised"
        return Proposal(Diagnosis.VIDEOS_HELD_BACK, Action.REQUEUE, held[0].name, reason)
    return None


def _memory(situation: Situation) -> Proposal | None:
    places = [fact.stage for fact in _ends(situation) if fact.memory]
    places += [fact.service for fact in situation.containers if fact.is_out_of_memory]
    variable = next((MEMORY_VARIABLES[name] for name in places if name in MEMORY_VARIABLES), None)
    if variable is None:
        if any(fact.is_out_of_memory for fact in situation.containers):
            reason = "a service that stays ran out of memory: its limit is a person's choice"
            return Proposal(Diagnosis.OUT_OF_MEMORY, Action.ESCALATE, "", reason)
        return None
    reason = f"{places[0]} was ended at its limit of memory"
    return Proposal(Diagnosis.OUT_OF_MEMORY, Action.RAISE_MEMORY, variable, reason)


def _cache(situation: Situation) -> Proposal | None:
    times = sum(1 for fact in situation.log if fact.event == CACHE_EVENT)
    if times >= _CACHE_TIMES:
        reason = f"compiled networks were found damaged {times} times"
        return Proposal(Diagnosis.CACHE_DAMAGED, Action.CLEAR_CACHE, "scanner", reason)
    return None


def _model(situation: Situation) -> Proposal | None:
    times = sum(1 for fact in situation.log if fact.event == MODEL_EVENT)
    if times < _MODEL_TIMES:
        return None
    reason = f"the summary model's process was lost {times} times"
    if "summary" in situation.kinds_with_way_back:
        return Proposal(Diagnosis.MODEL_FAULT, Action.ROLL_BACK_MODEL, "summary", reason)
    return Proposal(
        Diagnosis.MODEL_FAULT, Action.ESCALATE, "summary", f"{reason}, and there is none before it"
    )


def _given_up(situation: Situation) -> Proposal | None:
    for fact in situation.containers:
        if fact.has_given_up:
            reason = f"{fact.name} does not recover: {fact.condition}"
            return Proposal(Diagnosis.SERVICE_BROKEN, Action.ESCALATE, fact.service, reason)
    return None


def _stuck(situation: Situation) -> Proposal | None:
    """A service says nothing any more, and Docker thinks that it is well."""
    ill = {fact.service for fact in situation.containers}
    for service, problem in sorted((situation.heartbeats or {}).items()):
        if service not in ill:
            return Proposal(Diagnosis.SERVICE_STUCK, Action.RESTART, service, problem)
    return None


_RULES: tuple[Rule, ...] = (
    _keys,
    _settings,
    _disk,
    _requeue_after_memory,
    _memory,
    _cache,
    _model,
    _given_up,
    _stuck,
)
