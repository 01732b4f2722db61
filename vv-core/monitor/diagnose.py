"""The diagnosis after a look: gather, let the rules say, ask the model where they know nothing, log, perhaps act."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vv_core.atomic import append_line_durable
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import ConfigError, VvError, from_oserror
from vv_core.heartbeat import find_problem, read_heartbeat
from vv_core.jsonio import parse_json
from vv_core.logs import LOG_FILE_NAME, get_logger
from vv_core.metrics import collect_metrics
from vv_core.models.active import read_active
from vv_core.monitor.answered import Done, done_of, has_more_memory, is_answered
from vv_core.monitor.ask_model import ask_quietly
from vv_core.monitor.decision import Condition
from vv_core.monitor.look import Look, Monitor
from vv_core.monitor.proposal import Made, Proposal, may_ask, may_propose
from vv_core.monitor.remedies import apply_proposal
from vv_core.monitor.rules import propose_by_rules
from vv_core.monitor.situation import (
    MAX_LOG,
    MAX_QUARANTINED,
    ContainerFact,
    LogFact,
    QuarantineFact,
    Situation,
    log_fact,
)
from vv_core.pipeline.history import History
from vv_core.pipeline.quarantine import quarantined
from vv_core.settings import Settings

PROPOSALS_FILE = "proposals.jsonl"
_MAX_LOG_BYTES = 512 * 1024
_MAX_PROPOSALS = 200
_RECENT = timedelta(hours=1)
_OWN = "self_monitor"
_ILL = {Condition.UNHEALTHY, Condition.FAILED, Condition.LOOPING}


def diagnose_once(settings: Settings, seen: Look, monitor: Monitor) -> Proposal | None:
    """Diagnose after a look; return what was proposed.

    Raises:
        VvError: the proposals cannot be read or written.
    """
    path = monitor.folder / PROPOSALS_FILE
    now = monitor.clock.now()
    entries = read_proposals(path)
    made = [Made(str(entry["key"]), parse_utc(entry["time"]).timestamp()) for entry in entries]
    limit = settings.monitor_proposals_per_hour
    if not may_ask(made, now.timestamp(), limit):
        return None
    situation = gather(settings, seen, monitor, entries)
    proposal = None if situation.is_quiet else propose_by_rules(situation)
    if proposal is None and settings.monitor_model and not situation.is_quiet:
        proposal = ask_quietly(situation, settings.summary_timeout_s)
    if proposal is None or not may_propose(proposal.key, made, now.timestamp(), limit):
        return None
    if monitor.is_dry_run:
        return proposal
    done, problem = "", ""
    if settings.monitor_diagnosis == "act" and proposal.is_of_rules:
        done, problem = _act(proposal, settings, monitor)
    _note(path, proposal, done, problem, format_utc(now))
    return proposal


def _act(proposal: Proposal, settings: Settings, monitor: Monitor) -> tuple[str, str]:
    try:
        return apply_proposal(proposal, settings, monitor), ""
    except VvError as exc:
        return "", f"{exc.message} → {exc.advice}"


def _note(path: Path, proposal: Proposal, done: str, problem: str, moment: str) -> None:
    entry = {
        "time": moment,
        "key": proposal.key,
        "diagnosis": proposal.diagnosis,
        "action": proposal.action,
        "target": proposal.target,
        "reason": proposal.reason,
        "source": proposal.source,
        "done": done,
        "problem": problem,
    }
    words = f"done: {done}" if done else f"not done: {problem}" if problem else "proposed only"
    get_logger("monitor").warning(
        "diagnosis %s, action %s %s (%s): %s",
        proposal.diagnosis,
        proposal.action,
        proposal.target,
        proposal.source,
        words,
        extra={"fields": {"proposal": proposal.key, "reason": proposal.reason}},
    )
    try:
        append_line_durable(path, json.dumps(entry))
    except OSError as exc:
        raise from_oserror(exc, "log the proposal", path) from exc


def read_proposals(path: Path) -> list[dict[str, Any]]:
    """Return the last proposals, oldest first; torn lines are left out.

    Raises:
        TemporaryError: they cannot be read: then nobody could count, and none is made.
    """
    try:
        lines = _tail(path, _MAX_LOG_BYTES)[-_MAX_PROPOSALS:]
    except OSError as exc:
        raise from_oserror(exc, "read the proposals", path) from exc
    return [entry for entry in _entries(lines) if _is_proposal(entry)]


def _is_proposal(entry: dict[str, Any]) -> bool:
    try:
        parse_utc(entry["time"])
    except (KeyError, TypeError, ValueError):
        return False
    return isinstance(entry.get("key"), str) and isinstance(entry.get("action"), str)


def gather(
    settings: Settings, seen: Look, monitor: Monitor, entries: Sequence[dict[str, Any]]
) -> Situation:
    """Return the situation of this box; what cannot be read is left out, and logged."""
    queued, retrying, free = _figures(settings)
    done = done_of(entries)
    return Situation(
        containers=_containers(seen),
        heartbeats=_heartbeats(settings, seen, monitor.clock.now()),
        log=_log(settings, monitor.clock.now(), done),
        quarantine=_quarantine(settings, done),
        queued=queued,
        retrying=retrying,
        disk_free_percent=free,
        kinds_with_way_back=_way_back(settings),
    )


def _containers(seen: Look) -> tuple[ContainerFact, ...]:
    return tuple(
        ContainerFact(
            service=sighting.container.service,
            name=sighting.container.name,
            condition=str(sighting.condition),
            exit_code=sighting.container.exit_code,
            is_out_of_memory=sighting.container.is_out_of_memory,
            attempts=seen.plan.state.records[sighting.container.name].attempts,
            has_given_up=seen.plan.state.records[sighting.container.name].has_given_up,
            note=sighting.container.note,
        )
        for sighting in seen.plan.sightings
        if sighting.condition in _ILL
    )


def _heartbeats(settings: Settings, seen: Look, now: datetime) -> dict[str, str]:
    """Return the problems of services that Docker thinks well.

    One that starts has not said anything yet, and one that a person has stopped says nothing, and rightly.
    """
    well = {
        sighting.container.service
        for sighting in seen.plan.sightings
        if sighting.condition is Condition.WELL
    }
    found = {}
    for service in sorted(well - {_OWN}):
        path = settings.storage.services / f"{service}.json"
        if not path.exists():
            continue
        try:
            problem = find_problem(read_heartbeat(path), now)
        except VvError as exc:
            problem = exc.message
        if problem:
            found[service] = problem
    return found


def _is_recent(entry: dict[str, Any], now: datetime) -> bool:
    """Tell whether an entry is of the last hour: older faults were seen before, or are over."""
    try:
        return now - parse_utc(entry["time"]) < _RECENT
    except (KeyError, TypeError, ValueError):
        return False


def _log(settings: Settings, now: datetime, done: Sequence[Done]) -> tuple[LogFact, ...]:
    path = settings.resolve(settings.log_dir) / LOG_FILE_NAME
    try:
        lines = _tail(path, _MAX_LOG_BYTES)
    except OSError as exc:
        get_logger("monitor").info("the log is not looked at: %s", exc)
        return ()
    facts: deque[LogFact] = deque(maxlen=MAX_LOG)
    # What the monitor says itself is no news to it.
    for entry in _entries(lines):
        is_news = entry.get("component") != _OWN and _is_recent(entry, now)
        fact = log_fact(entry) if is_news else None
        if fact is not None and not is_answered(fact, parse_utc(entry["time"]).timestamp(), done):
            facts.append(fact)
    return tuple(facts)


def _quarantine(settings: Settings, done: Sequence[Done]) -> tuple[QuarantineFact, ...]:
    found = [
        (str(content["when"]), QuarantineFact(
            os.path.relpath(video, settings.storage.corrupted),
            str(content["stage"]),
            int(content["exit_code"]),
            str(content["reason"]),
            has_more_memory(str(content["stage"]), _moment(content["when"]), done),
        ))
        for video, _, content in quarantined(settings.storage)
    ]  # fmt: skip
    newest = sorted(found, key=lambda pair: pair[0], reverse=True)
    return tuple(fact for _, fact in newest[:MAX_QUARANTINED])


def _moment(text: object) -> float:
    """Return a time in seconds since the epoch; what is none is later than any action, so that none answers it."""
    try:
        return parse_utc(str(text)).timestamp()
    except ValueError:
        return float("inf")


def _figures(settings: Settings) -> tuple[int, int, float]:
    path = settings.storage.orchestrator_data / "orchestrator_db.sqlite"
    if not path.exists():
        return 0, 0, 100.0
    try:
        with closing(History.view(path)) as history:
            metrics = collect_metrics(settings.storage, settings.orchestrator_patterns, history)
    except (OSError, sqlite3.Error) as exc:
        get_logger("monitor").info("the queue is not looked at: %s", exc)
        return 0, 0, 100.0
    share = 100.0 * metrics.disk_free_bytes / max(metrics.disk_total_bytes, 1)
    return metrics.queued, metrics.retrying, share


def _way_back(settings: Settings) -> tuple[str, ...]:
    try:
        switches = read_active(settings.storage.models)
    except ConfigError as exc:
        get_logger("monitor").info("the models are not looked at: %s", exc.message)
        return ()
    return tuple(sorted(kind for kind, switch in switches.items() if switch.current is not None))


def _tail(path: Path, max_bytes: int) -> list[bytes]:
    """Return the last lines of a file; none when it is not there."""
    try:
        with path.open("rb") as stream:
            size = os.fstat(stream.fileno()).st_size
            stream.seek(max(0, size - max_bytes))
            lines = stream.read(max_bytes).splitlines()
    except FileNotFoundError:
        return []
    # The first is torn where the file is longer.
    return lines[1:] if size > max_bytes else lines


def _entries(lines: Sequence[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = parse_json(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry
