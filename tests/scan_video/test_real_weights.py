"""The same boxes as ultralytics' own, with YOLOv8n and with weights it exported."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scan_video.detectors import make_detector
from scan_video.observations import Finding, overlap
from vv_core.settings import Settings

pytestmark = pytest.mark.integration

MakeSettings = Callable[..., Settings]


@pytest.mark.parametrize(("confidence", "people"), [(0.4, 3), (0.25, 4)])
def test_a_bus_and_people(
    confidence: float, people: int, bus: Path, weights: Path, make_settings: MakeSettings
) -> None:
    detector = make_detector(make_settings(yolo_model=weights, yolo_confidence=confidence))
    labels = [finding.label for finding in detector.detect(cv2.imread(str(bus)).astype(np.uint8))]
    assert sorted(labels) == ["bus", *["person"] * people]


def pictures_for_comparison(bus: Path, bottles: Path) -> list[Any]:
    capture = cv2.VideoCapture(str(bottles))
    frames = [cv2.imread(str(bus)), cv2.imread(str(bus.with_name("zidane.jpg")))]
    for number in (0, 200, 777):
        capture.set(cv2.CAP_PROP_POS_FRAMES, number)
        frames.append(capture.read()[1])
    return frames


def test_boxes_agree_with_ultralytics_own(
    bus: Path, bottles: Path, weights: Path, make_settings: MakeSettings
) -> None:
    ours = make_detector(make_settings(yolo_model=weights))
    theirs = make_detector(make_settings(yolo_model=weights, yolo_backend="ultralytics"))
    assert (ours.facts.backend, theirs.facts.backend) == ("openvino", "ultralytics")
    assert ours.facts.weights_hash == theirs.facts.weights_hash
    for image in pictures_for_comparison(bus, bottles):
        require_agreement(ours.detect(image), theirs.detect(image))


def require_agreement(ours: list[Finding], theirs: list[Finding]) -> None:
    def order(finding: Finding) -> tuple[float, str, list[float]]:
        # Equally confident ones may come in any order.
        return (-round(finding.confidence, 4), finding.label, [round(x, 3) for x in finding.box])

    assert ours
    assert sorted(finding.label for finding in ours) == sorted(x.label for x in theirs)
    for mine, other in zip(sorted(ours, key=order), sorted(theirs, key=order), strict=True):
        assert mine.label == other.label
        assert overlap(mine.box, other.box) >= 0.95
        assert mine.confidence == pytest.approx(other.confidence, abs=0.01)


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return untrained YOLOv8n weights of ultralytics: its boxes are noise, but always the same."""
    pytest.importorskip("ultralytics", reason="ultralytics is not installed")
    path = tmp_path_factory.mktemp("weights") / "random.pt"
    program = """
import sys, torch
from scan_video.ultralytics_runtime import load_ultralytics
torch.manual_seed(3)
torch.set_num_threads(1)
model = load_ultralytics().YOLO("yolov8n.yaml")
layers = list(model.model.modules())
for norm in (layer for layer in layers if isinstance(layer, torch.nn.BatchNorm2d)):
    norm.momentum = None
    norm.reset_running_stats()
model.model.train()
with torch.no_grad():
    # Untrained, the network would fade to nothing: let it measure what passes through.
    model.model(torch.rand(2, 3, 320, 320))
for branch in model.model.model[-1].cv3:
    torch.nn.init.normal_(branch[-1].weight, 0, 0.08)
    torch.nn.init.constant_(branch[-1].bias, -8.0)
model.save(sys.argv[1])
"""
    run_python("-c", program, str(path))
    return path


def run_python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], check=True, capture_output=True, text=True, timeout=240
    )


@pytest.mark.parametrize("name", ["random.onnx", "random_openvino_model"])
def test_exported_weights_see_the_same(
    name: str, random_weights: Path, tmp_path: Path, make_settings: MakeSettings
) -> None:
    pytest.importorskip("onnxruntime" if name.endswith("onnx") else "openvino")
    if name.endswith("onnx"):
        pytest.importorskip("onnx", reason="onnx, which the export needs, is not installed")
    exported = tmp_path / name
    run_python("-m", "scan_video.export", str(random_weights), str(exported), "--size", "320")
    ours = make_detector(make_settings(yolo_model=exported))
    theirs = make_detector(make_settings(yolo_model=exported, yolo_backend="ultralytics"))
    # Noise in a square: no two places look the same, so no two scores are equal.
    image = np.random.default_rng(5).integers(0, 256, (320, 320, 3), dtype=np.uint8)
    require_agreement(ours.detect(image), theirs.detect(image))


def test_weights_of_ultralytics_are_loaded_as_they_are(
    random_weights: Path, bus: Path, make_settings: MakeSettings
) -> None:
    detector = make_detector(make_settings(yolo_model=random_weights))
    assert detector.facts.backend == "ultralytics"
    assert detector.facts.weights_hash == hashlib.sha256(random_weights.read_bytes()).hexdigest()
    assert detector.detect(cv2.imread(str(bus)).astype(np.uint8))
