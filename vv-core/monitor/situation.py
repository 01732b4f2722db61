"""What the diagnosis looks at: containers, heartbeats, the end of the log, queue, quarantine, disk. Data, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

MAX_LOG = 200
MAX_QUARANTINED = 50
_MAX_TEXT = 300


@dataclass(frozen=True)
class ContainerFact:
    """A container that is not well, in the words of the look.

    Attributes:
        service: of docker compose; `name` of the container.
        condition: see `decision.Condition`.
        has_given_up: restarts have not helped, and a person was told.
    """

    service: str
    name: str
    condition: str
    exit_code: int = 0
    is_out_of_memory: bool = False
    attempts: int = 0
    has_given_up: bool = False
    note: str = ""


@dataclass(frozen=True)
class LogFact:
    """A line of the log that is a warning or worse.

    Attributes:
        level, component, message: as in ``app.log``.
        alert: code of the alert that it tells, or "".
        event: what it says happened, in a word that programs read, or "".
        stage, exit_code: how a stage ended for a video; -1 where it is not about that.
        memory: the kernel ended that stage at its limit of memory.
    """

    level: str
    component: str
    message: str
    alert: str = ""
    event: str = ""
    stage: str = ""
    exit_code: int = -1
    memory: bool = False


@dataclass(frozen=True)
class QuarantineFact:
    """A video in ``corrupted/``: which stage refused it, and how that ended.

    Attributes:
        has_more_memory: the diagnosis has given that stage more memory since.
    """

    name: str
    stage: str
    exit_code: int
    reason: str = ""
    has_more_memory: bool = False


@dataclass(frozen=True)
class Situation:
    """Everything that a diagnosis may use.

    Attributes:
        containers: those that are not well.
        heartbeats: problem of each service that says it has one, by service.
        log: its end, oldest first.
        quarantine: the newest first.
        queued, retrying: videos.
        disk_free_percent: of the data's disk.
        kinds_with_way_back: kinds of model with a version before the current one.
    """

    containers: tuple[ContainerFact, ...] = ()
    heartbeats: Mapping[str, str] | None = None
    log: tuple[LogFact, ...] = ()
    quarantine: tuple[QuarantineFact, ...] = ()
    queued: int = 0
    retrying: int = 0
    disk_free_percent: float = 100.0
    kinds_with_way_back: tuple[str, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether nothing at all is wrong, as far as can be seen here."""
        return not (
            self.containers or self.heartbeats or self.log or self.quarantine or self.retrying
        )


def parse_situation(document: Mapping[str, Any]) -> Situation:
    """Return a situation from its JSON form.

    Raises:
        ValueError: a field is unknown or missing.
    """
    try:
        _known(Situation, document)
        plain = {
            name: document[name]
            for name in ("queued", "retrying", "disk_free_percent", "heartbeats")
            if name in document
        }
        return Situation(
            containers=tuple(ContainerFact(**raw) for raw in document.get("containers", ())),
            log=tuple(LogFact(**raw) for raw in document.get("log", ())),
            quarantine=tuple(QuarantineFact(**raw) for raw in document.get("quarantine", ())),
            kinds_with_way_back=tuple(document.get("kinds_with_way_back", ())),
            **plain,
        )
    except (TypeError, KeyError) as exc:
        raise ValueError(f"not a situation: {exc}") from exc


def _known(kind: type, document: Mapping[str, Any]) -> None:
    names = {field.name for field in fields(kind)}
    if unknown := document.keys() - names:
        raise ValueError(f"unknown fields: {', '.join(sorted(unknown))}")


def situation_document(situation: Situation) -> dict[str, Any]:
    """Return the JSON form."""
    return asdict(situation)


def log_fact(entry: Mapping[str, Any]) -> LogFact | None:
    """Return what a line of ``app.log`` tells the diagnosis; None for one that is no warning."""
    level = str(entry.get("level", ""))
    if level not in {"WARNING", "ERROR", "CRITICAL"}:
        return None
    raw = entry.get("fields")
    told: Mapping[str, Any] = raw if isinstance(raw, dict) else {}
    exit_code = told.get("exit_code", -1)
    return LogFact(
        level=level,
        component=str(entry.get("component", "")),
        message=str(entry.get("message", ""))[:_MAX_TEXT],
        alert=str(told.get("alert", "")),
        event=str(told.get("event", "")),
        stage=str(told.get("stage", "")),
        exit_code=exit_code if isinstance(exit_code, int) else -1,
        memory=told.get("out_of_memory") is True,
    )
