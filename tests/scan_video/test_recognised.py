"""Who is enrolled is recognised, who is not is not, and nobody is where that is switched off."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from scan_video.faces import FaceFinder
from tests.scan_video.conftest import shared_file
from tests.scan_video.scans import label_of, scan
from vv_core.settings import Settings

pytestmark = pytest.mark.integration

MakeSettings = Callable[..., Settings]


KNOWN = {"obama2.jpg": ["Barack Obama"], "biden.jpg": []}


@pytest.mark.parametrize("photograph", KNOWN)
@pytest.mark.parametrize("detector", ["yolo", "embedded"])
def test_enrolled_people_are_recognised(
    photograph: str,
    detector: str,
    weights: Path,
    still_clip: Callable[..., Path],
    make_settings: MakeSettings,
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    model = {"yolo_model": weights} if detector == "yolo" else {}
    settings = make_settings(recognise_faces=True, **model)
    enrolled = settings.home / "faces" / "Barack Obama"
    enrolled.mkdir(parents=True)
    shutil.copy(shared_file("faces", "obama.jpg"), enrolled)
    document = scan(settings, still_clip(shared_file("faces", photograph), seconds=2))
    assert document["faces"] == {
        "backend": "face_recognition",
        "recognition": True,
        "enrolled": 1,
        "tolerance": 0.6,
    }
    assert [entry["name"] for entry in document["names"]] == KNOWN[photograph]
    assert label_of(document, "face")["frames"] == document["sampling"]["frames"]


def test_nobody_is_recognised_unless_that_is_switched_on(
    weights: Path, still_clip: Callable[..., Path], make_settings: MakeSettings
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    settings = make_settings(yolo_model=weights)
    enrolled = settings.home / "faces" / "Barack Obama"
    enrolled.mkdir(parents=True)
    shutil.copy(shared_file("faces", "obama.jpg"), enrolled)
    document = scan(settings, still_clip(shared_file("faces", "obama2.jpg"), seconds=2))
    assert document["names"] == []
    assert document["faces"]["recognition"] is False
    assert label_of(document, "face")["peak"] == 1


def test_faces_are_blurred_on_request(
    weights: Path, still_clip: Callable[..., Path], make_settings: MakeSettings
) -> None:
    pytest.importorskip("dlib", reason="dlib is not installed")
    video = still_clip(shared_file("faces", "obama2.jpg"), seconds=2)
    finder = FaceFinder()
    left = {}
    for blurs in (False, True):
        settings = make_settings(yolo_model=weights, blur_faces=blurs, faces_enabled=not blurs)
        document = scan(settings, video)
        best = next(x for x in document["pictures"] if x["label"] == "person")
        image = cv2.imread(str(settings.home / "analytic" / best["file"])).astype(np.uint8)
        left[blurs] = len(finder.find_everywhere(image))
        (settings.home / "analytic" / f"{video.stem}.analytic.json").unlink()
    assert left == {False: 1, True: 0}
    assert document["faces"]["backend"] == "none"
    assert not [entry for entry in document["detections"] if entry["type"] == "face"]
