"""One thing, two labels: find the labels that are only another label's shadow."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

DOUBLE_IOU = 0.7
"""From this intersection over union on, two boxes are one thing."""

Box = Sequence[float]
"""Left, top, width, height, as fractions of the picture."""

_Boxes = list[tuple[str, Box]]


def find_doubles(
    detections: Iterable[Mapping[str, Any]], frames: Mapping[str, int]
) -> frozenset[str]:
    """Return the labels that mostly sit where a more frequent label sits.

    Args:
        detections: those of an analytic; only objects are looked at.
        frames: for each label that is a candidate, the number of frames that show it.

    Returns:
        The labels of which at least half of the frames coincide with one and the same other label
        that more frames show.
    """
    together: dict[tuple[str, str], int] = defaultdict(int)
    for boxes in _by_frame(detections, frames).values():
        for pair in set(_coinciding(boxes)):
            together[pair] += 1
    return frozenset(
        rarer
        for (one, other), shared in together.items()
        for rarer, commoner in ((one, other), (other, one))
        if frames[rarer] < frames[commoner] and 2 * shared >= frames[rarer]
    )


def _by_frame(
    detections: Iterable[Mapping[str, Any]], frames: Mapping[str, int]
) -> dict[float, _Boxes]:
    by_frame: dict[float, _Boxes] = defaultdict(list)
    for detection in detections:
        if detection["type"] == "object" and detection["label"] in frames:
            by_frame[detection["timestamp"]].append((detection["label"], detection["box"]))
    return by_frame


def _coinciding(boxes: _Boxes) -> Iterator[tuple[str, str]]:
    """Yield each pair of different labels (sorted) that share a spot; a sweep from left to right.

    Boxes that overlap so much start within (1 - IoU) of the narrower one's width of each other.
    """
    boxes = sorted(boxes, key=lambda entry: entry[1][0])
    for index, (label, box) in enumerate(boxes):
        for other, other_box in boxes[index + 1 :]:
            if other_box[0] - box[0] > (1 - DOUBLE_IOU) * box[2]:
                break
            if other != label and intersection_over_union(box, other_box) >= DOUBLE_IOU:
                yield min(label, other), max(label, other)


def intersection_over_union(one: Box, other: Box) -> float:
    """Return the area that two boxes share, as a fraction of the area that they cover."""
    width = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    height = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
