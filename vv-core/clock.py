"""Time: one protocol to pass in, and the text form of UTC that documents use."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from typing import Protocol

_RFC3339_UTC = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")


class Clock(Protocol):
    """Where the current time comes from; tests pass their own."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""
        return time.monotonic()


def format_utc(moment: datetime) -> str:
    """Return an aware datetime as RFC 3339 text in UTC, whole seconds, ending in Z.

    Raises:
        ValueError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"a time zone is missing: {moment!r}")
    in_utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{in_utc.isoformat(timespec='seconds')}Z"


def parse_utc(raw_text: str) -> datetime:
    """Return the aware datetime of RFC 3339 text that ends in Z, to the microsecond.

    Raises:
        ValueError: the text is something else.
    """
    # datetime.fromisoformat alone takes all of ISO 8601, weeks and dates without dashes among it.
    if not _RFC3339_UTC.fullmatch(raw_text):
        raise ValueError(f"not UTC with Z: {raw_text!r}")
    return datetime.fromisoformat(raw_text)
