"""What a TV shows, as data: the rules of a TV, and whether one of them fits a LogLine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from tv_scheduler.line import Line

DEFAULT_VALID_S = 300
DAY_MINUTES = 24 * 60
_HOUR_S = 3600
_MINUTE_S = 60


class Order(StrEnum):
    """In which order a TV shows its items."""

    TIME = "time"
    NEWEST = "newest"
    SHUFFLE = "shuffle"


@dataclass(frozen=True)
class DayHours:
    """Hours of the day, by the clock on the wall; the first minute belongs to them, the last one does not.

    Attributes:
        start, end: minutes since midnight; an end before the start is on the next day.
    """

    start: int
    end: int

    def has(self, moment: datetime) -> bool:
        """Tell whether the clock shows one of these hours; on a night that repeats an hour, both times."""
        minute = moment.hour * 60 + moment.minute
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end


@dataclass(frozen=True)
class Pick:
    """Which LogLines are meant; an empty set leaves the choice open.

    Attributes:
        statuses, cameras: of which the LogLine's is one.
        labels: of which the LogLine has one.
    """

    statuses: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    labels: frozenset[str] = frozenset()

    def has_status(self, line: Line) -> bool:
        """Tell whether the status is one of these."""
        return not self.statuses or line.status in self.statuses

    def has_camera(self, line: Line) -> bool:
        """Tell whether the camera is one of these."""
        return not self.cameras or line.camera in self.cameras

    def has_label(self, line: Line) -> bool:
        """Tell whether something of this was seen."""
        return not self.labels or not self.labels.isdisjoint(line.labels)

    def has(self, line: Line) -> bool:
        """Tell whether the LogLine is meant."""
        return self.has_status(line) and self.has_camera(line) and self.has_label(line)


@dataclass(frozen=True)
class Priority:
    """What interrupts.

    Attributes:
        pick: which LogLines.
        level: 1 to 9; more interrupts less.
        minutes: for how long after it was signed.
    """

    pick: Pick
    level: int
    minutes: int

    def end(self, line: Line) -> int:
        """Return when the priority of a LogLine is over, seconds since 1970."""
        return line.logged + self.minutes * _MINUTE_S


@dataclass(frozen=True)
class TvRule:
    """What one TV shows.

    Attributes:
        name: of the TV, and of its file.
        pick: the LogLines that it shows.
        order: of its items.
        window_hours: how far it looks back.
        hours: at which hours of the day what it shows began; none: at any.
        max_age_hours: what began longer ago leaves, also within the window.
        max_length_minutes: longer recordings are left out.
        max_items: the newest so many, and before them those with priority.
        repeats: how many times in a row each stands.
        priority: what interrupts; of several that fit, the highest level counts.
        valid_s: for how long a screen trusts what it has.
        language: of the screen's own words; None: that of the box.
    """

    name: str
    pick: Pick
    order: Order
    window_hours: int
    hours: tuple[DayHours, ...] = ()
    max_age_hours: int | None = None
    max_length_minutes: int | None = None
    max_items: int | None = None
    repeats: int = 1
    priority: tuple[Priority, ...] = ()
    valid_s: int = DEFAULT_VALID_S
    language: str | None = None

    @property
    def reach_s(self) -> int:
        """How long after its start a recording can be shown, seconds."""
        hours = min(self.window_hours, self.max_age_hours or self.window_hours)
        return hours * _HOUR_S

    def level(self, line: Line, now: int) -> int:
        """Return the priority of a LogLine now, 0 for what does not interrupt."""
        return max(
            (each.level for each in self.priority if now < each.end(line) and each.pick.has(line)),
            default=0,
        )
