"""Finding faces where people are, with the HOG face detector that face_recognition uses.

Finding needs dlib only; face_recognition itself loads 130 MB of models and is imported when people are
to be recognised (`recognition`).
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from scan_video.observations import FACE, PERSON, Box, Finding, box_from_corners, corners, overlap
from scan_video.pixels import Image

Region = tuple[int, int, int, int]
"""left, top, right, bottom in pixels."""

_DETECTABLE_FACE = 80
_AIMED_FACE = 96
_MAX_ENLARGEMENT = 2.0
_STANDING_SHAPE = 2.0
_FACE_OF_STANDING = 1 / 8
_FACE_OF_OTHERS = 1 / 3
_HEAD_PART_OF_STANDING = 0.4
_HEAD_PART_OF_OTHERS = 0.75
_MARGIN = 0.1
_MAX_PEOPLE = 8
_SMALLEST_PERSON = 16
_WHOLE_PICTURE_SIDE = 720
_SAME_FACE = 0.3


@dataclass(frozen=True)
class Search:
    """Where to look for faces, and how much to enlarge (above 1) or reduce it before."""

    region: Region
    scale: float


def dlib_is_installed() -> bool:
    """Tell whether faces can be searched here."""
    try:
        import dlib  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        return False
    return True


class FaceFinder:
    """Searches faces. Safe to use on several threads."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._first_use = threading.Lock()

    def find(self, image: Image, people: Sequence[Finding], *, everywhere: bool) -> list[Finding]:
        """Return the faces in an upright picture.

        Args:
            image: the picture.
            people: what the detector found; only persons count.
            everywhere: search the whole picture, reduced, when there is no person. For detectors that
                overlook people.
        """
        height, width = image.shape[:2]
        searches = plan_searches(people, width, height)
        if everywhere and not any(finding.label == PERSON for finding in people):
            scale = min(_WHOLE_PICTURE_SIDE / max(width, height), 1.0)
            searches = [Search((0, 0, width, height), scale)]
        return _without_doubles([face for search in searches for face in self._run(image, search)])

    def find_everywhere(self, image: Image) -> list[Finding]:
        """Return the faces of a whole picture, from 40 pixels on; slow."""
        height, width = image.shape[:2]
        return self._run(image, Search((0, 0, width, height), _MAX_ENLARGEMENT))

    def _run(self, image: Image, search: Search) -> list[Finding]:
        left, top, right, bottom = search.region
        scale = search.scale
        part = image[top:bottom, left:right]
        if scale != 1:
            how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=how).astype(np.uint8)
        rectangles, margins, _ = self._detector().run(np.ascontiguousarray(part[..., ::-1]), 0, 0.0)
        height, width = image.shape[:2]
        return [
            Finding(
                kind="face",
                label=FACE,
                confidence=confidence_from_margin(margin),
                box=box_from_corners(
                    (
                        left + rectangle.left() / scale,
                        top + rectangle.top() / scale,
                        left + (rectangle.right() + 1) / scale,
                        top + (rectangle.bottom() + 1) / scale,
                    ),
                    width,
                    height,
                ),
            )
            for rectangle, margin in zip(rectangles, margins, strict=True)
        ]

    def _detector(self) -> Any:
        # A detector keeps its picture pyramid in itself, so each thread has its own.
        if not hasattr(self._own, "detector"):
            import dlib

            with self._first_use:
                detector = dlib.get_frontal_face_detector()
                # Bindings set up static data on their first call, which must be made alone.
                detector.run(np.zeros((8, 8, 3), dtype=np.uint8), 0, 0.0)
            self._own.detector = detector
        return self._own.detector


def plan_searches(findings: Sequence[Finding], width: int, height: int) -> list[Search]:
    """Return where heads may be: the upper part of each person, the largest people first.

    Left out are people too small for a face to be found, and regions inside another one.

    Args:
        findings: only persons count.
        width, height: of the picture, pixels.
    """
    people = [finding.box for finding in findings if finding.label == PERSON]
    people.sort(key=lambda box: -box[2] * box[3])
    searches: list[Search] = []
    for box in people[:_MAX_PEOPLE]:
        search = _plan_search(box, width, height)
        if search and not any(_is_inside(search.region, other.region) for other in searches):
            searches.append(search)
    return searches


def _plan_search(box: Box, width: int, height: int) -> Search | None:
    """Plan for one person; the scale makes the smallest face to expect just large enough.

    A standing person's face is about an eighth of the height; of somebody who sits, or is seen in
    part, it is at least a third of the width.
    """
    left, top, right, bottom = corners(box, width, height)
    wide, high = right - left, bottom - top
    if min(wide, high) < _SMALLEST_PERSON:
        return None
    is_standing = high >= _STANDING_SHAPE * wide
    face = high * _FACE_OF_STANDING if is_standing else wide * _FACE_OF_OTHERS
    if face * _MAX_ENLARGEMENT < _DETECTABLE_FACE / 2:
        return None
    part = _HEAD_PART_OF_STANDING if is_standing else _HEAD_PART_OF_OTHERS
    region = (
        max(round(left - wide * _MARGIN), 0),
        max(round(top - high * _MARGIN / 2), 0),
        min(round(right + wide * _MARGIN), width),
        min(round(top + high * part), height),
    )
    return Search(region, min(_AIMED_FACE / face, _MAX_ENLARGEMENT))


def _is_inside(inner: Region, outer: Region) -> bool:
    return (
        inner[0] >= outer[0]
        and inner[1] >= outer[1]
        and inner[2] <= outer[2]
        and inner[3] <= outer[3]
    )


def confidence_from_margin(margin: float) -> float:
    """Return a confidence, 0.5 to 1, for a margin that the detector accepts (0 or more).

    1 - exp(-m) / 2: a scale that grows with the margin, not a probability.
    """
    return float(1 - np.exp(-max(margin, 0.0)) / 2)


def _without_doubles(found: list[Finding]) -> list[Finding]:
    """Drop faces that two overlapping regions both hold."""
    kept: list[Finding] = []
    for face in sorted(found, key=lambda finding: -finding.confidence):
        if all(overlap(face.box, other.box) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept
