"""Which pictures to look at, and the least that must be decoded to get them.

A picture for each multiple of the interval: a keyframe where one is near enough, else the nearest
picture that others depend on anyway. Of a group of pictures only what leads up to the last wanted one
is decoded; pictures that nothing depends on, and the rest of the group, are left alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scan_video.packets import BoolArray, IntArray, PacketTable
from scan_video.timeline import FloatArray, Timeline

Method = Literal["keyframes", "reference_frames", "all_frames"]

KEYFRAME_TOLERANCE = 0.1
"""A keyframe serves when it is off by at most this share of the interval."""

_NO_FRAME = -1
_ROUNDING_S = 1e-6


@dataclass(frozen=True, eq=False)
class Segment:
    """Packets that are decoded together, from a keyframe to the last wanted picture.

    Attributes:
        feed: packet numbers to give to the decoder, ascending.
        wanted: packet numbers of the wanted pictures, in the order of showing.
    """

    feed: IntArray
    wanted: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class SamplingPlan:
    """What to decode.

    Attributes:
        method: keyframes: only these; reference_frames: from each keyframe on what the wanted pictures
            need; all_frames: everything.
        segments: in the order of the file.
        times: seconds of each wanted picture from the first one of the file, in the order of `segments`.
        counts_output: a wanted number is a place among the pictures that the decoder gives out, not a
            packet's number.
    """

    method: Method
    segments: tuple[Segment, ...]
    times: tuple[float, ...]
    counts_output: bool = False


def plan_sampling(table: PacketTable, timeline: Timeline, interval_s: float) -> SamplingPlan:
    """Choose pictures and packets.

    Args:
        table: the packets.
        timeline: their times.
        interval_s: seconds between pictures.
    """
    if timeline.is_rebuilt and not table.keys.all():
        return plan_all_frames(timeline, interval_s)
    groups = _group_starts(table.keys)
    is_eligible = ~table.spare & ~_is_leading(timeline.times, groups)
    wanted = _choose(timeline.times, table.keys, is_eligible, interval_s)
    segments = _segments(wanted, groups, is_eligible)
    only_keys = all(table.keys[segment.feed[0]] and len(segment.feed) == 1 for segment in segments)
    return SamplingPlan(
        method="keyframes" if only_keys else "reference_frames",
        segments=segments,
        times=tuple(float(timeline.times[number]) for number in wanted),
    )


def plan_all_frames(timeline: Timeline, interval_s: float) -> SamplingPlan:
    """Plan to decode everything and to pick pictures as they come.

    For files whose times or dependencies cannot be trusted.
    """
    count = len(timeline.times)
    wanted = _choose(
        timeline.times, np.zeros(count, dtype=bool), np.ones(count, dtype=bool), interval_s
    )
    return SamplingPlan(
        method="all_frames",
        segments=(Segment(feed=np.arange(count), wanted=wanted),),
        times=tuple(float(timeline.times[number]) for number in wanted),
        counts_output=timeline.is_rebuilt,
    )


def _group_starts(keys: BoolArray) -> IntArray:
    """Return, for each packet, the number of the packet that its group starts with."""
    starts = np.where(keys, np.arange(len(keys)), 0)
    return np.maximum.accumulate(starts).astype(np.int64)


def _is_leading(times: FloatArray, groups: IntArray) -> BoolArray:
    """Tell which pictures are shown before the keyframe that precedes them in the file.

    They may need the group before, which is not decoded to its end.
    """
    leading: BoolArray = times < times[groups]
    return leading


def _choose(
    times: FloatArray, keys: BoolArray, is_eligible: BoolArray, interval_s: float
) -> tuple[int, ...]:
    """Return the packet numbers of the wanted pictures, in the order of showing."""
    # Only multiples that a picture is near to: a file may claim a gap of years.
    targets = np.unique(np.rint(times / interval_s)) * interval_s
    targets = targets[targets <= times.max(initial=0.0) + _ROUNDING_S]
    by_key = _nearest(times, np.flatnonzero(keys & is_eligible), targets)
    by_any = _nearest(times, np.flatnonzero(is_eligible), targets)
    key_fits = _distance(times, by_key, targets) <= KEYFRAME_TOLERANCE * interval_s + _ROUNDING_S
    chosen = np.where(key_fits, by_key, by_any)
    # In a gap of the recording the nearest picture belongs to another target.
    is_near = _distance(times, chosen, targets) <= interval_s / 2 + _ROUNDING_S
    is_near[:1] = chosen[:1] != _NO_FRAME
    unique = np.unique(chosen[is_near])
    return tuple(int(number) for number in unique[np.argsort(times[unique], kind="stable")])


def _nearest(times: FloatArray, candidates: IntArray, targets: FloatArray) -> IntArray:
    """Return for each target the candidate whose time is nearest, `_NO_FRAME` without any."""
    if len(candidates) == 0:
        return np.full(len(targets), _NO_FRAME, dtype=np.int64)
    by_time = candidates[np.argsort(times[candidates], kind="stable")]
    sorted_times = times[by_time]
    right = np.clip(np.searchsorted(sorted_times, targets), 0, len(by_time) - 1)
    left = np.maximum(right - 1, 0)
    is_left_nearer = targets - sorted_times[left] <= sorted_times[right] - targets
    nearest: IntArray = by_time[np.where(is_left_nearer, left, right)]
    return nearest


def _distance(times: FloatArray, chosen: IntArray, targets: FloatArray) -> FloatArray:
    return np.where(chosen == _NO_FRAME, np.inf, np.abs(times[chosen] - targets))


def _segments(
    wanted: Sequence[int], groups: IntArray, is_eligible: BoolArray
) -> tuple[Segment, ...]:
    by_group: dict[int, list[int]] = {}
    for number in wanted:
        by_group.setdefault(int(groups[number]), []).append(number)
    return tuple(
        Segment(
            feed=start + np.flatnonzero(is_eligible[start : max(members) + 1]),
            wanted=tuple(members),
        )
        for start, members in sorted(by_group.items())
    )
