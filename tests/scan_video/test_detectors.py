"""Which detector is used, what it says about itself, and set-ups that cannot work."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from scan_video.detectors import (
    DetectorFacts,
    YoloDetector,
    choose_backend,
    make_detector,
)
from scan_video.embedded import (
    EmbeddedDetector,
    MotionWatcher,
    confidence_from_margin,
    motion_view,
)
from scan_video.observations import overlap
from scan_video.weights import Weights, WeightsFacts, find_weights, parse_facts, read_openvino_facts
from vv_core.errors import ConfigError
from vv_core.settings import Settings

MakeSettings = Callable[..., Settings]


def weights_of(kind: str) -> Weights:
    return Weights(Path(f"model.{kind}"), kind, "model")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "kind", "backend"),
    [
        ("auto", None, "embedded"),
        ("embedded", None, "embedded"),
        ("embedded", "onnx", "embedded"),
        ("auto", "openvino", "openvino"),
        ("auto", "onnx", "onnxruntime"),
        ("auto", "torch", "ultralytics"),
        ("ultralytics", "openvino", "ultralytics"),
        ("onnxruntime", "onnx", "onnxruntime"),
    ],
)
def test_the_backend_follows_setting_and_weights(
    setting: str, kind: str | None, backend: str
) -> None:
    assert choose_backend(setting, weights_of(kind) if kind else None) == backend


@pytest.mark.parametrize(
    ("setting", "kind"), [("openvino", None), ("openvino", "onnx"), ("onnxruntime", "torch")]
)
def test_set_ups_that_contradict_themselves(setting: str, kind: str | None) -> None:
    with pytest.raises(ConfigError) as caught:
        choose_backend(setting, weights_of(kind) if kind else None)
    assert caught.value.advice.endswith(".")


def folder_of(path: Path, *names: str) -> Path:
    path.mkdir()
    for name in names:
        (path / name).write_bytes(name.encode())
    return path


def test_weights_are_found_in_a_folder(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "a_openvino_model", "a.xml", "a.bin", "metadata.yaml")
    found = find_weights(folder)
    assert (found.kind, found.name, found.path) == ("openvino", "a", folder / "a.xml")


@pytest.mark.parametrize(
    "name", ["missing.onnx", "empty folder", "two models", "notes.txt", "no.xml"]
)
def test_paths_without_weights(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path / "empty folder")
    folder_of(tmp_path / "two models", "a.xml", "a.bin", "b.xml", "b.bin")
    (tmp_path / "notes.txt").write_text("no weights")
    (tmp_path / "no.xml").write_text("<net/>")
    with pytest.raises(ConfigError, match=name.split(".", maxsplit=1)[0]) as caught:
        find_weights(tmp_path / name)
    assert "VV_YOLO_MODEL" in caught.value.advice


def test_the_hash_of_a_pair_is_what_sha256sum_prints(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m_openvino_model", "m.xml", "m.bin")
    command = "sha256sum m.bin m.xml | sha256sum | cut -d' ' -f1"
    printed = subprocess.run(
        command, shell=True, cwd=folder, capture_output=True, text=True, timeout=20, check=True
    )
    assert find_weights(folder).digest() == printed.stdout.strip()
    onnx = tmp_path / "m.onnx"
    onnx.write_bytes(b"weights")
    assert find_weights(onnx).digest() == hashlib.sha256(b"weights").hexdigest()


def test_facts_of_weights() -> None:
    text = {"task": "detect", "names": "{0: 'person', 1: 'dog'}", "imgsz": "[480, 640]"}
    assert parse_facts(text) == WeightsFacts({0: "person", 1: "dog"}, (480, 640))
    assert parse_facts({"names": {0: "person"}, "imgsz": 320}).input_pixels == (320, 320)
    for bad in (None, {}, {"names": {}}, {"task": "segment", "names": {0: "x"}}, {"names": "{"}):
        with pytest.raises((ValueError, SyntaxError)):
            parse_facts(bad)


def test_a_model_that_does_not_say_what_it_sees(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "m_openvino_model", "m.xml", "m.bin")
    with pytest.raises(ConfigError, match=r"metadata\.yaml"):
        read_openvino_facts(find_weights(folder))


def test_without_weights_the_embedded_default_says_so(make_settings: MakeSettings) -> None:
    facts = make_detector(make_settings()).facts
    assert (facts.backend, facts.weights_hash) == ("embedded", None)
    assert "HOG" in facts.name


def test_broken_weights_are_a_fault_of_the_set_up(
    tmp_path: Path, make_settings: MakeSettings
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    folder = folder_of(tmp_path / "m_openvino_model", "m.xml", "m.bin")
    (folder / "metadata.yaml").write_text("names: {0: person}\nimgsz: [64, 64]\n")
    with pytest.raises(ConfigError, match="OpenVINO cannot load"):
        make_detector(make_settings(yolo_model=folder))


def test_broken_onnx_is_a_fault_of_the_set_up(tmp_path: Path, make_settings: MakeSettings) -> None:
    pytest.importorskip("onnxruntime", reason="ONNX Runtime is not installed")
    path = tmp_path / "m.onnx"
    path.write_bytes(b"no model")
    with pytest.raises(ConfigError, match="ONNX Runtime cannot use"):
        make_detector(make_settings(yolo_model=path))


def test_people_are_found_without_weights(bus: Path) -> None:
    found = EmbeddedDetector(0.25).detect(cv2.imread(str(bus)).astype(np.uint8))
    assert 1 <= len(found) <= 5
    assert {finding.label for finding in found} == {"person"}
    assert all(0.25 < finding.confidence < 1 for finding in found)
    for place, finding in enumerate(found):
        assert all(overlap(finding.box, other.box) <= 0.4 for other in found[:place])


def test_pictures_smaller_than_the_window_of_the_detector() -> None:
    assert EmbeddedDetector(0.25).detect(np.zeros((16, 16, 3), dtype=np.uint8)) == []


def test_margins_become_confidences() -> None:
    assert [confidence_from_margin(m) for m in (-1.0, 0.0, 1.0, 3.0)] == [0.0, 0.0, 0.5, 0.75]


def scene(left: int) -> np.ndarray:
    """Return a textured picture with a bright block."""
    image = np.random.default_rng(5).integers(60, 90, (180, 320, 3)).astype(np.uint8)
    image[60:120, left : left + 40] = 230
    return image


def test_motion_is_what_differs_from_the_background() -> None:
    watcher = MotionWatcher()
    assert watcher.watch(motion_view(scene(20))) == []
    assert watcher.watch(motion_view(scene(20))) == []
    moved = watcher.watch(motion_view(scene(200)))
    assert {finding.kind for finding in moved} == {"motion"}
    assert any(overlap(f.box, (200 / 320, 1 / 3, 40 / 320, 1 / 3)) > 0.6 for f in moved)


def test_a_lamp_switched_on_is_no_motion() -> None:
    watcher = MotionWatcher()
    watcher.watch(motion_view(scene(20)))
    assert watcher.watch(motion_view(np.full((180, 320, 3), 250, dtype=np.uint8))) == []


class FakeNetwork:
    """A network that puts out what it is told."""

    input_height = input_width = 32

    def __init__(self, labels: int, *shape: int) -> None:
        self.facts = WeightsFacts({number: str(number) for number in range(labels)}, (32, 32))
        self._output = np.zeros(shape, dtype=np.float32)

    def infer(self, blob: np.ndarray) -> np.ndarray:
        assert blob.shape == (1, 3, 32, 32)
        return self._output


FACTS = DetectorFacts("openvino", "m", None, confidence=0.25, iou=0.7)


@pytest.mark.parametrize(("labels", "shape"), [(80, (84, 21)), (3, (7, 21)), (3, (300, 6))])
def test_networks_that_are_detectors(labels: int, shape: tuple[int, int]) -> None:
    detector = YoloDetector(FakeNetwork(labels, *shape), FACTS)
    assert detector.detect(np.zeros((20, 30, 3), dtype=np.uint8)) == []


@pytest.mark.parametrize("shape", [(116, 21), (7,), (1, 7, 21), (7, 1000, 6)])
def test_networks_that_are_something_else(shape: tuple[int, ...]) -> None:
    with pytest.raises(ConfigError, match="no detector of 3 labels"):
        YoloDetector(FakeNetwork(3, *shape), FACTS)
