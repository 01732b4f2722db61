"""Blurring faces in live pictures, with the cascades that OpenCV brings along.

They find most faces that look towards the camera or to the side, from about 60 pixels of 1280 on, and miss some:
docs/mirror.md. What was a face stays blurred for a second, so that one missed frame shows nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Region = tuple[int, int, int, int]
"""left, top, right, bottom, pixels"""

HELD_S = 1.0
_CASCADES = (
    "haarcascade_frontalface_alt2.xml",
    "haarcascade_frontalface_default.xml",
    "haarcascade_profileface.xml",
)
_SEARCHED_WIDTH = 640
_LEAST_FACE = 20
_CONTRAST = 2.0
_CONTRAST_TILES = (8, 8)
_SCALE = 1.15
_NEIGHBOURS = 3
_MARGIN = 0.3
_MOSAIC = 8


@dataclass(frozen=True)
class _Held:
    region: Region
    until: float


class FaceBlur:
    """Blurs faces; keeps blurring where one was a moment ago.

    Raises:
        ImportError: the cascades are not there, and nothing could be found.
    """

    def __init__(self) -> None:
        folder = Path(cv2.__file__).with_name("data")
        self._cascades = [cv2.CascadeClassifier(str(folder / name)) for name in _CASCADES]
        if any(cascade.empty() for cascade in self._cascades):
            raise ImportError("the cascades of OpenCV are missing")
        # What is dark in one part of the picture is lit up there alone.
        self._lighting = cv2.createCLAHE(_CONTRAST, _CONTRAST_TILES)
        self._held: list[_Held] = []

    def __call__(self, image: Image) -> Image:
        """Return the picture, BGR, with faces blurred; it is changed in place."""
        now = time.monotonic()
        found = [_Held(region, now + HELD_S) for region in self.find(image)]
        self._held = [each for each in self._held if each.until > now] + found
        for each in self._held:
            cover(image, each.region)
        return image

    def find(self, image: Image) -> list[Region]:
        """Return the faces in a picture, with a margin around each."""
        height, width = image.shape[:2]
        scale = min(_SEARCHED_WIDTH / width, 1.0)
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small: Any = self._lighting.apply(cv2.resize(grey, size, interpolation=cv2.INTER_AREA))
        faces = [face for cascade in self._cascades for face in _detect(cascade, small)]
        side = self._cascades[-1]
        # The cascade knows faces that look to the left; in a mirror the others do.
        faces += [
            (small.shape[1] - x - w, y, w, h) for x, y, w, h in _detect(side, cv2.flip(small, 1))
        ]
        return [_region(face, scale, width, height) for face in faces]


def _detect(cascade: cv2.CascadeClassifier, grey: Any) -> list[tuple[int, int, int, int]]:
    faces = cascade.detectMultiScale(
        grey, scaleFactor=_SCALE, minNeighbors=_NEIGHBOURS, minSize=(_LEAST_FACE, _LEAST_FACE)
    )
    return [(int(x), int(y), int(w), int(h)) for x, y, w, h in faces]


def _region(face: tuple[int, int, int, int], scale: float, width: int, height: int) -> Region:
    x, y, w, h = (value / scale for value in face)
    margin_x, margin_y = w * _MARGIN, h * _MARGIN
    return (
        max(0, int(x - margin_x)),
        max(0, int(y - margin_y)),
        min(width, int(x + w + margin_x) + 1),
        min(height, int(y + h + margin_y) + 1),
    )


def cover(image: Image, region: Region) -> None:
    """Make a mosaic of a part of a picture, in place: too few squares to tell a face by."""
    left, top, right, bottom = region
    part = image[top:bottom, left:right]
    if part.size == 0:
        return
    squares = cv2.resize(part, (_MOSAIC, _MOSAIC), interpolation=cv2.INTER_AREA)
    image[top:bottom, left:right] = cv2.resize(
        squares, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR
    )
