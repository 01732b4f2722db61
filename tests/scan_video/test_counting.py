"""Counts are true of the pictures looked at, and say no more than that."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.counting import (
    activity_by_minute,
    collect_tracks,
    count_labels,
    count_names,
)
from scan_video.observations import Finding, Look

BOX = (0.1, 0.1, 0.2, 0.4)


def seen(label: str, confidence: float = 0.9, track: int | None = None) -> Finding:
    return Finding("object", label, confidence, BOX, track_id=track)


def face(name: str | None = None, distance: float | None = None) -> Finding:
    return Finding("face", "face", 0.8, BOX, name=name, distance=distance)


def test_the_peak_is_what_was_seen_at_the_same_time() -> None:
    looks = [
        Look(0.0, (seen("person"),)),
        Look(1.0, (seen("person"), seen("person", 0.3), seen("dog"))),
        Look(2.0, (seen("person"), seen("person"))),
        Look(3.0, ()),
    ]
    person, dog = count_labels(looks, 0.4, is_tracked=False)
    assert (person.label, person.peak, person.peak_at, person.frames) == ("person", 2, 1.0, 3)
    assert (person.first_seen, person.last_seen, person.different) == (0.0, 2.0, None)
    assert (dog.peak, dog.frames, dog.first_seen, dog.last_seen) == (1, 1, 1.0, 1.0)


def test_a_picture_is_confident_by_its_best_finding() -> None:
    looks = [
        Look(0.0, (seen("vase", 0.3), seen("vase", 0.4))),
        Look(1.0, (seen("vase", 0.39),)),
    ]
    (vase,) = count_labels(looks, 0.4, is_tracked=False)
    assert (vase.confident_frames, vase.max_confidence) == (1, 0.4)


def test_the_same_label_of_another_kind_is_counted_apart() -> None:
    looks = [Look(0.0, (seen("face"), face()))]
    assert {(count.kind, count.peak) for count in count_labels(looks, 0.4, is_tracked=False)} == {
        ("object", 1),
        ("face", 1),
    }


def test_different_ones_are_counted_only_with_a_tracker() -> None:
    looks = [
        Look(0.0, (seen("car", track=1), seen("car", track=2))),
        Look(0.5, (seen("car", track=3), seen("car"))),
    ]
    (tracked,) = count_labels(looks, 0.4, is_tracked=True)
    assert tracked.different == 3
    (untracked,) = count_labels([Look(0.0, (seen("car"), seen("car")))], 0.4, is_tracked=True)
    assert untracked.different == 2


def test_names_are_counted_once_a_picture_with_their_nearest_distance() -> None:
    looks = [
        Look(0.0, (face("Ana", 0.5), face("Ana", 0.4), face("Rui", 0.3))),
        Look(2.0, (face("Ana", 0.45), face())),
    ]
    ana, rui = count_names(looks)
    assert (ana.name, ana.frames, ana.first_seen, ana.last_seen, ana.distance) == (
        *("Ana", 2, 0.0, 2.0, 0.4),
    )
    assert (rui.name, rui.frames) == ("Rui", 1)


def test_a_track_knows_its_best_sighting() -> None:
    looks = [Look(0.0, (seen("car", 0.5, 7),)), Look(0.5, (seen("car", 0.8, 7), seen("dog")))]
    (track,) = collect_tracks(looks)
    assert (track.track_id, track.first_seen, track.last_seen, track.frames) == (7, 0.0, 0.5, 2)
    assert (track.best_at, track.best_confidence) == (0.5, 0.8)


def test_minutes_without_anything_are_there_too() -> None:
    looks = [Look(0.0, (seen("dog"),)), Look(59.9, (seen("dog"), seen("dog"))), Look(61.0, ())]
    first, second = activity_by_minute(looks)
    assert (first.minute, first.detections, first.peak) == (0, 3, {"dog": 2})
    assert (second.minute, second.detections, second.peak) == (1, 0, {})


findings = st.builds(
    seen,
    st.sampled_from(["person", "dog", "car"]),
    st.floats(0, 1, allow_nan=False),
    st.none() | st.integers(1, 5),
)


@st.composite
def many_looks(draw: st.DrawFn) -> list[Look]:
    times = sorted(draw(st.sets(st.integers(0, 400), min_size=1, max_size=12)))
    return [Look(time / 2, tuple(draw(st.lists(findings, max_size=5)))) for time in times]


@given(many_looks(), st.booleans())
def test_counts_agree_with_the_looks(looks: list[Look], is_tracked: bool) -> None:
    for count in count_labels(looks, 0.4, is_tracked=is_tracked):
        per_look = [
            (look.time_s, [one for one in look.findings if one.label == count.label])
            for look in looks
        ]
        shown = [(time_s, group) for time_s, group in per_look if group]
        assert count.peak == max(len(group) for _, group in shown)
        assert (count.peak_at, count.peak) in [(time_s, len(group)) for time_s, group in shown]
        assert (count.first_seen, count.last_seen) == (shown[0][0], shown[-1][0])
        assert count.frames == len(shown)
        assert 0 <= count.confident_frames <= count.frames
        assert count.different is None or count.different >= count.peak


@given(many_looks())
def test_activity_adds_up(looks: list[Look]) -> None:
    minutes = activity_by_minute(looks)
    assert sum(minute.detections for minute in minutes) == sum(len(x.findings) for x in looks)
    assert [minute.minute for minute in minutes] == sorted({int(x.time_s // 60) for x in looks})
    peaks: Counter[str] = Counter()
    for minute in minutes:
        for label, peak in minute.peak.items():
            peaks[label] = max(peaks[label], peak)
    assert peaks == {c.label: c.peak for c in count_labels(looks, 0.4, is_tracked=False)}


def test_nothing_seen_is_nothing_counted() -> None:
    assert count_labels([Look(0.0, ())], 0.4, is_tracked=False) == []
    assert pytest.approx(0) == activity_by_minute([Look(0.0, ())])[0].detections
