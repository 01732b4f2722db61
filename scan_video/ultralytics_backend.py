"""YOLO weights run by ultralytics itself: any of its formats, at the price of torch."""

from __future__ import annotations

import threading

from scan_video.detectors import DetectorFacts
from scan_video.nms import MAX_BOXES
from scan_video.observations import Finding, box_from_corners
from scan_video.pixels import Image
from scan_video.ultralytics_runtime import load_ultralytics
from scan_video.weights import Weights
from vv_core.errors import ConfigError


class UltralyticsDetector:
    """``YOLO.predict``, one picture at a time."""

    def __init__(self, weights: Weights, facts: DetectorFacts) -> None:
        self.facts = facts
        self._lock = threading.Lock()
        is_folder = weights.kind == "openvino"
        source = weights.path.parent if is_folder else weights.path
        try:
            self._model = load_ultralytics().YOLO(str(source), task="detect", verbose=False)
        except (OSError, RuntimeError, ValueError, KeyError, TypeError) as exc:
            raise ConfigError(
                f"ultralytics cannot load {str(source)!r}: {str(exc)[:300]}",
                advice="Check the copy of the weights, and that this ultralytics knows their version.",
            ) from exc

    def detect(self, image: Image) -> list[Finding]:
        """Return what is in an upright picture, most confident first."""
        height, width = image.shape[:2]
        with self._lock:
            result = self._model.predict(
                image,
                conf=self.facts.confidence,
                iou=self.facts.iou,
                max_det=MAX_BOXES,
                verbose=False,
            )[0]
        rows = result.boxes.data.cpu().numpy()
        return [
            Finding(
                kind="object",
                label=str(result.names[int(row[5])])[:120],
                confidence=float(row[4]),
                box=box_from_corners(row[:4], width, height),
            )
            for row in rows
        ]
