"""Pictures a person can look at: the best of each label, a contact sheet, faces blurred on request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from scan_video.drawing import blur_boxes, draw_contact_sheet, draw_findings, plain_letters
from scan_video.observations import Box, Finding
from scan_video.pictures import PictureKeeper, clock_text, remove_left_overs, unique_names
from scan_video.pixels import Image

BOX: Box = (0.25, 0.25, 0.5, 0.5)


def grey(value: int, width: int = 64, height: int = 48) -> av.VideoFrame:
    image = np.full((height, width, 3), value, dtype=np.uint8)
    return av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")


def seen(label: str, confidence: float) -> Finding:
    return Finding("object", label, confidence, BOX)


def read(path: Path) -> Image:
    return cv2.imread(str(path)).astype(np.uint8)


def test_the_best_picture_is_the_one_that_shows_most(tmp_path: Path) -> None:
    keeper = PictureKeeper(3, 0)
    keeper.offer(0.0, grey(50), (seen("person", 0.9),), ())
    keeper.offer(1.0, grey(200), (seen("person", 0.6), seen("person", 0.6)), ())
    keeper.offer(2.0, grey(90), (seen("person", 0.5), seen("dog", 0.3)), ())
    pictures = keeper.save(tmp_path, "clip", None)
    best = {picture.label: picture for picture in pictures if picture.kind == "best"}
    assert (best["person"].timestamp, best["dog"].timestamp) == (1.0, 2.0)
    assert best["person"].file == "clip.pictures/best-object-person.jpg"
    assert abs(int(read(tmp_path / best["person"].file)[2, 60, 0]) - 200) < 9
    for picture in pictures:
        data = (tmp_path / picture.file).read_bytes()
        assert picture.sha256 == hashlib.sha256(data).hexdigest()


def test_a_contact_sheet_is_made_even_when_nothing_was_seen(tmp_path: Path) -> None:
    keeper = PictureKeeper(40, 0)
    for second in range(40):
        keeper.offer(float(second), grey(second * 6), (), ())
    (sheet,) = keeper.save(tmp_path, "clip", None)
    assert (sheet.kind, sheet.label, sheet.timestamp) == ("contact_sheet", None, None)
    height, width = read(tmp_path / sheet.file).shape[:2]
    assert (width, height) == (4 * 68 + 4, 3 * 72 + 4)


def test_pictures_stand_upright(tmp_path: Path) -> None:
    keeper = PictureKeeper(1, 90)
    keeper.offer(0.0, grey(90, 64, 48), (seen("dog", 0.9),), ())
    best, sheet = keeper.save(tmp_path, "clip", None)
    assert read(tmp_path / best.file).shape[:2] == (64, 48)
    assert sheet.kind == "contact_sheet"


def test_large_pictures_are_reduced(tmp_path: Path) -> None:
    keeper = PictureKeeper(1, 0)
    keeper.offer(0.0, grey(90, 3840, 2160), (seen("dog", 0.9),), ())
    best, _ = keeper.save(tmp_path, "clip", None)
    assert read(tmp_path / best.file).shape[:2] == (720, 1280)


def test_left_overs_of_an_earlier_scan_go(tmp_path: Path) -> None:
    keeper = PictureKeeper(1, 0)
    keeper.offer(0.0, grey(90), (seen("dog", 0.9),), ())
    pictures = keeper.save(tmp_path, "clip", None)
    (tmp_path / "clip.pictures" / "best-object-cat.jpg").write_bytes(b"old")
    remove_left_overs(tmp_path, "clip", pictures)
    assert sorted(path.name for path in (tmp_path / "clip.pictures").iterdir()) == [
        "best-object-dog.jpg",
        "contact-sheet.jpg",
    ]


def test_faces_are_blurred_in_every_picture(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(noise, format="bgr24").reformat(format="yuv444p")
    keeper = PictureKeeper(1, 0)
    face = Finding("face", "face", 0.9, (0.0, 0.0, 0.2, 0.2))

    def find_another(_image: Image) -> Sequence[Box]:
        return [(0.8, 0.8, 0.2, 0.2)]

    keeper.offer(0.0, frame, (face,), [face.box])
    best, sheet = keeper.save(tmp_path, "clip", find_another)
    picture = read(tmp_path / best.file)
    sharp = detail(picture[40:56, 50:78])
    assert detail(picture[4:16, 4:22]) < sharp / 2
    assert detail(picture[80:, 106:]) < sharp / 2
    thumbnail = read(tmp_path / sheet.file)[4:100, 4:132]
    assert detail(thumbnail[4:16, 4:22]) < detail(thumbnail[40:56, 50:78]) / 2


def detail(image: Image) -> float:
    """Return how much neighbouring pixels differ."""
    return float(np.abs(np.diff(image.astype(int), axis=1)).mean())


def test_blurring_reaches_the_edge_and_nothing_else() -> None:
    image = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    blurred = blur_boxes(image, [(0.9, 0.9, 0.1, 0.1)])
    assert np.array_equal(blurred[:50, :60], image[:50, :60])
    assert not np.array_equal(blurred[56:, 74:], image[56:, 74:])
    assert np.array_equal(blur_boxes(image, [(0.5, 0.5, 0.0, 0.0)])[:20], image[:20])


def test_boxes_and_names_are_drawn() -> None:
    image = np.zeros((480, 640, 3), dtype=np.uint8)
    face = Finding("face", "face", 0.9, (0.0, 0.0, 0.1, 0.1), name="João", distance=0.4)
    drawn = draw_findings(image, [seen("person", 0.87), face])
    assert drawn.shape == image.shape
    assert drawn[120, 320].any()
    assert not drawn[240, 320].any()
    assert not image.any()


@pytest.mark.parametrize(
    ("text", "plain"), [("João Ñandú", "Joao Nandu"), ("café 87%", "cafe 87%"), ("犬", "?")]
)
def test_the_font_knows_plain_letters_only(text: str, plain: str) -> None:
    assert plain_letters(text) == plain


def test_a_sheet_of_one() -> None:
    image = np.full((30, 40, 3), 255, dtype=np.uint8)
    assert draw_contact_sheet([("0:00", image)]).shape == (30 + 20 + 8, 48, 3)


def test_names_of_files_are_safe_and_different() -> None:
    names = unique_names(
        ["best-object-Fire Hydrant", "best-object-fire/hydrant", "../..", "犬", "猫"]
    )
    assert names[:3] == ["best-object-fire-hydrant", "best-object-fire-hydrant-1", "best"]
    assert len(set(names)) == len(names)


def test_times_are_readable() -> None:
    assert [clock_text(s) for s in (0.0, 61.9, 3661.0)] == ["0:00", "1:01", "1:01:01"]
