"""Things are followed only where the pictures are close enough for that."""

from __future__ import annotations

import pytest

from scan_video.observations import Finding, Look
from scan_video.tracking import choose_tracking, follow_looks

INTERVAL_S = 0.5


def walker(label: str, left: float, confidence: float = 0.9) -> Finding:
    return Finding("object", label, confidence, (left, 0.2, 0.1, 0.4))


def test_one_picture_a_second_is_too_few() -> None:
    choice = choose_tracking(1.0, is_embedded=False)
    assert choice.method == "none"
    assert "SCAN_INTERVAL_SECONDS=0.5" in choice.reason


def test_the_embedded_detector_is_not_followed() -> None:
    assert choose_tracking(0.2, is_embedded=True).method == "none"


class TestWithByteTrack:
    """The real library."""

    @pytest.fixture(autouse=True)
    def _library(self) -> None:
        pytest.importorskip("trackers", reason="the library trackers is not installed")

    def test_it_is_chosen_where_it_can_tell(self) -> None:
        assert choose_tracking(0.5, is_embedded=False).method == "bytetrack"

    def test_who_walks_on_stays_the_same(self) -> None:
        looks = [
            Look(n * INTERVAL_S, (walker("person", 0.1 + 0.02 * n), walker("car", 0.7)))
            for n in range(8)
        ]
        followed = follow_looks(looks, INTERVAL_S)
        tracks = [{x.label: x.track_id for x in look.findings} for look in followed]
        assert all(track == tracks[0] for track in tracks)
        assert None not in tracks[0].values()
        assert tracks[0]["person"] != tracks[0]["car"]

    def test_who_leaves_and_who_comes_are_different(self) -> None:
        first = [Look(n * INTERVAL_S, (walker("person", 0.1),)) for n in range(4)]
        pause = [Look((4 + n) * INTERVAL_S, ()) for n in range(12)]
        second = [Look((16 + n) * INTERVAL_S, (walker("person", 0.8),)) for n in range(4)]
        followed = follow_looks([*first, *pause, *second], INTERVAL_S)
        ids = [x.track_id for look in followed for x in look.findings]
        assert len(set(ids)) == 2
        assert ids[:4] == [ids[0]] * 4

    def test_faces_and_single_sightings_have_no_track(self) -> None:
        face = Finding("face", "face", 0.9, (0.1, 0.2, 0.1, 0.1))
        looks = [Look(0.0, (face, walker("person", 0.5))), Look(0.5, (face,)), Look(1.0, (face,))]
        assert {x.track_id for look in follow_looks(looks, 0.5) for x in look.findings} == {None}

    def test_nothing_is_added_or_lost(self) -> None:
        looks = [
            Look(n * INTERVAL_S, tuple(walker("dog", 0.1 * x, 0.3 + 0.1 * x) for x in range(n % 4)))
            for n in range(12)
        ]
        followed = follow_looks(looks, INTERVAL_S)
        assert [look.time_s for look in followed] == [look.time_s for look in looks]
        for before, after in zip(looks, followed, strict=True):
            assert [x.box for x in before.findings] == [x.box for x in after.findings]
