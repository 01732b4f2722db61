"""Which status a LogLine gets: the decision, without files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from fnmatch import fnmatchcase
from typing import Final, Literal

Status = Literal["confirmado", "curado", "alerta", "experimental"]
STATUSES: Final[tuple[Status, ...]] = ("confirmado", "curado", "alerta", "experimental")


@dataclass(frozen=True)
class Hours:
    """A part of the day, local time; over midnight when it ends before it begins.

    Attributes:
        begin: the first moment of it.
        end: the first moment after it; midnight is the end of the day.
    """

    begin: time
    end: time

    def holds(self, moment: time) -> bool:
        """Tell whether a local time of day is part of it."""
        if self.begin < self.end:
            return self.begin <= moment < self.end
        return moment >= self.begin or moment < self.end


@dataclass(frozen=True)
class Conditions:
    """What must hold for a rule; None or empty means that it does not matter.

    Labels are compared as they are. Names and cameras are patterns (``*``, ``?``), whatever their case.
    """

    labels_any: tuple[str, ...] = ()
    labels_all: tuple[str, ...] = ()
    labels_none: tuple[str, ...] = ()
    min_count: Mapping[str, int] = field(default_factory=dict)
    nothing_seen: bool | None = None
    names_any: tuple[str, ...] = ()
    names_none: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    hours: Hours | None = None
    weekdays: tuple[int, ...] = ()
    detector: str | None = None
    text_by: str | None = None


@dataclass(frozen=True)
class Rule:
    """One rule; ``when`` is None for the default."""

    name: str
    status: Status
    when: Conditions | None = None


@dataclass(frozen=True)
class RuleSet:
    """Rules in their order, the default last.

    Attributes:
        rules: at least one; the last has no conditions.
        sha256: of the file they came from.
    """

    rules: tuple[Rule, ...]
    sha256: str


@dataclass(frozen=True)
class Scene:
    """What rules may ask about one video.

    Attributes:
        counts: most seen at the same time, by label.
        names: enrolled people who were recognised.
        camera: folder of the camera, or empty.
        start: start of the recording, in the cameras' time zone.
        detector: "embedded" or "yolo".
        text_by: "model" or "rules".
    """

    counts: Mapping[str, int]
    names: tuple[str, ...]
    camera: str
    start: datetime
    detector: str
    text_by: str


def choose_rule(rules: RuleSet, scene: Scene) -> Rule:
    """Return the first rule that matches."""
    return next(rule for rule in rules.rules if rule.when is None or matches(rule.when, scene))


def matches(when: Conditions, scene: Scene) -> bool:
    """Tell whether all conditions hold for a scene."""
    return (
        _matches_sight(when, scene) and _matches_people(when, scene) and _matches_place(when, scene)
    )


def _matches_sight(when: Conditions, scene: Scene) -> bool:
    seen = scene.counts
    return (
        (not when.labels_any or any(label in seen for label in when.labels_any))
        and all(label in seen for label in when.labels_all)
        and not any(label in seen for label in when.labels_none)
        and all(seen.get(label, 0) >= least for label, least in when.min_count.items())
        and when.nothing_seen in {None, not seen}
    )


def _matches_people(when: Conditions, scene: Scene) -> bool:
    return (
        not when.names_any or any(_is_like(name, when.names_any) for name in scene.names)
    ) and not any(_is_like(name, when.names_none) for name in scene.names)


def _matches_place(when: Conditions, scene: Scene) -> bool:
    return (
        (not when.cameras or _is_like(scene.camera, when.cameras))
        and (when.hours is None or when.hours.holds(scene.start.time()))
        and (not when.weekdays or scene.start.weekday() in when.weekdays)
        and when.detector in {None, scene.detector}
        and when.text_by in {None, scene.text_by}
    )


def _is_like(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text.casefold(), pattern.casefold()) for pattern in patterns)
