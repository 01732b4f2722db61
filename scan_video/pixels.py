"""From a decoded frame to arrays: upright, and fitted into a network's input as ultralytics does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Image = npt.NDArray[np.uint8]
"""Height x width x 3, blue first."""

Blob = npt.NDArray[np.float32]
"""1 x 3 x height x width, red first, 0 to 1."""

PADDING = 114
"""Grey of the border that `letterbox` adds, as in ultralytics."""

_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def upright_image(frame: VideoFrame, rotation: int) -> Image:
    """Return a frame's pixels, turned clockwise by ``rotation`` degrees (0, 90, 180, 270)."""
    # On one thread: pictures are looked at on several already.
    image = frame.to_ndarray(format="bgr24", threads=1).astype(np.uint8, copy=False)
    return turn(image, rotation)


def reduce_frame(frame: VideoFrame, max_side: int) -> VideoFrame:
    """Return a frame, reduced so that its longer side has at most ``max_side`` pixels."""
    scale = max_side / max(frame.width, frame.height)
    if scale >= 1:
        return frame
    # Even sides: most pixel formats hold colour at half the size.
    width, height = (max(round(side * scale / 2) * 2, 2) for side in (frame.width, frame.height))
    return frame.reformat(width=width, height=height, threads=1)


def turn(image: Image, rotation: int) -> Image:
    """Return an image turned clockwise by ``rotation`` degrees (0, 90, 180, 270)."""
    if rotation == 0:
        return image
    return cv2.rotate(image, _TURNS[rotation]).astype(np.uint8, copy=False)


def shrink(image: Image, max_side: int) -> Image:
    """Return an image whose longer side has at most ``max_side`` pixels."""
    height, width = image.shape[:2]
    scale = max_side / max(height, width)
    if scale >= 1:
        return image
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


@dataclass(frozen=True)
class Letterbox:
    """How a picture was fitted into a network's input.

    Attributes:
        gain: pixels of the input for one pixel of the picture.
        left, top: border, pixels of the input.
        width, height: of the picture, pixels.
    """

    gain: float
    left: int
    top: int
    width: int
    height: int


def letterbox(image: Image, input_height: int, input_width: int) -> tuple[Image, Letterbox]:
    """Scale a picture to fit and centre it on grey.

    The same arithmetic as ``LetterBox(auto=False)`` and ``scale_boxes`` of ultralytics 8.4, so that
    boxes come out the same.
    """
    height, width = image.shape[:2]
    gain = min(input_height / height, input_width / width)
    fitted = (max(round(width * gain), 1), max(round(height * gain), 1))
    if fitted != (width, height):
        image = cv2.resize(image, fitted, interpolation=cv2.INTER_LINEAR).astype(
            np.uint8, copy=False
        )
    spare_x, spare_y = (input_width - fitted[0]) / 2, (input_height - fitted[1]) / 2
    left, right = round(spare_x - 0.1), round(spare_x + 0.1)
    top, bottom = round(spare_y - 0.1), round(spare_y + 0.1)
    padded = cv2.copyMakeBorder(
        image, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(PADDING, PADDING, PADDING)
    )
    return padded.astype(np.uint8, copy=False), Letterbox(gain, left, top, width, height)


def to_blob(image: Image) -> Blob:
    """Return a picture as a network's input."""
    blob = cv2.dnn.blobFromImage(image, scalefactor=1 / 255, swapRB=True)
    return blob.astype(np.float32, copy=False)
