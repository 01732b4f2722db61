"""How many, and when: numbers that are true of the pictures looked at, and say no more than that."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from scan_video.observations import Box, Finding, Kind, Look

_MINUTE_S = 60.0

LabelKey = tuple[Kind, str]


@dataclass(frozen=True)
class LabelCount:
    """What was seen of one label.

    Attributes:
        peak: most seen in one picture, so at the same time.
        peak_at: seconds, the first picture that shows so many.
        frames: pictures that show it.
        first_seen, last_seen: seconds.
        max_confidence: highest of all.
        confident_frames: pictures that show it with the confidence of a fact, or more.
        different: how many different ones, where a tracker can tell; never less than `peak`.
    """

    kind: Kind
    label: str
    peak: int
    peak_at: float
    frames: int
    first_seen: float
    last_seen: float
    max_confidence: float
    confident_frames: int
    different: int | None


@dataclass(frozen=True)
class NameCount:
    """What was seen of an enrolled person; `distance` is the smallest one."""

    name: str
    frames: int
    first_seen: float
    last_seen: float
    distance: float


@dataclass(frozen=True)
class Track:
    """One thing followed from picture to picture; `best` is where it was clearest."""

    track_id: int
    kind: Kind
    label: str
    first_seen: float
    last_seen: float
    frames: int
    best_at: float
    best_box: Box
    best_confidence: float


@dataclass(frozen=True)
class MinuteActivity:
    """One minute: detections of all pictures, and for each label the most at the same time."""

    minute: int
    detections: int
    peak: dict[str, int]


def count_labels(
    looks: Sequence[Look], fact_confidence: float, *, is_tracked: bool
) -> list[LabelCount]:
    """Count each label, those of the most pictures first.

    Args:
        looks: in the order of time.
        fact_confidence: what a picture must reach to support a fact.
        is_tracked: findings carry tracks, so different ones can be told.
    """
    seen: dict[LabelKey, list[tuple[float, list[Finding]]]] = defaultdict(list)
    for look in looks:
        for key, group in _by_label(look.findings).items():
            seen[key].append((look.time_s, group))
    counts = [
        _count_label(key, pictures, fact_confidence, is_tracked) for key, pictures in seen.items()
    ]
    return sorted(counts, key=lambda count: (-count.frames, count.kind, count.label))


def _by_label(findings: Iterable[Finding]) -> dict[LabelKey, list[Finding]]:
    groups: dict[LabelKey, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[(finding.kind, finding.label)].append(finding)
    return groups


def _count_label(
    key: LabelKey,
    pictures: list[tuple[float, list[Finding]]],
    fact_confidence: float,
    is_tracked: bool,
) -> LabelCount:
    kind, label = key
    peak_at, peak = max(((time_s, len(group)) for time_s, group in pictures), key=lambda x: x[1])
    best = [max(finding.confidence for finding in group) for _, group in pictures]
    tracks = {finding.track_id for _, group in pictures for finding in group} - {None}
    return LabelCount(
        kind=kind,
        label=label,
        peak=peak,
        peak_at=peak_at,
        frames=len(pictures),
        first_seen=pictures[0][0],
        last_seen=pictures[-1][0],
        max_confidence=max(best),
        confident_frames=sum(confidence >= fact_confidence for confidence in best),
        different=max(len(tracks), peak) if is_tracked and kind == "object" else None,
    )


def count_names(looks: Sequence[Look]) -> list[NameCount]:
    """Count each enrolled person, those of the most pictures first."""
    seen: dict[str, dict[float, float]] = defaultdict(dict)
    for look in looks:
        for finding in look.findings:
            if finding.name is not None and finding.distance is not None:
                nearest = seen[finding.name].get(look.time_s, finding.distance)
                seen[finding.name][look.time_s] = min(nearest, finding.distance)
    counts = [
        NameCount(name, len(times), min(times), max(times), min(times.values()))
        for name, times in seen.items()
    ]
    return sorted(counts, key=lambda count: (-count.frames, count.name))


def collect_tracks(looks: Sequence[Look]) -> list[Track]:
    """Put together what belongs to each track, in the order of their numbers."""
    seen: dict[int, list[tuple[float, Finding]]] = defaultdict(list)
    for look in looks:
        for finding in look.findings:
            if finding.track_id is not None:
                seen[finding.track_id].append((look.time_s, finding))
    return [_collect_track(track_id, seen[track_id]) for track_id in sorted(seen)]


def _collect_track(track_id: int, sightings: list[tuple[float, Finding]]) -> Track:
    best_at, best = max(sightings, key=lambda sighting: sighting[1].confidence)
    return Track(
        track_id=track_id,
        kind=best.kind,
        label=best.label,
        first_seen=sightings[0][0],
        last_seen=sightings[-1][0],
        frames=len(sightings),
        best_at=best_at,
        best_box=best.box,
        best_confidence=best.confidence,
    )


def activity_by_minute(looks: Sequence[Look]) -> list[MinuteActivity]:
    """Return each minute that was looked at, also those in which nothing was seen."""
    totals: Counter[int] = Counter()
    peaks: dict[int, dict[str, int]] = defaultdict(dict)
    for look in looks:
        minute = int(look.time_s // _MINUTE_S)
        totals[minute] += len(look.findings)
        peak = peaks[minute]
        for label, number in Counter(finding.label for finding in look.findings).items():
            peak[label] = max(peak.get(label, 0), number)
    return [
        MinuteActivity(minute, totals[minute], dict(sorted(peaks[minute].items())))
        for minute in sorted(totals)
    ]
