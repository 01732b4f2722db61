"""What looking at one picture gives, in the units of the analytic."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["object", "face", "motion"]

Box = tuple[float, float, float, float]
"""left, top, width, height as fractions (0 to 1) of the upright picture."""

PERSON = "person"
FACE = "face"
MOTION = "motion"


@dataclass(frozen=True)
class Finding:
    """Something seen in one picture.

    Attributes:
        kind: object, face or motion.
        label: what it is, as the detector calls it.
        confidence: 0 to 1.
        box: where.
        track_id: which one it is, where a tracker can tell.
        name: the enrolled person, faces only.
        distance: how far the face is from that person's picture (face_recognition's measure).
    """

    kind: Kind
    label: str
    confidence: float
    box: Box
    track_id: int | None = None
    name: str | None = None
    distance: float | None = None

    def tracked_as(self, track_id: int) -> Finding:
        """Return the same finding with its track."""
        return replace(self, track_id=track_id)


@dataclass(frozen=True)
class Look:
    """One sampled picture and what was found in it.

    Attributes:
        time_s: seconds from the first picture.
        findings: what was seen.
    """

    time_s: float
    findings: tuple[Finding, ...]


def box_from_corners(sides: Iterable[float], width: int, height: int) -> Box:
    """Turn corners in pixels into fractions that stay inside the picture.

    Args:
        sides: left, top, right, bottom, pixels; may lie outside.
        width, height: of the picture, pixels.
    """
    left, top, right, bottom = (float(side) for side in sides)
    left, right = (min(max(x / width, 0.0), 1.0) for x in (left, right))
    top, bottom = (min(max(y / height, 0.0), 1.0) for y in (top, bottom))
    return (left, top, max(right - left, 0.0), max(bottom - top, 0.0))


def corners(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom in whole pixels of a picture of that size."""
    left, top, box_width, box_height = box
    return (
        round(left * width),
        round(top * height),
        round((left + box_width) * width),
        round((top + box_height) * height),
    )


def overlap(first: Box, second: Box) -> float:
    """Return intersection over union of two boxes, 0 to 1."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    inner = width * height
    return inner / (first[2] * first[3] + second[2] * second[3] - inner)
