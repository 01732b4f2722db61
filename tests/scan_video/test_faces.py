"""Faces are searched where people are, and compared only with people enrolled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scan_video.faces import FaceFinder, confidence_from_margin, plan_searches
from scan_video.observations import Finding, overlap
from scan_video.recognition import EnrolledPeople, FaceRecogniser
from tests.scan_video.conftest import shared_file

WIDTH, HEIGHT = 1920, 1080


def person(left: float, top: float, width: float, height: float) -> Finding:
    return Finding("object", "person", 0.9, (left, top, width, height))


def test_only_people_are_searched() -> None:
    dog = Finding("object", "dog", 0.9, (0.1, 0.1, 0.5, 0.5))
    assert plan_searches([dog], WIDTH, HEIGHT) == []


def test_the_upper_part_of_a_standing_person_is_searched() -> None:
    (search,) = plan_searches([person(0.5, 0.2, 0.1, 0.6)], WIDTH, HEIGHT)
    left, top, right, bottom = search.region
    assert left < 960
    assert right > 1152
    assert top < 216
    assert 216 + 0.3 * 648 < bottom < 216 + 0.5 * 648


def test_small_people_are_enlarged_and_tiny_ones_left_out() -> None:
    (small,) = plan_searches([person(0.5, 0.2, 0.08, 0.4)], WIDTH, HEIGHT)
    (large,) = plan_searches([person(0.1, 0.0, 0.8, 1.0)], WIDTH, HEIGHT)
    assert large.scale < 1 < small.scale <= 2
    assert plan_searches([person(0.5, 0.2, 0.02, 0.1)], WIDTH, HEIGHT) == []


def test_a_person_inside_another_is_searched_once() -> None:
    assert (
        len(plan_searches([person(0.2, 0.1, 0.4, 0.8), person(0.3, 0.2, 0.1, 0.2)], 1920, 1080))
        == 1
    )


fractions = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(fractions, fractions, fractions, fractions), max_size=20))
def test_searches_stay_inside_the_picture(boxes: list[tuple[float, float, float, float]]) -> None:
    people = [person(x, y, w * (1 - x), h * (1 - y)) for x, y, w, h in boxes]
    searches = plan_searches(people, WIDTH, HEIGHT)
    assert len(searches) <= 8
    for search in searches:
        left, top, right, bottom = search.region
        assert 0 <= left < right <= WIDTH
        assert 0 <= top < bottom <= HEIGHT
        assert 0 < search.scale <= 2


def test_confidence_grows_from_a_half_to_one() -> None:
    values = [confidence_from_margin(margin) for margin in (0.0, 0.5, 1.0, 3.0)]
    assert values[0] == 0.5
    assert values == sorted(values)
    assert values[-1] < 1


def test_the_nearest_enrolled_person_within_the_tolerance() -> None:
    ana, rui = np.zeros(128), np.full(128, 0.1)
    people = EnrolledPeople({"Ana": [ana], "Rui": [rui, rui + 0.01]})
    assert people.count == 2
    match = people.match(rui + 0.001, 0.6)
    assert match is not None
    assert match.name == "Rui"
    assert people.match(ana + 1.0, 0.6) is None
    assert EnrolledPeople({}).match(ana, 0.6) is None


@pytest.mark.integration
class TestPortraits:
    """Real faces; slow, since models of 130 MB are loaded."""

    def test_the_same_faces_as_face_recognition(self) -> None:
        library = pytest.importorskip("dlib", reason="dlib is not installed")
        image = cv2.imread(str(shared_file("faces", "obama.jpg")))
        whole = Finding("object", "person", 0.9, (0.0, 0.0, 1.0, 1.0))
        (found,) = FaceFinder().find(image, [whole], everywhere=False)
        height, width = image.shape[:2]
        (theirs,) = library.get_frontal_face_detector()(image[..., ::-1].copy(), 1)
        box = (
            theirs.left() / width,
            theirs.top() / height,
            theirs.width() / width,
            theirs.height() / height,
        )
        assert overlap(found.box, box) > 0.6
        assert found.confidence > 0.7

    def test_without_people_faces_are_searched_only_on_request(self) -> None:
        pytest.importorskip("dlib", reason="dlib is not installed")
        image = cv2.imread(str(shared_file("faces", "obama.jpg")))
        assert FaceFinder().find(image, [], everywhere=False) == []
        assert len(FaceFinder().find(image, [], everywhere=True)) == 1

    def test_enrolled_people_are_recognised_and_others_are_not(self, tmp_path: Path) -> None:
        pytest.importorskip("dlib", reason="dlib is not installed")
        enrolled = tmp_path / "faces" / "Barack Obama"
        enrolled.mkdir(parents=True)
        shutil.copy(shared_file("faces", "obama.jpg"), enrolled)
        (enrolled / "broken.jpg").write_bytes(b"no picture")
        cache = tmp_path / "models" / "faces.json"
        recogniser = FaceRecogniser(tmp_path / "faces", cache, 0.6)
        assert recogniser.enrolled == 1
        names = {}
        for photograph in ("obama2.jpg", "biden.jpg"):
            image = cv2.imread(str(shared_file("faces", photograph)))
            faces = FaceFinder().find(image, [], everywhere=True)
            names[photograph] = {face.name for face in recogniser.name(image, faces)}
        assert "Barack Obama" in names["obama2.jpg"]
        assert names["biden.jpg"] == {None}

    def test_encodings_are_remembered_and_forgotten_with_their_picture(
        self, tmp_path: Path
    ) -> None:
        pytest.importorskip("dlib", reason="dlib is not installed")
        picture = tmp_path / "faces" / "Ana" / "one.jpg"
        picture.parent.mkdir(parents=True)
        shutil.copy(shared_file("faces", "obama.jpg"), picture)
        cache = tmp_path / "faces.json"
        FaceRecogniser(tmp_path / "faces", cache, 0.6)
        first = json.loads(cache.read_text())
        assert cache.stat().st_mode & 0o777 == 0o600
        (numbers,) = first["encodings"].values()
        assert len(numbers) == 128
        before = cache.stat().st_mtime_ns
        assert FaceRecogniser(tmp_path / "faces", cache, 0.6).enrolled == 1
        assert cache.stat().st_mtime_ns == before
        picture.unlink()
        assert FaceRecogniser(tmp_path / "faces", cache, 0.6).enrolled == 0
        assert json.loads(cache.read_text())["encodings"] == {}
        cache.write_text("{broken")
        assert FaceRecogniser(tmp_path / "faces", cache, 0.6).enrolled == 0
