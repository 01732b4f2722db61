"""One look of the monitor: list, decide, remember, act, tell.

What was decided is on disk before anything is done: a monitor that is killed at any moment neither restarts a container
more often than it may, nor forgets to tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vv_core.alerts import Alert, FileSink, LogSink, read_alerts
from vv_core.clock import Clock
from vv_core.errors import from_oserror
from vv_core.logs import get_logger
from vv_core.monitor.containers import Container
from vv_core.monitor.decision import (
    Limits,
    MonitorState,
    Plan,
    mark_told,
    plan_engine_failure,
    plan_look,
    untold,
)
from vv_core.monitor.engine import Engine, EngineProblem, Outcome
from vv_core.monitor.state_file import load_state, save_state
from vv_core.monitor.texts import container_alert, engine_alert
from vv_core.pipeline.lock import CycleLock

STATE_FILE, LOCK_FILE = "state.json", "monitor.lock"


@dataclass(frozen=True)
class Monitor:
    """Everything that a look needs.

    Attributes:
        engine: whose containers are looked at.
        folder: where its state lies.
        alert_file: of the services; the orchestrator passes on what stands there.
        limits: how patient to be.
        project: the compose project.
        own_id: beginning of the id of the container that this runs in; empty outside.
        clock: the time.
        language: of alerts.
        is_dry_run: look and decide only.
    """

    engine: Engine
    folder: Path
    alert_file: Path
    limits: Limits
    project: str
    clock: Clock
    own_id: str = ""
    language: str = "pt-BR"
    is_dry_run: bool = False


@dataclass(frozen=True)
class Look:
    """What a look found and did."""

    plan: Plan
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    told: tuple[str, ...] = ()


def look(monitor: Monitor) -> Look:
    """Look once.

    The engine is asked before the lock is taken: a monitor whose way to the engine hangs must not keep another one,
    that has a better way, from looking. What it lists may be old by the time it decides; the state then says what
    others did meanwhile.

    Raises:
        EngineProblem: the engine did not answer; counted, and told after some looks.
        AlreadyRunning: another monitor decides at this moment.
        VvError: the state cannot be read or written: then nothing is restarted, since nobody would count it.
        OSError: the lock cannot be made.
    """
    try:
        containers = monitor.engine.list_containers(monitor.project)
    except EngineProblem as exc:
        if not monitor.is_dry_run:
            with CycleLock(monitor.folder / LOCK_FILE):
                _note_failure(monitor, exc)
        raise
    if monitor.is_dry_run:
        return Look(_plan(monitor, containers, load_state(monitor.folder / STATE_FILE)))
    with CycleLock(monitor.folder / LOCK_FILE):
        return _act(monitor, containers)


def _plan(monitor: Monitor, containers: Sequence[Container], state: MonitorState) -> Plan:
    return plan_look(
        containers,
        state,
        monitor.limits,
        monitor.clock.now().timestamp(),
        project=monitor.project,
        own_id=monitor.own_id,
    )


def _act(monitor: Monitor, containers: Sequence[Container]) -> Look:
    path = monitor.folder / STATE_FILE
    state = load_state(path)
    plan = _plan(monitor, containers, state)
    _remember(path, state, plan.state)
    _log_changes(state, plan)
    outcomes = {name: _restart(monitor.engine, name) for name in plan.restarts}
    return Look(plan, outcomes, _tell(monitor, path, plan))


def _note_failure(monitor: Monitor, problem: EngineProblem) -> None:
    path = monitor.folder / STATE_FILE
    state = load_state(path)
    counted, is_due = plan_engine_failure(state, monitor.limits, monitor.clock.now().timestamp())
    if is_due:
        alert = engine_alert(problem, counted, monitor.language)
        write_alert(monitor, alert)
    _remember(path, state, counted)


def _remember(path: Path, before: MonitorState, after: MonitorState) -> None:
    if after == before and path.exists():
        return
    try:
        save_state(path, after)
    except OSError as exc:
        raise from_oserror(exc, "keep the monitor's state", path) from exc


def _log_changes(before: MonitorState, plan: Plan) -> None:
    if before.is_engine_told:
        get_logger("monitor").warning("the engine answers again")
    for seen in plan.sightings:
        name = seen.container.name
        old, new = before.records.get(name), plan.state.records[name]
        if old is not None and old.attempts and not new.attempts:
            get_logger("monitor").info("%s has recovered", name)
        if old is None or old.bad_looks != new.bad_looks:
            fields: dict[str, object] = {
                "container": name,
                "condition": str(seen.condition),
                "note": seen.container.note,
            }
            fields |= {"bad_looks": new.bad_looks, "exit_code": seen.container.exit_code}
            level = get_logger("monitor").warning if new.bad_looks else get_logger("monitor").info
            level("%s: %s", name, seen.condition, extra={"fields": fields})


def _restart(engine: Engine, name: str) -> Outcome:
    try:
        engine.restart(name)
    except EngineProblem as exc:
        fields = {"container": name, "outcome": str(exc.outcome), "advice": exc.advice}
        get_logger("monitor").error("%s", exc.message, extra={"fields": fields})
        return exc.outcome
    get_logger("monitor").warning("restarted %s", name, extra={"fields": {"container": name}})
    return Outcome.RESTARTED


def _tell(monitor: Monitor, path: Path, plan: Plan) -> tuple[str, ...]:
    """Write the alerts that are due, each once; return whose they were."""
    by_name = {seen.container.name: seen for seen in plan.sightings}
    due = untold(plan.state)
    for name in due:
        record = plan.state.records[name]
        write_alert(monitor, container_alert(name, record, by_name[name], monitor.language))
    _remember(path, plan.state, mark_told(plan.state, due))
    return due


def write_alert(monitor: Monitor, alert: Alert) -> None:
    """Write an alert to log and file, unless a monitor that was killed right after it did so already."""
    fields = [entry.get("fields") for entry in read_alerts(monitor.alert_file)]
    written = {known.get("episode") for known in fields if isinstance(known, dict)}
    if alert.fields["episode"] in written:
        return
    for sink in (LogSink(), FileSink(monitor.alert_file)):
        sink.send(alert, monitor.clock.now())
