"""Raw output becomes boxes as ultralytics makes them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.nms import MAX_BOXES, decode_output, suppress, undo_letterbox
from scan_video.pixels import Letterbox

LABELS = 3


def output(*rows: tuple[float, float, float, float, list[float]]) -> np.ndarray:
    """Return raw output; rows are centre x and y, width, height, scores."""
    return np.array([[*row[:4], *row[4]] for row in rows], dtype=np.float32).T.copy()


def test_the_weaker_of_two_boxes_of_a_label_goes() -> None:
    raw = output(
        (50, 50, 20, 20, [0.6, 0, 0]), (51, 50, 20, 20, [0.9, 0, 0]), (90, 90, 9, 9, [0.5, 0, 0])
    )
    corners, scores, classes = decode_output(raw, 0.25, 0.7)
    assert scores.tolist() == pytest.approx([0.9, 0.5])
    assert corners[0].tolist() == [41, 40, 61, 60]
    assert classes.tolist() == [0, 0]


def test_boxes_of_different_labels_stay() -> None:
    raw = output((50, 50, 20, 20, [0.6, 0, 0]), (50, 50, 20, 20, [0, 0.9, 0]))
    assert decode_output(raw, 0.25, 0.7)[2].tolist() == [1, 0]


def test_a_box_has_one_label_and_the_limit_itself_is_too_little() -> None:
    raw = output((50, 50, 20, 20, [0.5, 0.4, 0]), (90, 90, 9, 9, [0.25, 0, 0]))
    assert decode_output(raw, 0.25, 0.7)[1].tolist() == pytest.approx([0.5])


def test_nothing_found() -> None:
    corners, scores, classes = decode_output(np.zeros((4 + LABELS, 8), dtype=np.float32), 0.25, 0.7)
    assert (corners.shape, len(scores), len(classes)) == ((0, 4), 0, 0)


def test_no_more_than_the_limit_of_boxes() -> None:
    rows = [(float(x * 30), 10.0, 9.0, 9.0, [0.5, 0.0, 0.0]) for x in range(MAX_BOXES + 50)]
    assert len(decode_output(output(*rows), 0.25, 0.7)[0]) == MAX_BOXES


def test_networks_that_suppress_doubles_themselves() -> None:
    rows = np.array([[1, 2, 3, 4, 0.9, 2], [1, 2, 3, 4, 0.1, 0]], dtype=np.float32)
    corners, scores, classes = decode_output(rows, 0.25, 0.7)
    assert (corners.tolist(), classes.tolist()) == ([[1, 2, 3, 4]], [2])
    assert scores.tolist() == pytest.approx([0.9])


boxes = st.lists(
    st.tuples(*[st.integers(0, 40)] * 2, *[st.integers(1, 20)] * 2), min_size=1, max_size=25
)


@given(boxes, st.sampled_from([0.3, 0.5, 0.7]))
def test_what_stays_does_not_overlap_and_what_goes_does(
    raw: list[tuple[int, int, int, int]], iou: float
) -> None:
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h in raw], dtype=np.float32)

    def shared(a: np.ndarray, b: np.ndarray) -> float:
        width = max(min(a[2], b[2]) - max(a[0], b[0]), 0)
        height = max(min(a[3], b[3]) - max(a[1], b[1]), 0)
        both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
        return float(width * height / (both - width * height))

    keep = suppress(corners, iou)
    assert keep[0] == 0
    assert keep == sorted(keep)
    for number in range(len(corners)):
        stronger = [shared(corners[other], corners[number]) for other in keep if other < number]
        assert (number in keep) == all(share <= iou + 1e-6 for share in stronger)


def test_corners_return_to_the_picture() -> None:
    fit = Letterbox(gain=0.5, left=0, top=140, width=1280, height=720)
    corners = np.array([[0, 140, 640, 500], [-5, 130, 700, 600]], dtype=np.float32)
    assert undo_letterbox(corners, fit).tolist() == [[0, 0, 1280, 720], [0, 0, 1280, 720]]
