"""Which labels become facts: the documented rule, case by case."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from summarize_scene.fact_rule import FactRule, build_facts
from summarize_scene.facts import SceneFacts
from tests.summarize_scene.scenes import ZONE, analytic, detection
from vv_core.utils import validate_schema
from vv_schemas import schema_path

RULE = FactRule()
APART = [0.7, 0.1, 0.2, 0.4]


def facts_of(*detections: dict[str, Any], **extra: Any) -> SceneFacts:
    document = analytic(*detections, **extra)
    validate_schema(document, schema_path("analytic"))
    return build_facts(document, ZONE, RULE)


@pytest.mark.parametrize(
    ("confidences", "is_fact"),
    [
        pytest.param([0.27], False, id="ghost: one frame, low confidence"),
        pytest.param([0.59], False, id="one frame, not high enough"),
        pytest.param([0.6], True, id="one frame, high confidence"),
        pytest.param([0.3, 0.39], False, id="two frames, both low"),
        pytest.param([0.3, 0.4], True, id="two frames, one at the threshold"),
        pytest.param([0.3, 0.3, 0.3, 0.3], False, id="many frames, all low"),
    ],
)
def test_a_label_is_a_fact_when_seen_often_or_clearly(
    confidences: list[float], is_fact: bool
) -> None:
    facts = facts_of(*[detection(float(at), "dog", c) for at, c in enumerate(confidences)])
    assert bool(facts.labels) is is_fact
    assert facts.is_quiet is not is_fact


def test_the_count_is_the_most_that_were_certainly_there_at_one_time() -> None:
    # A picture with three clear people and a fourth at the detector's own threshold, in each frame.
    confidences = (0.88, 0.86, 0.85, 0.3)
    facts = facts_of(*[detection(at, "person", c) for at in (0.0, 1.0, 2.0) for c in confidences])
    assert [fact.count for fact in facts.labels] == [3]


def test_a_peak_in_one_frame_counts_when_all_of_it_is_clear() -> None:
    steady = [detection(float(at), "car", 0.9) for at in range(5)]
    clear = facts_of(*steady, detection(2.0, "car", 0.61, box=APART))
    doubtful = facts_of(*steady, detection(2.0, "car", 0.59, box=APART))
    assert clear.labels[0].count == 2
    assert clear.labels[0].peak_at == 2.0
    assert doubtful.labels[0].count == 1


def test_times_are_those_of_the_clear_sightings() -> None:
    seen = [(1.0, 0.26), (5.0, 0.5), (9.0, 0.7), (30.0, 0.27)]
    fact = facts_of(*[detection(at, "cat", c) for at, c in seen]).labels[0]
    assert (fact.first_seen, fact.last_seen, fact.frames) == (5.0, 9.0, 2)


def test_one_thing_with_two_names_keeps_the_more_frequent_one() -> None:
    box, shifted = [0.4, 0.3, 0.1, 0.4], [0.401, 0.31, 0.1, 0.39]
    bottles = [detection(float(at), "bottle", 0.8, box=box) for at in range(20)]
    vases = [detection(float(at), "vase", 0.7, box=shifted) for at in (3, 9)]
    assert [fact.label for fact in facts_of(*bottles, *vases).labels] == ["bottle"]


def test_things_in_different_places_are_no_doubles() -> None:
    bottles = [detection(float(at), "bottle", 0.8) for at in range(20)]
    vases = [detection(float(at), "vase", 0.7, box=APART) for at in (3, 9)]
    assert [fact.label for fact in facts_of(*bottles, *vases).labels] == ["bottle", "vase"]


def test_a_ghost_does_not_turn_a_fact_into_its_double() -> None:
    ghost = [detection(float(at), "vase", 0.3) for at in range(9)]
    bottles = [detection(float(at), "bottle", 0.8) for at in (3, 4)]
    assert [fact.label for fact in facts_of(*ghost, *bottles).labels] == ["bottle"]


def test_motion_needs_frames_not_confidence() -> None:
    moving = [detection(at, "motion", 0.02, type="motion") for at in (3.0, 4.0)]
    assert facts_of(*moving).motion is not None
    assert facts_of(moving[0]).motion is None


def test_throughout_means_from_start_to_end_and_in_between() -> None:
    always = facts_of(*[detection(float(at), "car", 0.9) for at in range(40)])
    at_both_ends = facts_of(detection(0.0, "car", 0.9), detection(39.5, "car", 0.9))
    assert always.labels[0].is_throughout
    assert not at_both_ends.labels[0].is_throughout


def test_people_come_first_and_warnings_before_them() -> None:
    everywhere = [detection(float(at), "car", 0.9) for at in range(40)]
    people = [detection(at, "person", 0.9, box=APART) for at in (1.0, 2.0)]
    smoke = [detection(at, "Smoke", 0.9, box=[0.0, 0.8, 0.1, 0.1]) for at in (1.0, 2.0)]
    facts = facts_of(*everywhere, *people, *smoke)
    assert [fact.label for fact in facts.labels] == ["Smoke", "person", "car"]
    assert facts.alerts == ("Smoke",)


def _name(name: str, frames: int, distance: float) -> dict[str, Any]:
    return {
        "name": name,
        "frames": frames,
        "first_seen": 1.0,
        "last_seen": 9.0,
        "distance": distance,
    }


def test_a_name_is_a_fact_when_recognised_twice_or_very_surely() -> None:
    faces = {
        "backend": "face_recognition",
        "recognition": True,
        "enrolled": 3,
        "tolerance": 0.6,
    }
    names = [_name("twice", 2, 0.59), _name("sure", 1, 0.4), _name("doubtful", 1, 0.5)]
    facts = facts_of(faces=faces, names=names)
    assert [fact.name for fact in facts.names] == ["twice", "sure"]
    assert facts.recognition


def _track(number: int, frames: int, confidence: float) -> dict[str, Any]:
    best = {"timestamp": 1.0, "box": APART, "confidence": confidence}
    return {
        "track_id": number,
        "type": "object",
        "label": "person",
        "first_seen": 1.0,
        "last_seen": 2.0,
        "frames": frames,
        "best": best,
    }


@pytest.mark.parametrize(
    ("tracks", "told", "different"),
    [
        pytest.param([(5, 0.9)] * 4, 4, 4, id="four that were followed"),
        pytest.param([(5, 0.9)] * 4 + [(1, 0.9), (9, 0.3)], 6, 4, id="two ghosts among them"),
        pytest.param([(5, 0.9)], 2, None, id="fewer than at the same time"),
        pytest.param([], None, None, id="nothing was followed"),
    ],
)
def test_different_ones_are_solid_tracks(
    tracks: list[tuple[int, float]], told: int | None, different: int | None
) -> None:
    people = [
        detection(at, "person", 0.9, box=b) for at in (1.0, 2.0) for b in (APART, [0, 0, 1, 1])
    ]
    document = analytic(*people, tracks=[_track(n, *values) for n, values in enumerate(tracks)])
    document["labels"][0]["different"] = told
    validate_schema(document, schema_path("analytic"))
    assert build_facts(document, ZONE, RULE).labels[0].different == different


def test_thresholds_come_from_the_rule() -> None:
    document = analytic(detection(1.0, "dog", 0.65))
    strict = FactRule(min_frames=2, min_confidence=0.7)
    eager = FactRule(min_frames=1, min_confidence=0.2)
    assert build_facts(document, ZONE, strict).is_quiet
    assert not build_facts(analytic(detection(1.0, "dog", 0.3)), ZONE, eager).is_quiet


def test_the_start_is_local_and_the_end_crosses_a_change_of_daylight_saving_time() -> None:
    source = analytic()["source"] | {"start": "2026-11-01T05:59:00Z", "duration_s": 120.0}
    facts = build_facts(analytic(source=source), ZoneInfo("America/New_York"), RULE)
    assert facts.start.isoformat() == "2026-11-01T01:59:00-04:00"
    assert facts.end.isoformat() == "2026-11-01T01:01:00-05:00"
    assert facts.end - facts.start != timedelta(
        seconds=120
    )  # wall clocks of one zone: it fell back
    assert facts.start_is_certain


def test_a_file_time_is_an_uncertain_start() -> None:
    source = analytic()["source"] | {"start_origin": "mtime"}
    assert not build_facts(analytic(source=source), ZONE, RULE).start_is_certain
