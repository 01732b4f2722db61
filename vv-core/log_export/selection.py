"""Which lines of which files are of one day: decided from names, times and text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fnmatch import fnmatchcase
from typing import Final
from zoneinfo import ZoneInfo

from vv_core.atomic import TEMP_PREFIX

LOG_NAMES: Final = ("*.log", "*.log.*", "*.log-*", "*.jsonl", "*.jsonl.*", "*.jsonl-*")
ARCHIVE_PREFIX: Final = "vv_ai_logs_"
_ROTATED = re.compile(
    r"(?P<base>.+\.(?:log|jsonl))(?:[.-][0-9]{1,14}){0,3}(?:\.(?P<packed>gz|xz|bz2))?"
)
_DATED = re.compile(
    rb"(?:\{\s*\"time\":\s*\")?(?P<moment>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})"
    rb"(?:\.[0-9]{1,9})?Z"
)


@dataclass(frozen=True)
class Day:
    """One day as people count it.

    Attributes:
        name: its date.
        start: first moment, UTC.
        end: first moment of the next day, UTC.
    """

    name: date
    start: datetime
    end: datetime

    @classmethod
    def of(cls, day: date, zone: ZoneInfo) -> Day:
        """Return a day of a time zone; where clocks are set it has 23 or 25 hours."""
        start, end = (
            datetime.combine(each, time.min, tzinfo=zone).astimezone(UTC)
            for each in (day, day + timedelta(days=1))
        )
        return cls(day, start, end)

    @property
    def stem(self) -> str:
        """How the files of its export are called."""
        return f"{ARCHIVE_PREFIX}{self.name:%Y%m%d}"


@dataclass(frozen=True)
class LogFile:
    """A log that was found.

    Attributes:
        path: absolute.
        member: where its lines go in the archive: the name before it was rotated and packed.
        packed: "gz", "xz", "bz2", or "" for plain text.
        mtime: last change, seconds since 1970.
        inode: device and number, the same under another name.
    """

    path: str
    member: str
    packed: str
    mtime: float
    inode: tuple[int, int]


def is_log_name(name: str) -> bool:
    """Tell whether a file is a log by its name; hidden and half-written ones are none."""
    if name.startswith((".", TEMP_PREFIX)):
        return False
    return any(fnmatchcase(name, pattern) for pattern in LOG_NAMES)


def split_name(name: str) -> tuple[str, str]:
    """Return the name that a log had before rotation, and how it is packed ("" for not at all)."""
    match = _ROTATED.fullmatch(name)
    return (match["base"], match["packed"] or "") if match else (name, "")


def plan_reading(files: Iterable[LogFile], day: Day) -> dict[str, list[LogFile]]:
    """Return the files that may hold lines of a day, by where the lines go, oldest first.

    A file is left out when it was last written before the day, when it is the packed copy of a file that is still
    there (logrotate is at it), and when it is another name of one that is read already.
    """
    listed = sorted(files, key=lambda file: (file.mtime, file.path))
    plain = {file.path for file in listed}
    seen: set[tuple[int, int]] = set()
    chosen: dict[str, list[LogFile]] = {}
    for file in listed:
        is_copy = bool(file.packed) and file.path.removesuffix(f".{file.packed}") in plain
        if file.mtime < day.start.timestamp() or is_copy or file.inode in seen:
            continue
        seen.add(file.inode)
        chosen.setdefault(file.member, []).append(file)
    return dict(sorted(chosen.items()))


def select_lines(lines: Iterable[bytes], day: Day, *, take_undated: bool) -> Iterator[bytes]:
    """Yield the lines of a day.

    A line without a time belongs to the one before it (a traceback, the output of a program).

    Args:
        lines: of one file, with their newlines.
        day: whose lines.
        take_undated: take lines before the first that has a time.
    """
    first, last = (format(each, "%Y-%m-%dT%H:%M:%S").encode() for each in (day.start, day.end))
    is_wanted = take_undated
    for line in lines:
        match = _DATED.match(line)
        if match is not None:
            is_wanted = first <= match["moment"] < last
        if is_wanted:
            yield line


def is_expired(name: str, today: date, days: int) -> bool:
    """Tell whether a file of an export is older than exports are kept (0 days: for ever)."""
    match = re.fullmatch(
        rf"{ARCHIVE_PREFIX}([0-9]{{8}})\.(?:tar\.gz|manifest\.json)", name, re.ASCII
    )
    if match is None or days == 0:
        return False
    try:
        day = datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007 - a date has no zone
    except ValueError:
        return False
    return day < today - timedelta(days=days)
