"""From the raw output of a YOLOv8 network to boxes, as ``non_max_suppression`` of ultralytics does it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scan_video.pixels import Letterbox

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

MAX_BOXES = 300
_MAX_CANDIDATES = 30000
_CLASS_OFFSET = 7680.0

RAW_AXES = 2
BOX_ROWS = 4
END_TO_END_COLUMNS = 6


def decode_output(output: Floats, confidence: float, iou: float) -> tuple[Floats, Floats, Ints]:
    """Return the boxes of one picture, most confident first.

    Args:
        output: (4 + classes) x candidates: centre x and y, width, height in pixels of the network's
            input, then a score for each class; or boxes x 6 (corners, score, class) from networks that
            suppress doubles themselves.
        confidence: boxes at or below it are dropped.
        iou: of two boxes of a class that overlap by more, the weaker is dropped.

    Returns:
        corners (n x 4), scores (n) and classes (n); at most `MAX_BOXES`.
    """
    if output.shape[1] == END_TO_END_COLUMNS:
        rows = output[output[:, 4] > confidence][:MAX_BOXES]
        return rows[:, :4], rows[:, 4], rows[:, 5].astype(np.int64)
    best = output[BOX_ROWS:].max(axis=0)
    candidates = np.flatnonzero(best > confidence)
    candidates = candidates[np.argsort(-best[candidates], kind="stable")][:_MAX_CANDIDATES]
    chosen = output[:, candidates]
    classes = chosen[BOX_ROWS:].argmax(axis=0)
    corners = _corners(chosen[:BOX_ROWS])
    # Boxes of different classes are moved apart, so that only those of a class meet.
    offset = (classes * _CLASS_OFFSET).astype(np.float32)[:, None]
    keep = suppress(corners + offset, iou)[:MAX_BOXES]
    return corners[keep], best[candidates][keep], classes[keep]


def _corners(centred: Floats) -> Floats:
    x, y, half_width, half_height = centred[0], centred[1], centred[2] / 2, centred[3] / 2
    return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


def suppress(corners: Floats, iou: float) -> list[int]:
    """Return which boxes stay when each drops the weaker ones that overlap it by more than ``iou``.

    Args:
        corners: n x 4, strongest first.
        iou: intersection over union.
    """
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    left = np.arange(len(corners))
    keep = []
    while len(left):
        first, left = left[0], left[1:]
        keep.append(int(first))
        top_left = np.maximum(corners[first, :2], corners[left, :2])
        bottom_right = np.minimum(corners[first, 2:], corners[left, 2:])
        inner = np.clip(bottom_right - top_left, 0, None).prod(axis=1)
        left = left[inner / (areas[first] + areas[left] - inner) <= iou]
    return keep


def undo_letterbox(corners: Floats, fit: Letterbox) -> Floats:
    """Return corners in pixels of the picture, inside it (``scale_boxes`` of ultralytics)."""
    shifted = corners - np.array([fit.left, fit.top, fit.left, fit.top], dtype=np.float32)
    scaled: Floats = shifted / np.float32(fit.gain)
    scaled[:, 0::2] = scaled[:, 0::2].clip(0, fit.width)
    scaled[:, 1::2] = scaled[:, 1::2].clip(0, fit.height)
    return scaled
