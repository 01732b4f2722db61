"""Containers as the monitor sees them, and an engine that is a table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from vv_core.monitor.containers import Container
from vv_core.monitor.decision import Limits
from vv_core.monitor.engine import EngineProblem, Outcome
from vv_core.monitor.look import Monitor

PROJECT = "vv-box"
LIMITS = Limits(threshold=3, max_attempts=5, pause_s=10.0, pause_max_s=60.0, calm_s=300.0)


def container(name: str = "vv-box-api-1", **changes: object) -> Container:
    """Return a container that is well, or is as told."""
    seen = Container(
        id=f"id-of-{name}",
        name=name,
        project=PROJECT,
        service="api",
        is_one_off=False,
        state="running",
        health="healthy",
    )
    return replace(seen, **changes)  # type: ignore[arg-type]


UNHEALTHY = {"health": "unhealthy"}
CRASHED = {"state": "exited", "exit_code": 1, "health": "none"}


@dataclass
class TableEngine:
    """An engine that lists what it was told, and fails as it was told."""

    listed: list[Container] = field(default_factory=list)
    restarts: list[str] = field(default_factory=list)
    restart_fault: Outcome | None = None
    list_fault: Outcome | None = None

    def list_containers(self, project: str) -> list[Container]:
        if self.list_fault is not None:
            raise fault(self.list_fault)
        return list(self.listed)

    def restart(self, name: str) -> None:
        self.restarts.append(name)
        if self.restart_fault is not None:
            raise fault(self.restart_fault)


def fault(outcome: Outcome) -> EngineProblem:
    return EngineProblem(f"told to be {outcome}", advice="change the test", outcome=outcome)


@dataclass
class MovedClock:
    """A clock that a test moves."""

    now_s: float = 1_800_000_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_s, UTC)

    def monotonic(self) -> float:
        return self.now_s


def make_monitor(
    folder: Path,
    engine: TableEngine,
    clock: MovedClock,
    *,
    is_dry_run: bool = False,
    language: str = "en",
) -> Monitor:
    return Monitor(
        engine=engine,
        folder=folder,
        limits=LIMITS,
        project=PROJECT,
        clock=clock,
        alert_file=folder / "alerts.jsonl",
        is_dry_run=is_dry_run,
        language=language,
    )
