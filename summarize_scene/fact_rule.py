"""From an analytic to the facts that a summary may state.

A detector's boxes are evidence, not facts. The rule, in full:

1. **Level.** A frame shows level *n* of a label when it holds at least *n* of its boxes; the
   confidence of that level is the *n*-th highest among them.
2. **Fact.** Level *n* is a fact when at least `FactRule.min_frames` sampled frames show it and one of
   them does so at `FactRule.min_confidence` or above; or when a single frame shows it at
   `FactRule.single_frame_confidence` or above. The label is a fact when level 1 is, and its count is
   the highest level that is one: the most that were certainly there *at the same time*.
3. **Doubles.** A detector may call one thing two names (a bottle also "vase", a truck also "car").
   When at least half of the frames that show a label show it on the same spot (intersection over
   union of `DOUBLE_IOU` or more) as a fact label that is seen in more frames, it is a double, no fact.
4. **Times.** First and last seen are the first and last frame that shows it at ``min_confidence``.
5. **Motion** has no count and its confidence is no probability: ``min_frames`` frames make it a fact.
6. **Names.** An enrolled person is a fact when recognised in ``min_frames`` frames, or in one with a
   distance of at most `NEAR_DISTANCE` of the tolerance: a wrong name does the most harm.
7. **Different ones.** Where a tracker could tell, the tracks of at least ``min_frames`` frames whose best
   one reaches ``min_confidence``; a number below the count is not used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from summarize_scene.doubles import find_doubles
from summarize_scene.facts import FactType, LabelFact, NameFact, SceneFacts
from summarize_scene.vocabulary import canonical_label, load_vocabulary
from vv_core.clock import parse_utc

SINGLE_FRAME_CONFIDENCE = 0.6
NEAR_DISTANCE = 0.75
MAX_NAMES = 100
THROUGHOUT_COVERAGE = 0.8
_MIN_FRAMES_THROUGHOUT = 3


@dataclass(frozen=True)
class FactRule:
    """The thresholds of the rule above (settings VV_FACT_MIN_FRAMES, VV_FACT_MIN_CONFIDENCE)."""

    min_frames: int = 2
    min_confidence: float = 0.4
    single_frame_confidence: float = SINGLE_FRAME_CONFIDENCE


def build_facts(analytic: Mapping[str, Any], zone: ZoneInfo, rule: FactRule) -> SceneFacts:
    """Return the facts of an analytic that follows its schema.

    Args:
        analytic: the document.
        zone: the cameras' time zone.
        rule: the thresholds.
    """
    source = analytic["source"]
    labels = _label_facts(analytic, rule)
    alert_labels = load_vocabulary("en").alert_labels
    alerts = tuple(fact.label for fact in labels if canonical_label(fact.label) in alert_labels)
    return SceneFacts(
        camera=source["camera"],
        start=parse_utc(source["start"]).astimezone(zone),
        start_is_certain=source["start_origin"] != "mtime",
        duration_s=float(source["duration_s"]),
        labels=tuple(sorted(labels, key=lambda fact: _importance(fact, alerts))),
        names=_name_facts(analytic, rule),
        alerts=alerts,
        embedded_default=analytic["detector"]["embedded_default"],
        recognition=analytic["faces"]["recognition"] and analytic["faces"]["enrolled"] > 0,
        is_complete=analytic["sampling"]["complete"],
    )


def _importance(fact: LabelFact, alerts: tuple[str, ...]) -> tuple[object, ...]:
    return (
        fact.label not in alerts,
        fact.type != "object",
        fact.type != "face",
        canonical_label(fact.label) != "person",
        -fact.frames,
        -fact.count,
        fact.label,
    )


Sightings = dict[float, list[float]]
"""Timestamp of a frame to the confidences of a label in it, highest first."""


def _label_facts(analytic: Mapping[str, Any], rule: FactRule) -> list[LabelFact]:
    sightings = _group(analytic["detections"])
    levels = {key: _highest_level(seen, key[0], rule) for key, seen in sightings.items()}
    known = {key: seen for key, seen in sightings.items() if levels[key] > 0}
    frames = {key[1]: len(seen) for key, seen in known.items() if key[0] == "object"}
    doubles = find_doubles(analytic["detections"], frames)
    different = _count_different(analytic, rule)
    facts = []
    for key, seen in known.items():
        if key[0] == "object" and key[1] in doubles:
            continue
        solid = _solid_moments(seen, key[0], rule)
        facts.append(
            LabelFact(
                type=key[0],
                label=key[1],
                count=levels[key],
                different=different[key] if different.get(key, 0) >= levels[key] else None,
                first_seen=solid[0],
                last_seen=solid[-1],
                peak_at=_peak_at(seen, levels[key]),
                frames=len(solid),
                is_throughout=_is_throughout(solid, analytic),
            )
        )
    return facts


def _group(detections: Iterable[Mapping[str, Any]]) -> dict[tuple[FactType, str], Sightings]:
    grouped: dict[tuple[FactType, str], Sightings] = defaultdict(lambda: defaultdict(list))
    for detection in detections:
        key = (detection["type"], detection["label"])
        grouped[key][detection["timestamp"]].append(detection["confidence"])
    for seen in grouped.values():
        for confidences in seen.values():
            confidences.sort(reverse=True)
    return grouped


def _highest_level(seen: Sightings, kind: FactType, rule: FactRule) -> int:
    """Return the highest level that is a fact, 0 when none is."""
    frames: dict[int, int] = defaultdict(int)
    best: dict[int, float] = defaultdict(float)
    for confidences in seen.values():
        for level, confidence in enumerate(confidences, start=1):
            frames[level] += 1
            best[level] = max(best[level], confidence)
    enough = 0.0 if kind == "motion" else rule.min_confidence
    alone = max(rule.single_frame_confidence, rule.min_confidence)
    return sum(
        best[level] >= alone or (frames[level] >= rule.min_frames and best[level] >= enough)
        for level in frames
    )


def _solid_moments(seen: Sightings, kind: FactType, rule: FactRule) -> list[float]:
    """Return when a frame shows a label at the threshold, in order."""
    enough = 0.0 if kind == "motion" else rule.min_confidence
    return sorted(moment for moment, confidences in seen.items() if confidences[0] >= enough)


def _peak_at(seen: Sightings, count: int) -> float:
    """Return when a count is seen most clearly."""
    moments = [moment for moment in sorted(seen) if len(seen[moment]) >= count]
    return max(moments, key=lambda moment: seen[moment][count - 1])


def _count_different(analytic: Mapping[str, Any], rule: FactRule) -> dict[tuple[str, str], int]:
    """Return how many different ones there were of each label that a tracker followed."""
    followed = {
        (entry["type"], entry["label"]): 0
        for entry in analytic["labels"]
        if entry["different"] is not None
    }
    for track in analytic["tracks"]:
        key = (track["type"], track["label"])
        is_solid = track["best"]["confidence"] >= rule.min_confidence
        if key in followed and is_solid and track["frames"] >= rule.min_frames:
            followed[key] += 1
    return followed


def _is_throughout(moments: list[float], analytic: Mapping[str, Any]) -> bool:
    """Tell whether a label is there from start to end: near both, and in most frames between."""
    frames = analytic["sampling"]["frames"]
    slack = 1.5 * analytic["sampling"]["interval_s"]
    return bool(
        len(moments) >= max(_MIN_FRAMES_THROUGHOUT, THROUGHOUT_COVERAGE * frames)
        and moments[0] <= slack
        and moments[-1] >= analytic["source"]["duration_s"] - slack
    )


def _name_facts(analytic: Mapping[str, Any], rule: FactRule) -> tuple[NameFact, ...]:
    nearest = NEAR_DISTANCE * (analytic["faces"]["tolerance"] or 0.0)
    facts = [
        NameFact(entry["name"], entry["frames"], entry["first_seen"], entry["last_seen"])
        for entry in analytic["names"]
        if entry["frames"] >= rule.min_frames or entry["distance"] <= nearest
    ]
    facts.sort(key=lambda fact: (-fact.frames, fact.first_seen, fact.name))
    return tuple(facts[:MAX_NAMES])
