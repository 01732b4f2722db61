"""Pictures are turned upright and fitted into a network's input without being distorted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.pixels import Image, letterbox, shrink, to_blob, turn


def corner_marked(height: int = 4, width: int = 6) -> Image:
    """Return a black picture with a white pixel at the top left."""
    image = np.zeros((height, width, 3), dtype=np.uint8)
    image[0, 0] = 255
    return image


@pytest.mark.parametrize(
    ("rotation", "shape", "place"),
    [(0, (4, 6), (0, 0)), (90, (6, 4), (0, 3)), (180, (4, 6), (3, 5)), (270, (6, 4), (5, 0))],
)
def test_turning_is_clockwise(
    rotation: int, shape: tuple[int, int], place: tuple[int, int]
) -> None:
    turned = turn(corner_marked(), rotation)
    assert turned.shape[:2] == shape
    assert turned[place].tolist() == [255, 255, 255]


def test_shrinking_never_enlarges() -> None:
    assert shrink(corner_marked(100, 200), 100).shape == (50, 100, 3)
    assert shrink(corner_marked(), 100).shape == (4, 6, 3)


def test_blobs_are_red_first_and_up_to_one() -> None:
    image = np.zeros((2, 3, 3), dtype=np.uint8)
    image[..., 2] = 255
    blob = to_blob(image)
    assert blob.shape == (1, 3, 2, 3)
    assert (blob[0, 0].min(), blob[0, 1:].max()) == (pytest.approx(1.0), 0.0)


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_letterbox_fills_the_input_and_can_be_undone(height: int, width: int) -> None:
    fitted, fit = letterbox(np.zeros((height, width, 3), dtype=np.uint8), 96, 128)
    assert fitted.shape == (96, 128, 3)
    assert (fit.width, fit.height) == (width, height)
    inner = fitted[..., 0] == 0
    assert inner[fit.top, fit.left]
    rows, columns = np.flatnonzero(inner.any(axis=1)), np.flatnonzero(inner.any(axis=0))
    assert (rows[0], columns[0]) == (fit.top, fit.left)
    assert abs(len(columns) - width * fit.gain) <= 1
    assert abs(len(rows) - height * fit.gain) <= 1


@pytest.mark.parametrize("size", [(1080, 1920), (810, 1080), (640, 640), (333, 77), (1, 3000)])
def test_the_same_letterbox_as_ultralytics(size: tuple[int, int]) -> None:
    augment = pytest.importorskip("ultralytics.data.augment", reason="ultralytics is not installed")
    image = np.random.default_rng(7).integers(0, 256, (*size, 3), dtype=np.uint8)
    theirs = augment.LetterBox((640, 640), auto=False)(image=image)
    assert np.array_equal(letterbox(image, 640, 640)[0], theirs)
