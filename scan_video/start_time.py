"""When a recording began: from its name, else from its container, else from its last change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Origin = Literal["name", "container", "mtime"]

_EARLIEST_YEAR, _LATEST_YEAR = 2000, 2100


@dataclass(frozen=True)
class RecordingStart:
    """When a recording began, in UTC, and what says so."""

    moment: datetime
    origin: Origin


def find_start(
    file_name: str,
    *,
    created: datetime | None,
    modified: datetime,
    duration_s: float,
    patterns: Sequence[str],
    zone: ZoneInfo,
) -> RecordingStart:
    """Decide when a recording began.

    Args:
        file_name: without folders.
        created: what the container says, aware.
        modified: the file's last change, aware.
        duration_s: length of the recording.
        patterns: regular expressions with groups Y m d H M S and, for UTC, z.
        zone: of the clock that named the file.
    """
    ended_about = modified - timedelta(seconds=duration_s)
    named = start_from_name(file_name, patterns, zone, ended_about)
    if named is not None:
        return RecordingStart(named, "name")
    if created is not None:
        return RecordingStart(created.astimezone(UTC), "container")
    return RecordingStart(ended_about.astimezone(UTC), "mtime")


def start_from_name(
    file_name: str, patterns: Sequence[str], zone: ZoneInfo, near: datetime
) -> datetime | None:
    """Return the first time in a name that exists in the calendar, in UTC.

    Args:
        file_name: without folders.
        patterns: tried in order.
        zone: of the clock that named the file.
        near: decides which of two equal wall-clock times is meant, see `resolve_local`.
    """
    for pattern in patterns:
        for groups in _matches(pattern, file_name):
            naive = _calendar_time(groups)
            if naive is None:
                continue
            if groups.get("z"):
                return naive.replace(tzinfo=UTC)
            return resolve_local(naive, zone, near)
    return None


def _matches(pattern: str, text: str) -> Iterator[dict[str, str | None]]:
    for match in re.finditer(pattern, text):
        yield match.groupdict()


def _calendar_time(groups: dict[str, str | None]) -> datetime | None:
    try:
        year, month, day, hour, minute, second = (int(groups.get(key) or 0) for key in "YmdHMS")
        naive = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - zone follows
    except ValueError:
        return None
    return naive if _EARLIEST_YEAR <= year < _LATEST_YEAR else None


def resolve_local(naive: datetime, zone: ZoneInfo, near: datetime) -> datetime:
    """Return the UTC time of a wall clock.

    When clocks go back, an hour happens twice: of the two times the one nearer to ``near`` is meant,
    the first if they are equally near. When clocks go forward, an hour does not happen: a clock that
    shows it was not put forward, and goes on from the time before the change.
    """
    first, second = (naive.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    is_skipped = first.astimezone(zone).replace(tzinfo=None, fold=0) != naive
    if is_skipped or first == second:
        return first
    return min((first, second), key=lambda moment: abs(moment - near))
