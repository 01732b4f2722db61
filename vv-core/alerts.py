"""Alerts: what an operator should hear about, and where it goes.

An alert always goes to the log and to ``orchestrator_data/alerts.jsonl``; with ``VV_ALERT_URLS`` also to the services
that apprise knows (Slack, Telegram, e-mail, …).
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from vv_core.atomic import append_line_durable
from vv_core.clock import format_utc, parse_utc
from vv_core.logs import get_logger

REPEAT_AFTER = timedelta(hours=6)
"""The same alert about the same thing is told again after this time, not before."""
_MAX_READ_BYTES = 4 * 1024 * 1024
_URL_BORDER = re.compile(r"[,\s]+(?=[A-Za-z][A-Za-z0-9+.-]*://)")


class Severity(StrEnum):
    """How bad it is."""

    INFO = "INFO"
    WARNING = "WARNING"
    CRITICAL = "CRITICAL"


_LEVELS = {
    Severity.INFO: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.CRITICAL: logging.ERROR,
}


@dataclass(frozen=True)
class Alert:
    """One thing an operator should know.

    Attributes:
        severity: how bad it is.
        code: what kind, as in "stage_config"; stable, for filters.
        subject: which video, stage or service.
        message: what happened.
        advice: what to do next.
        fields: more context, such as the last lines of stderr.
    """

    severity: Severity
    code: str
    subject: str
    message: str
    advice: str
    fields: dict[str, object] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What makes two alerts the same."""
        return f"{self.code}:{self.subject}"


class AlertSink(Protocol):
    """Somewhere alerts go."""

    def send(self, alert: Alert, moment: datetime) -> None:
        """Pass the alert on; must not raise for a partner that does not answer."""


class LogSink:
    """Writes alerts to the log."""

    def send(self, alert: Alert, moment: datetime) -> None:
        """Log the alert."""
        level = _LEVELS[alert.severity]
        get_logger("alerts").log(
            level,
            f"{alert.message} → {alert.advice}",
            extra={"fields": {"alert": alert.code, "subject": alert.subject, **alert.fields}},
        )


class FileSink:
    """Keeps alerts as lines of JSON, for status pages and so that none is repeated too soon."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, alert: Alert, moment: datetime) -> None:
        """Append the alert; a full disk is logged."""
        entry = {
            "time": format_utc(moment),
            "severity": alert.severity,
            "code": alert.code,
            "subject": alert.subject,
            "message": alert.message,
            "advice": alert.advice,
            "fields": alert.fields,
        }
        try:
            append_line_durable(self._path, json.dumps(entry, default=str))
        except OSError as exc:
            get_logger("alerts").warning("the alert file is not written: %s", exc)

    def recent_keys(self, moment: datetime) -> set[str]:
        """Return the keys of alerts told less than `REPEAT_AFTER` ago.

        Times ahead of the clock count likewise: after a clock was put right, none is silenced for years.

        Raises:
            OSError: the file is there and cannot be read.
        """
        return {
            f"{entry['code']}:{entry['subject']}"
            for entry in read_alerts(self._path)
            if abs(moment - parse_utc(str(entry["time"]))) < REPEAT_AFTER
        }


class AppriseSink:
    """Sends alerts to services by apprise URLs."""

    def __init__(self, urls: Sequence[str]) -> None:
        """Set the services up; a URL that apprise does not know is logged.

        Raises:
            ImportError: apprise is not installed.
        """
        import apprise  # heavy, and only where URLs are set

        self._apprise = apprise.Apprise()
        for position, url in enumerate(urls, 1):
            # The URL holds a secret: say which one by position only.
            if not self._apprise.add(url):
                get_logger("alerts").error(
                    "URL %d of VV_ALERT_URLS is none that apprise knows", position
                )

    def notify(self, alert: Alert) -> bool:
        """Send the alert; return whether every service took it."""
        return bool(
            self._apprise.notify(
                title=f"[{alert.severity}] {alert.code}: {alert.subject}",
                body=f"{alert.message}\n→ {alert.advice}",
            )
        )

    def send(self, alert: Alert, moment: datetime) -> None:
        """Send the alert; a service that does not answer is logged."""
        if not self.notify(alert):
            get_logger("alerts").warning("an alert did not reach every service of VV_ALERT_URLS")


class Alerter:
    """Sends each alert to every sink, and the same one only every few hours."""

    def __init__(self, sinks: Sequence[AlertSink], recent_keys: set[str]) -> None:
        self._sinks = sinks
        self._told = set(recent_keys)

    def tell(self, alert: Alert, moment: datetime) -> bool:
        """Send an alert unless it was told lately; return whether it was sent."""
        if alert.key in self._told:
            return False
        self._told.add(alert.key)
        for sink in self._sinks:
            sink.send(alert, moment)
        return True


def make_alerter(path: Path, urls: str | None, moment: datetime) -> Alerter:
    """Build the alerter of this box.

    Args:
        path: the alert file.
        urls: apprise URLs, comma-separated, or None.
        moment: the current time, to know what was told lately.

    Raises:
        OSError: the alert file is there and cannot be read.
    """
    to_file = FileSink(path)
    sinks: list[AlertSink] = [LogSink(), to_file]
    if urls:
        try:
            sinks.append(AppriseSink(split_urls(urls)))
        except ImportError:
            # Videos are worth more than alerts: the box goes on, and says so each time.
            get_logger("alerts").error(
                "VV_ALERT_URLS is set, but apprise is not installed: alerts stay on this box"
                " → Run: python3 bootstrap.py --rooms alerts"
            )
    return Alerter(sinks, to_file.recent_keys(moment))


def split_urls(urls: str) -> list[str]:
    """Return the URLs of a comma-separated list; a comma within a URL (two recipients) stays."""
    return [url.strip() for url in _URL_BORDER.split(urls.strip(" ,\t\n")) if url.strip()]


def read_alerts(path: Path, max_lines: int = 1000) -> list[dict[str, object]]:
    """Return the last alerts of an alert file, oldest first; torn or foreign lines are left out.

    Raises:
        OSError: the file is there and cannot be read.
    """
    try:
        with path.open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _MAX_READ_BYTES))
            lines = stream.read(_MAX_READ_BYTES).splitlines()[-max_lines:]
    except FileNotFoundError:
        return []
    return [entry for line in lines if (entry := _parse_alert(line)) is not None]


def _parse_alert(line: bytes) -> dict[str, object] | None:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict) or not {"code", "subject"} <= entry.keys():
            return None
        parse_utc(entry["time"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return entry
