"""What the monitor does about what it sees: containers, state and time in, actions and new state out.

No I/O here. A container that the engine's own policy heals is left to it; one that stays ill is restarted a limited
number of times, with pauses that double; then a person is told, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vv_core.monitor.containers import Container

STOPPED_BY_REQUEST = frozenset({0, 130, 143})
"""Exit codes of an end that was asked for: well, SIGINT, SIGTERM."""


class Condition(StrEnum):
    """How a container is, for our purposes."""

    WELL = "well"
    STARTING = "starting"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    LOOPING = "looping"
    LEFT_ALONE = "left alone"


@dataclass(frozen=True)
class Limits:
    """How patient the monitor is; seconds, looks, attempts."""

    threshold: int
    max_attempts: int
    pause_s: float
    pause_max_s: float
    calm_s: float

    def pause_after(self, attempts: int) -> float:
        """Return the pause after so many attempts, seconds."""
        # Not 2**n of any n: a float overflows long before an attempt counter does.
        doublings = min(max(attempts - 1, 0), 32)
        return min(self.pause_s * 2.0**doublings, self.pause_max_s)


@dataclass(frozen=True)
class Record:
    """What is remembered about one container, by its name.

    Attributes:
        container_id: a container made anew starts with a clean sheet.
        bad_looks: looks in a row at which it was ill.
        attempts: restarts since it was last well for long.
        next_attempt_at: not before this time; seconds since the epoch.
        well_since: since when it is well without a break; None when it is not.
        restart_count: the engine's own count at the last look.
        problem: what was wrong when the monitor gave up; empty before.
        gave_up_at: when that was; seconds since the epoch.
        is_told: the alert about that has been written.
    """

    container_id: str
    bad_looks: int = 0
    attempts: int = 0
    next_attempt_at: float = 0.0
    well_since: float | None = None
    restart_count: int = 0
    problem: str = ""
    gave_up_at: float = 0.0
    is_told: bool = False

    @property
    def has_given_up(self) -> bool:
        """Whether only a person can help now."""
        return bool(self.problem)


@dataclass(frozen=True)
class MonitorState:
    """What outlives a restart of the monitor.

    Attributes:
        records: by container name.
        engine_failures: looks in a row at which the engine did not answer.
        engine_failed_at: when the first of them was; seconds since the epoch.
        is_engine_told: that has been told.
    """

    records: Mapping[str, Record] = field(default_factory=dict)
    engine_failures: int = 0
    engine_failed_at: float = 0.0
    is_engine_told: bool = False


@dataclass(frozen=True)
class Sighting:
    """What was made of one container.

    Attributes:
        is_due: the monitor restarts it now.
        wait_s: until the next restart, where one is waiting for its time.
    """

    container: Container
    condition: Condition
    is_due: bool = False
    wait_s: float = 0.0


@dataclass(frozen=True)
class Plan:
    """What to do.

    Attributes:
        sightings: every container of the project, by name.
        state: to be written before anything is done.
    """

    sightings: tuple[Sighting, ...]
    state: MonitorState

    @property
    def restarts(self) -> tuple[str, ...]:
        """Names of the containers to restart."""
        return tuple(seen.container.name for seen in self.sightings if seen.is_due)


def plan_look(
    containers: Sequence[Container],
    state: MonitorState,
    limits: Limits,
    now_s: float,
    *,
    project: str,
    own_id: str = "",
) -> Plan:
    """Decide about everything seen in one look.

    Args:
        containers: whatever the engine listed; foreign ones and one-offs are passed over.
        state: as the last look left it.
        limits: how patient to be.
        now_s: wall-clock time, seconds since the epoch; it may jump.
        project: the compose project to look after.
        own_id: id, or its beginning, of the monitor's own container: it cannot restart itself.
    """
    ours = [seen for seen in containers if seen.project == project and not seen.is_one_off]
    records: dict[str, Record] = {}
    sightings = []
    for container in sorted(ours, key=lambda seen: seen.name):
        before = state.records.get(container.name)
        if before is None or before.container_id != container.id:
            before = Record(container.id, restart_count=container.restart_count)
        is_own = bool(own_id) and container.id.startswith(own_id)
        condition = Condition.LEFT_ALONE if is_own else condition_of(container, before)
        seen = replace(before, restart_count=container.restart_count)
        record, sighting = _step(container, condition, seen, limits, now_s)
        records[container.name] = record
        sightings.append(sighting)
    return Plan(tuple(sightings), MonitorState(records))


def condition_of(container: Container, record: Record) -> Condition:
    """Tell how a container is, given what was known about it."""
    has_failed = container.exit_code not in STOPPED_BY_REQUEST
    match container.state:
        case "running":
            return _condition_of_running(container, record)
        case "restarting":
            return Condition.LOOPING
        case "dead":
            return Condition.FAILED
        # Not even started (no such port, no such folder): it stays "created", with an exit code.
        case "exited" | "created" if has_failed:
            return Condition.FAILED
    return Condition.LEFT_ALONE


def _condition_of_running(container: Container, record: Record) -> Condition:
    if container.health == "unhealthy":
        return Condition.UNHEALTHY
    if container.restart_count > record.restart_count:
        return Condition.LOOPING
    return Condition.STARTING if container.health == "starting" else Condition.WELL


def _step(
    container: Container, condition: Condition, record: Record, limits: Limits, now_s: float
) -> tuple[Record, Sighting]:
    """Return the new record of one container, and what was made of it."""
    quiet = Sighting(container, condition)
    if condition is Condition.LEFT_ALONE:
        return Record(record.container_id, restart_count=record.restart_count), quiet
    if condition is Condition.STARTING:
        return replace(record, well_since=None), quiet
    if condition is Condition.WELL:
        return _step_well(record, limits, now_s), quiet
    ill = replace(record, bad_looks=record.bad_looks + 1, well_since=None)
    is_early = condition is not Condition.FAILED and ill.bad_looks < limits.threshold
    if ill.has_given_up or is_early:
        return ill, quiet
    if condition is Condition.LOOPING:
        # The engine restarts it already; one more restart of ours would heal nothing.
        return _give_up(ill, condition, now_s), quiet
    return _step_ill(ill, quiet, limits, now_s)


def _step_well(record: Record, limits: Limits, now_s: float) -> Record:
    since = now_s if record.well_since is None else min(record.well_since, now_s)
    if now_s - since >= limits.calm_s:
        return Record(record.container_id, well_since=since, restart_count=record.restart_count)
    return replace(record, bad_looks=0, well_since=since)


def _step_ill(
    record: Record, sighting: Sighting, limits: Limits, now_s: float
) -> tuple[Record, Sighting]:
    wait_s = record.next_attempt_at - now_s
    # A longer wait than there is: the clock was put back.
    if record.attempts and 0 < wait_s <= limits.pause_after(record.attempts):
        return record, replace(sighting, wait_s=wait_s)
    if record.attempts >= limits.max_attempts:
        return _give_up(record, sighting.condition, now_s), sighting
    attempts = record.attempts + 1
    tried = replace(
        record,
        attempts=attempts,
        bad_looks=0,
        next_attempt_at=now_s + limits.pause_after(attempts),
    )
    return tried, replace(sighting, is_due=True)


def _give_up(record: Record, condition: Condition, now_s: float) -> Record:
    return replace(record, problem=str(condition), gave_up_at=now_s, is_told=False)


def plan_engine_failure(
    state: MonitorState, limits: Limits, now_s: float
) -> tuple[MonitorState, bool]:
    """Count a look at which the engine did not answer; return the state and whether to tell."""
    failures = state.engine_failures + 1
    is_due = failures >= limits.threshold and not state.is_engine_told
    counted = replace(
        state,
        engine_failures=failures,
        engine_failed_at=state.engine_failed_at if state.engine_failures else now_s,
        is_engine_told=state.is_engine_told or is_due,
    )
    return counted, is_due


def untold(state: MonitorState) -> tuple[str, ...]:
    """Return the names of containers whose alert is still to be written."""
    return tuple(
        name
        for name, record in sorted(state.records.items())
        if record.has_given_up and not record.is_told
    )


def mark_told(state: MonitorState, names: Sequence[str]) -> MonitorState:
    """Return the state after these alerts were written."""
    told = {name: replace(state.records[name], is_told=True) for name in names}
    return replace(state, records={**state.records, **told})
