"""The default without weights: people by OpenCV's HOG detector, and motion against the background.

Far weaker than YOLO: it finds people who stand upright and are seen whole, and nothing else by name.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from scan_video.detectors import DetectorFacts
from scan_video.nms import suppress
from scan_video.observations import MOTION, PERSON, Finding, box_from_corners
from scan_video.pixels import Image, shrink

SEARCHED_SIDE = 640
"""Pictures are searched at most this large: people of 128 pixels or more are found."""

_WINDOW_WIDTH, _WINDOW_HEIGHT = 64, 128
_OVERLAP = 0.4
_MOTION_SIDE = 320
_MOTION_CONTRAST = 25
_MIN_MOTION_AREA = 0.004
_MAX_MOTION_SHARE = 0.7
_BACKGROUND_WEIGHT = 0.3
_MAX_MOTIONS = 20

Gray = npt.NDArray[np.uint8]


class EmbeddedDetector:
    """People by histograms of oriented gradients (Dalal and Triggs 2005), OpenCV's trained detector."""

    def __init__(self, confidence: float) -> None:
        self.facts = DetectorFacts(
            backend="embedded",
            name="OpenCV HOG people + motion",
            weights_hash=None,
            confidence=confidence,
            iou=_OVERLAP,
        )
        self._hog = cv2.HOGDescriptor()
        self._hog.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector()))

    def detect(self, image: Image) -> list[Finding]:
        """Return the people in an upright picture, most confident first."""
        searched = _at_least_window(shrink(image, SEARCHED_SIDE))
        height, width = searched.shape[:2]
        rectangles, margins = self._hog.detectMultiScale(
            searched, winStride=(8, 8), padding=(8, 8), scale=1.05
        )
        scores = np.array([confidence_from_margin(m) for m in np.ravel(margins)], dtype=np.float32)
        order = np.argsort(-scores, kind="stable")
        order = order[scores[order] > self.facts.confidence]
        corners = np.array(rectangles, dtype=np.float32).reshape(-1, 4)[order]
        corners[:, 2:] += corners[:, :2]
        return [
            Finding(
                kind="object",
                label=PERSON,
                confidence=float(scores[order][number]),
                box=box_from_corners(corners[number], width, height),
            )
            for number in suppress(corners, _OVERLAP)
        ]


def confidence_from_margin(margin: float) -> float:
    """Return a confidence, 0 to 1, for the distance from a support vector machine's boundary.

    m / (1 + m): grows with the margin, 0.5 at margin 1. A scale, not a probability.
    """
    margin = max(float(margin), 0.0)
    return margin / (1 + margin)


def _at_least_window(image: Image) -> Image:
    """Return a picture that the detector's window fits into."""
    height, width = image.shape[:2]
    scale = max(_WINDOW_WIDTH / width, _WINDOW_HEIGHT / height)
    if scale <= 1:
        return image
    size = (int(np.ceil(width * scale)), int(np.ceil(height * scale)))
    return cv2.resize(image, size).astype(np.uint8, copy=False)


def motion_view(image: Image) -> Gray:
    """Return the small, soft grey picture in which motion is looked for."""
    gray = cv2.cvtColor(shrink(image, _MOTION_SIDE), cv2.COLOR_BGR2GRAY)
    return cv2.GaussianBlur(gray, (5, 5), 0).astype(np.uint8, copy=False)


class MotionWatcher:
    """Finds what differs from the background; takes the pictures of one video in order."""

    def __init__(self) -> None:
        self._background: npt.NDArray[np.float32] | None = None

    def watch(self, view: Gray) -> list[Finding]:
        """Return where the picture moves, largest first.

        Args:
            view: of `motion_view`.
        """
        if self._background is None or self._background.shape != view.shape:
            self._background = view.astype(np.float32)
            return []
        difference = np.abs(view.astype(np.float32) - self._background)
        cv2.accumulateWeighted(view, self._background, _BACKGROUND_WEIGHT)
        changed = (difference > _MOTION_CONTRAST).astype(np.uint8)
        if changed.mean() > _MAX_MOTION_SHARE:
            # The light changed or the camera turned: nothing in particular moved.
            return []
        return _moving_regions(changed)


def _moving_regions(changed: Gray) -> list[Finding]:
    height, width = changed.shape
    joined = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((9, 9), dtype=np.uint8))
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    found = []
    for contour in contours:
        left, top, box_width, box_height = cv2.boundingRect(contour)
        sides = (left, top, left + box_width, top + box_height)
        inside = changed[top : top + box_height, left : left + box_width]
        if inside.sum() < _MIN_MOTION_AREA * height * width:
            continue
        box = box_from_corners(sides, width, height)
        found.append(Finding("motion", MOTION, float(inside.mean()), box))
    found.sort(key=lambda finding: -finding.box[2] * finding.box[3])
    return found[:_MAX_MOTIONS]
