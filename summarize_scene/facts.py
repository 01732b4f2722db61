"""The facts about one video: everything that a text about it may state (made by `fact_rule`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

MAX_MAIN_LABELS = 4
MAX_MAIN_NAMES = 4

FactType = Literal["object", "face", "motion"]


@dataclass(frozen=True)
class LabelFact:
    """A label that was certainly seen.

    Attributes:
        label: as the analytic spells it.
        count: most at the same time, 1 or more.
        different: different ones in the whole clip, where a tracker can tell; never below ``count``.
        first_seen, last_seen, peak_at: seconds from the first picture.
        frames: sampled frames that show it at the threshold.
        is_throughout: seen from the clip's start to its end.
    """

    type: FactType
    label: str
    count: int
    different: int | None
    first_seen: float
    last_seen: float
    peak_at: float
    frames: int
    is_throughout: bool = False


@dataclass(frozen=True)
class NameFact:
    """An enrolled person who was recognised; times in seconds from the first picture."""

    name: str
    frames: int
    first_seen: float
    last_seen: float


@dataclass(frozen=True)
class SceneFacts:
    """Everything that the text about one video may state.

    Attributes:
        camera: raw name; empty without one.
        start: when the recording begins, in the cameras' time zone.
        start_is_certain: False when it is only the file's time.
        duration_s: length of the video; 0 when unknown.
        labels: the facts, most important first.
        names: the recognised people, most seen first.
        alerts: labels among the facts that call for a warning.
        embedded_default: the scanner had no YOLO weights.
        recognition: enrolled people were looked for.
        is_complete: False when the video ends before its declared end.
    """

    camera: str
    start: datetime
    start_is_certain: bool
    duration_s: float
    labels: tuple[LabelFact, ...] = ()
    names: tuple[NameFact, ...] = ()
    alerts: tuple[str, ...] = ()
    embedded_default: bool = False
    recognition: bool = False
    is_complete: bool = True

    @property
    def end(self) -> datetime:
        """When the recording ends, in the cameras' time zone."""
        return shift(self.start, self.duration_s)

    @property
    def objects(self) -> tuple[LabelFact, ...]:
        """The facts that a detector of objects saw."""
        return tuple(fact for fact in self.labels if fact.type == "object")

    @property
    def face(self) -> LabelFact | None:
        """The fact about faces."""
        return next((fact for fact in self.labels if fact.type == "face"), None)

    @property
    def motion(self) -> LabelFact | None:
        """The fact about motion."""
        return next((fact for fact in self.labels if fact.type == "motion"), None)

    @property
    def main_labels(self) -> tuple[LabelFact, ...]:
        """What a text must state: the chief objects; without any, faces; without those, motion."""
        if self.objects:
            return self.objects[:MAX_MAIN_LABELS]
        if self.face is not None and not self.names:
            return (self.face,)
        return (self.motion,) if self.motion is not None and not self.names else ()

    @property
    def main_names(self) -> tuple[NameFact, ...]:
        """The people whom a text must name."""
        return self.names[:MAX_MAIN_NAMES]

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was seen."""
        return not self.labels and not self.names


def shift(moment: datetime, seconds: float) -> datetime:
    """Return a local time some real seconds later, right across a change of daylight-saving time."""
    zone = moment.tzinfo
    later = moment.astimezone(UTC) + timedelta(seconds=seconds)
    return later.astimezone(zone)
