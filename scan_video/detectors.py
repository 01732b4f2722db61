"""One interface for all that can tell what is in a picture, and the choice between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from scan_video.nms import (
    BOX_ROWS,
    END_TO_END_COLUMNS,
    RAW_AXES,
    decode_output,
    undo_letterbox,
)
from scan_video.observations import Finding, box_from_corners
from scan_video.parallel import worker_count
from scan_video.pixels import Blob, Image, letterbox, to_blob
from scan_video.weights import Weights, WeightsFacts, find_weights
from vv_core.errors import ConfigError
from vv_core.models.active import active_detector
from vv_core.settings import Settings

Backend = Literal["openvino", "onnxruntime", "ultralytics", "embedded"]


@dataclass(frozen=True)
class DetectorFacts:
    """What the analytic says about a detector.

    Attributes:
        backend: the program that runs it.
        name: of the weights, or of the method.
        weights_hash: SHA-256, see `Weights.digest`; None without weights.
        confidence: least confidence of a box.
        iou: overlap from which two boxes of a label are one.
    """

    backend: Backend
    name: str
    weights_hash: str | None
    confidence: float
    iou: float


class Detector(Protocol):
    """Tells what is in a picture. Safe to use on several threads."""

    facts: DetectorFacts

    def detect(self, image: Image) -> list[Finding]:
        """Return what is in an upright picture, most confident first."""


class Network(Protocol):
    """Runs a YOLO network. Safe to use on several threads."""

    facts: WeightsFacts
    input_height: int
    input_width: int

    def infer(self, blob: Blob) -> npt.NDArray[np.float32]:
        """Return the raw output for one picture, without the batch axis."""


class YoloDetector:
    """A YOLO network with ultralytics' way into it and out of it."""

    def __init__(self, network: Network, facts: DetectorFacts) -> None:
        """Take a network into use.

        Raises:
            ConfigError: its output is not that of a detector with the labels it names.
        """
        self.facts = facts
        self._network = network
        _try_out(network, facts.name)

    def detect(self, image: Image) -> list[Finding]:
        """Return what is in an upright picture, most confident first."""
        fitted, fit = letterbox(image, self._network.input_height, self._network.input_width)
        output = self._network.infer(to_blob(fitted))
        corners, scores, classes = decode_output(output, self.facts.confidence, self.facts.iou)
        names = self._network.facts.names
        return [
            Finding(
                kind="object",
                label=names.get(int(number), f"class {number}")[:120],
                confidence=float(score),
                box=box_from_corners(sides, fit.width, fit.height),
            )
            for sides, score, number in zip(
                undo_letterbox(corners, fit), scores, classes, strict=True
            )
        ]


def _try_out(network: Network, name: str) -> None:
    """Run a network once, on grey, before threads share it.

    This finds weights that do not fit their description. It also has to be done on one thread: the
    Python bindings of OpenVINO 2026.4 set up static data on the first call, and two threads that make
    it together wait for each other forever (one has the interpreter's lock, one that of the data).
    """
    blank = np.full((1, 3, network.input_height, network.input_width), 0.5, dtype=np.float32)
    shape = network.infer(blank).shape
    labels = len(network.facts.names)
    is_detector = len(shape) == RAW_AXES and (
        shape[0] == labels + BOX_ROWS or shape[1] == END_TO_END_COLUMNS
    )
    if not is_detector:
        raise ConfigError(
            f"the weights {name!r} put out {shape}, which is no detector of {labels} labels",
            advice="Use weights for detection (not segmentation, pose or classification).",
        )


def choose_backend(setting: str, weights: Weights | None) -> Backend:
    """Decide which program runs the weights.

    Args:
        setting: VV_YOLO_BACKEND.
        weights: those of VV_YOLO_MODEL.

    Raises:
        ConfigError: the two do not go together.
    """
    if setting == "embedded" or (setting == "auto" and weights is None):
        return "embedded"
    if weights is None:
        raise ConfigError(
            f"VV_YOLO_BACKEND={setting} needs weights, and VV_YOLO_MODEL is empty",
            advice="Set VV_YOLO_MODEL, or VV_YOLO_BACKEND=auto for the embedded default.",
        )
    by_kind: dict[str, Backend] = {
        "openvino": "openvino",
        "onnx": "onnxruntime",
        "torch": "ultralytics",
    }
    if setting in {"auto", by_kind[weights.kind]}:
        return by_kind[weights.kind]
    if setting == "ultralytics":
        return "ultralytics"
    raise ConfigError(
        f"VV_YOLO_BACKEND={setting} cannot load {weights.path.name!r}",
        advice=f"Set VV_YOLO_BACKEND=auto, which takes {by_kind[weights.kind]} for it.",
    )


def make_detector(settings: Settings) -> Detector:
    """Load the detector that the settings ask for.

    Raises:
        ConfigError: the weights or the program that runs them are missing or unusable.
    """
    path = active_detector(settings)
    weights = find_weights(path) if path is not None else None
    backend = choose_backend(settings.yolo_backend, weights)
    if backend == "embedded" or weights is None:
        from scan_video.embedded import EmbeddedDetector

        return EmbeddedDetector(settings.yolo_confidence)
    facts = DetectorFacts(
        backend=backend,
        name=weights.name,
        weights_hash=weights.digest(),
        confidence=settings.yolo_confidence,
        iou=settings.yolo_iou,
    )
    if backend == "ultralytics":
        from scan_video.ultralytics_backend import UltralyticsDetector

        return UltralyticsDetector(weights, facts)
    return YoloDetector(_load_network(backend, weights, facts, settings), facts)


def _load_network(
    backend: Backend, weights: Weights, facts: DetectorFacts, settings: Settings
) -> Network:
    if backend == "openvino":
        from scan_video.openvino_backend import OpenVinoNetwork

        assert facts.weights_hash is not None
        kept_in = settings.storage.scanner_state
        return OpenVinoNetwork(weights, facts.weights_hash, worker_count(), kept_in)
    from scan_video.onnx_backend import OnnxNetwork

    return OnnxNetwork(weights)
