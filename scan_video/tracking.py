"""Following things from picture to picture, where the pictures are close enough for that.

ByteTrack (Zhang et al. 2022) as the library ``trackers`` keeps it. It links boxes that overlap; at one
picture a second people and cars move further than their own width in between, so that every number it
gave would be made up. Then nothing is followed and the analytic says why.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Literal

import numpy as np

from scan_video.observations import Finding, Look, overlap

if TYPE_CHECKING:
    from trackers import ByteTrackTracker

MAX_INTERVAL_S = 0.5
_LOST_AFTER_S = 2.0
_FRAMES_OF_BUFFER_A_SECOND = 30
_CLEAR_CONFIDENCE = 0.4
_LEAST_OVERLAP = 0.1
_SCALE = 1000.0


@dataclass(frozen=True)
class TrackingChoice:
    """Whether things are followed, and why (or why not)."""

    method: Literal["bytetrack", "none"]
    reason: str


def choose_tracking(interval_s: float, *, is_embedded: bool) -> TrackingChoice:
    """Decide whether things can be followed.

    Args:
        interval_s: seconds between pictures.
        is_embedded: the detector is the embedded default, whose boxes come and go.
    """
    if interval_s > MAX_INTERVAL_S:
        return TrackingChoice(
            "none",
            f"a picture every {interval_s:g} s is too few to follow anything; "
            f"SCAN_INTERVAL_SECONDS={MAX_INTERVAL_S:g} or less is needed",
        )
    if is_embedded:
        return TrackingChoice("none", "the embedded detector misses too much to follow anything")
    if importlib.util.find_spec("trackers") is None:
        return TrackingChoice("none", "the library trackers is not installed")
    return TrackingChoice("bytetrack", f"a picture every {interval_s:g} s is enough to follow")


def follow_looks(looks: Sequence[Look], interval_s: float) -> list[Look]:
    """Return the looks, objects with their tracks.

    Each label is followed on its own, so that a person never turns into the bus behind.

    Args:
        looks: of one video, in the order of time.
        interval_s: seconds between them.
    """
    follower = _Follower(interval_s)
    followed = [Look(look.time_s, follower.follow(look)) for look in looks]
    return _with_first_sightings(followed)


def _with_first_sightings(looks: list[Look]) -> list[Look]:
    """Give each track the sighting before its first one.

    ByteTrack numbers a thing when it sees it for the second time.
    """
    known: set[int] = set()
    result = list(looks)
    for place, look in enumerate(looks):
        for finding in look.findings:
            if finding.track_id is None or finding.track_id in known:
                continue
            known.add(finding.track_id)
            if place > 0:
                result[place - 1] = _with_track(result[place - 1], finding, finding.track_id)
    return result


def _with_track(look: Look, later: Finding, track_id: int) -> Look:
    """Give a track to the untracked object that overlaps its next sighting most."""
    candidates = [
        (overlap(finding.box, later.box), place)
        for place, finding in enumerate(look.findings)
        if finding.track_id is None and (finding.kind, finding.label) == (later.kind, later.label)
    ]
    shared, place = max(candidates, default=(0.0, -1))
    if shared < _LEAST_OVERLAP:
        return look
    findings = list(look.findings)
    findings[place] = findings[place].tracked_as(track_id)
    return Look(look.time_s, tuple(findings))


class _Follower:
    """Takes the pictures of one video in order."""

    def __init__(self, interval_s: float) -> None:
        self._interval_s = interval_s
        self._labels: dict[str, _LabelFollower] = {}
        self._numbers = count(1)

    def follow(self, look: Look) -> tuple[Finding, ...]:
        """Return the findings of the next picture, objects with their track where there is one."""
        objects: dict[str, list[int]] = {label: [] for label in self._labels}
        for place, finding in enumerate(look.findings):
            if finding.kind == "object":
                objects.setdefault(finding.label, []).append(place)
        result = list(look.findings)
        for label, places in objects.items():
            follower = self._labels.get(label)
            if follower is None:
                follower = self._labels[label] = _LabelFollower(self._interval_s)
            tracks = follower.follow(look.time_s, [result[place] for place in places])
            for place, track in zip(places, tracks, strict=True):
                if track is not None:
                    result[place] = result[place].tracked_as(self._number(follower, track))
        return tuple(result)

    def _number(self, follower: _LabelFollower, track: int) -> int:
        if track not in follower.numbers:
            follower.numbers[track] = next(self._numbers)
        return follower.numbers[track]


class _LabelFollower:
    """A tracker for one label; its own numbers are turned into those of the video."""

    def __init__(self, interval_s: float) -> None:
        from trackers import ByteTrackTracker

        self.numbers: dict[int, int] = {}
        self._tracker: ByteTrackTracker = ByteTrackTracker(
            lost_track_buffer=round(_LOST_AFTER_S * _FRAMES_OF_BUFFER_A_SECOND),
            frame_rate=1 / interval_s,
            track_activation_threshold=_CLEAR_CONFIDENCE,
            high_conf_det_threshold=_CLEAR_CONFIDENCE,
            minimum_consecutive_frames=1,
            minimum_iou_threshold=_LEAST_OVERLAP,
        )

    def follow(self, time_s: float, findings: Sequence[Finding]) -> list[int | None]:
        """Return the tracker's number for each finding, None where it gives none."""
        import supervision

        boxes = np.array([finding.box for finding in findings], dtype=float).reshape(-1, 4) * _SCALE
        boxes[:, 2:] += boxes[:, :2]
        found = supervision.Detections(
            xyxy=boxes,
            confidence=np.array([finding.confidence for finding in findings], dtype=float),
            data={"place": np.arange(len(findings))},
        )
        tracked = self._tracker.update(found, timestamp=time_s)
        tracks: list[int | None] = [None] * len(findings)
        numbers = np.array(tracked.tracker_id, dtype=int).ravel()
        for place, track in zip(tracked.data.get("place", ()), numbers, strict=True):
            tracks[int(place)] = int(track) if track >= 0 else None
        return tracks
