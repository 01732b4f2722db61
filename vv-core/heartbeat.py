"""Heartbeats: what a program that stays last did, and how long that may count as news.

A file for each service below ``orchestrator_data/services/``. Its healthcheck, the status page and the monitor
read it; only the service writes it. Light imports only: the healthcheck runs all the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from vv_core.atomic import write_json_atomic
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import InputDataError
from vv_core.jsonio import read_json

SCHEMA = "vv.heartbeat/1"
_MAX_BYTES = 64 * 1024
_KEYS = {"schema", "service", "time", "good_for_s", "problem", "advice", "details"}


@dataclass(frozen=True)
class Heartbeat:
    """What a service last said about itself.

    Attributes:
        service: its name in docker-compose.yml.
        time: when it said so.
        good_for_s: seconds until it must have said something again.
        problem: why it does not do its job, or "".
        advice: what to do about that, or "".
        details: figures about its work.
    """

    service: str
    time: datetime
    good_for_s: float
    problem: str = ""
    advice: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace the file of this service.

        Raises:
            OSError: from the file system.
        """
        document = {
            "schema": SCHEMA,
            "service": self.service,
            "time": format_utc(self.time),
            "good_for_s": self.good_for_s,
            "problem": self.problem,
            "advice": self.advice,
            "details": self.details,
        }
        write_json_atomic(path, document)


def read_heartbeat(path: Path) -> Heartbeat:
    """Return what a service last said.

    Raises:
        InputMissingError: it has said nothing yet.
        InputDataError: the file is not a heartbeat.
        TemporaryError: it cannot be read now.
    """
    document = read_json(path, max_bytes=_MAX_BYTES)
    try:
        if document.keys() != _KEYS or document["schema"] != SCHEMA:
            raise ValueError("other fields")
        return Heartbeat(
            str(document["service"]),
            parse_utc(document["time"]),
            float(document["good_for_s"]),
            str(document["problem"]),
            str(document["advice"]),
            dict(document["details"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise InputDataError(
            f"{str(path)!r} is not a heartbeat: {exc}",
            advice="Remove the file; the service writes it again.",
        ) from exc


def find_problem(heartbeat: Heartbeat, now: datetime) -> str | None:
    """Return why a service does not do its job by its heartbeat, or None.

    One from the future is no news either: after a clock was put right, it would count for years.
    """
    if heartbeat.problem:
        return f"{heartbeat.problem} → {heartbeat.advice}"
    age_s = (now - heartbeat.time).total_seconds()
    if abs(age_s) > heartbeat.good_for_s:
        return f"{heartbeat.service} last did something {age_s:.0f} s ago; {heartbeat.good_for_s:.0f} s may pass"
    return None
