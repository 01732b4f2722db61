"""Blurring: a face that is found stays covered; what is no face stays sharp."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.scan_video.conftest import shared_file
from tests.tv_mirror_ui.mjpeg_camera import mjpeg_camera
from tests.tv_mirror_ui.reading import reading
from tv_mirror_ui import blur
from tv_mirror_ui.blur import FaceBlur, cover
from tv_mirror_ui.messages import Order


def noise(height: int, width: int) -> blur.Image:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def test_what_is_covered_has_few_colours_left_and_the_rest_is_as_it_was() -> None:
    image = noise(200, 300)
    before = image.copy()
    cover(image, (50, 40, 150, 140))
    inside = image[40:140, 50:150].astype(int)
    assert np.abs(np.diff(inside, axis=1)).mean() < 8
    image[40:140, 50:150] = before[40:140, 50:150]
    assert np.array_equal(image, before)


@pytest.mark.parametrize("region", [(10, 10, 10, 20), (400, 0, 500, 10)])
def test_a_part_that_is_not_there_is_no_mistake(region: blur.Region) -> None:
    image = noise(20, 30)
    cover(image, region)


def test_a_face_stays_covered_for_a_while_after_it_was_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = 100.0
    monkeypatch.setattr("time.monotonic", lambda: moment)
    found: list[blur.Region] = [(10, 10, 60, 60)]
    each = FaceBlur()
    monkeypatch.setattr(each, "find", lambda _: found)

    def is_covered() -> bool:
        image = noise(100, 100)
        return not np.array_equal(each(image.copy()), image)

    assert is_covered()
    found = []
    moment += 0.9
    assert is_covered(), "one frame in which it was not found shows nothing"
    moment += 0.2
    assert not is_covered()


def test_where_a_face_was_found_is_told_for_the_whole_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blur, "_detect", lambda *_: [(32, 18, 64, 64)])
    *direct, mirrored = FaceBlur().find(noise(720, 1280))
    assert direct == [(25, 0, 231, 203)] * 3
    # Faces that look to the other side are found in a mirror.
    assert mirrored == (1280 - 231, 0, 1280 - 25, 203)


@pytest.mark.integration
@pytest.mark.parametrize("name", ["obama.jpg", "biden.jpg"])
def test_a_face_is_found_and_is_none_afterwards(name: str) -> None:
    photograph = cv2.imread(str(shared_file("faces", name)))
    scale = 500 / photograph.shape[0]
    small = cv2.resize(photograph, None, fx=scale, fy=scale)
    image = np.full((720, 1280, 3), 110, np.uint8)
    image[200 : 200 + small.shape[0], 400 : 400 + small.shape[1]] = small
    each = FaceBlur()
    found = each.find(image)
    assert found
    covered = each(image.copy())
    for left, top, right, bottom in found:
        before, after = (
            cv2.Laplacian(picture[top:bottom, left:right], cv2.CV_64F).var()
            for picture in (image, covered)
        )
        assert after < before / 10


def test_without_cascades_nothing_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blur, "_CASCADES", ("nowhere.xml",))
    with pytest.raises(ImportError):
        FaceBlur()


def test_pictures_without_faces_come_through(tmp_path: Path) -> None:
    with mjpeg_camera() as camera:
        order = Order("http", camera.url, 30, 1280, 720, blur_faces=True)
        with reading(order) as result:
            said = result.picture()
    assert said.payload != camera.behaviour.frame(0), "it was decoded and looked at"
