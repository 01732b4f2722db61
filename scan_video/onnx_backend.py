"""YOLO weights in ONNX's format."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from scan_video.pixels import Blob
from scan_video.weights import Weights, parse_facts
from vv_core.errors import ConfigError

try:
    import onnxruntime  # type: ignore[import-untyped]
    from onnxruntime.capi import (  # type: ignore[import-untyped]
        onnxruntime_pybind11_state as onnx_errors,
    )
except ImportError as exc:
    raise ConfigError(
        "ONNX Runtime is not installed",
        advice='Install it (pip install "vv-video-ai-system[onnx]") or use OpenVINO weights.',
    ) from exc


# Its errors have no common base.
_LOAD_ERRORS = (
    onnx_errors.Fail,
    onnx_errors.InvalidArgument,
    onnx_errors.InvalidGraph,
    onnx_errors.InvalidProtobuf,
    onnx_errors.NoSuchFile,
    onnx_errors.NotImplemented,
    onnx_errors.RuntimeException,
    ValueError,
)


class OnnxNetwork:
    """A network in ONNX Runtime on the CPU; its sessions may be shared by threads."""

    def __init__(self, weights: Weights) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Pictures are looked at on several threads: one core each.
        options.intra_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(
                str(weights.path), options, providers=["CPUExecutionProvider"]
            )
            self.facts = parse_facts(dict(self._session.get_modelmeta().custom_metadata_map))
        except _LOAD_ERRORS as exc:
            raise ConfigError(
                f"ONNX Runtime cannot use {str(weights.path)!r}: {str(exc)[:300]}",
                advice="Export the weights again (python -m scan_video.export) and check the copy.",
            ) from exc
        entry = self._session.get_inputs()[0]
        self._input = entry.name
        sides = entry.shape[2:]
        is_fixed = all(isinstance(side, int) for side in sides)
        self.input_height: int
        self.input_width: int
        self.input_height, self.input_width = sides if is_fixed else self.facts.input_pixels

    def infer(self, blob: Blob) -> npt.NDArray[np.float32]:
        """Return the raw output for one picture, without the batch axis."""
        output = self._session.run(None, {self._input: blob})[0]
        return np.asarray(output[0], dtype=np.float32)
