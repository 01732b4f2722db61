"""Which LogLines a TV shows, in which order, why the others are not, and when that changes by itself; no files here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum

from tv_scheduler.line import Line
from tv_scheduler.rules import Order, TvRule

MAX_ITEMS = 5000
_HOUR_S = 3600
_MINUTE_MS = 60_000


class Reason(StrEnum):
    """Why a LogLine is on a TV, or is not."""

    SHOWN = "shown"
    STATUS = "other_status"
    CAMERA = "other_camera"
    LABEL = "other_label"
    HOURS = "other_hours"
    FUTURE = "in_the_future"
    OLD = "too_old"
    LONG = "too_long"
    MANY = "too_many"


@dataclass(frozen=True)
class Choice:
    """What a TV shows now.

    Attributes:
        shown: the LogLines, in order; each once.
        reasons: of each LogLine that was looked at, by its id.
        levels: the priority of those shown that have one, by id.
        next_edge: when it changes though nothing new comes, seconds since 1970; None: never.
    """

    shown: tuple[Line, ...]
    reasons: dict[str, Reason]
    levels: dict[str, int]
    next_edge: int | None


def window_of(rule: TvRule, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of what a TV shows, to the second; the start belongs to it, the end does not.

    The end is a second after the current one, so that a LogLine of this very second is shown.
    """
    end = now.replace(microsecond=0) + timedelta(seconds=1)
    return end - timedelta(hours=rule.window_hours), end


def choose(rule: TvRule, lines: Iterable[Line], now: datetime, zone: tzinfo) -> Choice:
    """Return what a TV shows.

    Args:
        rule: of the TV.
        lines: that were proven; of two with one id either is taken.
        now: the current time.
        zone: of the cameras' clocks.
    """
    second = int(now.timestamp())
    by_id = {line.id: line for line in lines}
    reasons = {line.id: find_reason(rule, line, second, zone) for line in by_id.values()}
    fitting = [line for line in by_id.values() if reasons[line.id] is Reason.SHOWN]
    levels = {line.id: level for line in fitting if (level := rule.level(line, second))}
    most = min(rule.max_items or MAX_ITEMS, MAX_ITEMS // rule.repeats)
    fitting.sort(key=lambda line: (levels.get(line.id, 0), line.when, line.id))
    for line in fitting[: max(0, len(fitting) - most)]:
        reasons[line.id] = Reason.MANY
    shown = tuple(_in_order(rule, fitting[-most:], now))
    edges = [
        *(line.when + rule.reach_s for line in fitting),
        *(each.when for each in by_id.values() if reasons[each.id] is Reason.FUTURE),
        *(each.end(line) for each in rule.priority for line in fitting if each.pick.has(line)),
    ]
    if rule.order is Order.SHUFFLE and len(shown) > 1:
        edges.append((second // _HOUR_S + 1) * _HOUR_S)
    later = min((edge for edge in edges if edge > second), default=None)
    kept = {line.id: levels[line.id] for line in shown if line.id in levels}
    return Choice(shown, reasons, kept, later)


def find_reason(rule: TvRule, line: Line, now: int, zone: tzinfo) -> Reason:
    """Return why a TV shows a LogLine, or does not; how many others there are is not asked here.

    Args:
        rule: of the TV.
        line: that was proven.
        now: seconds since 1970.
        zone: of the cameras' clocks.
    """
    # One after the other, the cheapest first: most LogLines of other TVs need but one.
    if not rule.pick.has_status(line):
        return Reason.STATUS
    if line.when > now:
        return Reason.FUTURE
    if line.when <= now - rule.reach_s:
        return Reason.OLD
    return _find_rarer_reason(rule, line, zone)


def _find_rarer_reason(rule: TvRule, line: Line, zone: tzinfo) -> Reason:
    if not rule.pick.has_camera(line):
        return Reason.CAMERA
    if not rule.pick.has_label(line):
        return Reason.LABEL
    if not _is_at_hours(rule, line, zone):
        return Reason.HOURS
    return Reason.SHOWN if _is_short(rule, line) else Reason.LONG


def local_time(line: Line, zone: tzinfo) -> datetime:
    """Return when a recording began, by the cameras' clock."""
    return datetime.fromtimestamp(line.when, UTC).astimezone(zone)


def sort_by_time(lines: Iterable[Line]) -> list[Line]:
    """Return LogLines by when they happened, equal times by their id."""
    return sorted(lines, key=lambda line: (line.when, line.id))


def _is_at_hours(rule: TvRule, line: Line, zone: tzinfo) -> bool:
    if not rule.hours:
        return True
    moment = local_time(line, zone)
    return any(each.has(moment) for each in rule.hours)


def _is_short(rule: TvRule, line: Line) -> bool:
    most = rule.max_length_minutes
    return most is None or line.duration_ms <= most * _MINUTE_MS


def _in_order(rule: TvRule, lines: Sequence[Line], now: datetime) -> list[Line]:
    if rule.order is Order.SHUFFLE:
        return sorted(lines, key=lambda line: _lot(rule.name, now, line.id))
    by_time = sort_by_time(lines)
    return by_time[::-1] if rule.order is Order.NEWEST else by_time


def _lot(tv: str, now: datetime, logline_id: str) -> bytes:
    """Return what a LogLine is sorted by where a TV shuffles.

    It depends on nothing but itself, the TV and the hour: a new item moves none of the others.
    """
    hour = now.astimezone(UTC).strftime("%Y-%m-%dT%H")
    return hashlib.sha256(f"{tv}\0{hour}\0{logline_id}".encode()).digest()
