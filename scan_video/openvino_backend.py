"""YOLO weights in OpenVINO's format: the fast path on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from scan_video.pixels import Blob
from scan_video.weights import Weights, read_openvino_facts
from vv_core.errors import ConfigError

_LONGEST_WAIT_S = 600

try:
    import openvino  # type: ignore[import-untyped]
except ImportError as exc:
    raise ConfigError(
        "OpenVINO is not installed",
        advice="Install the scanner's parts (make setup), or unset VV_YOLO_MODEL.",
    ) from exc


class OpenVinoNetwork:
    """A network with one request for each thread, so that no thread waits for another."""

    def __init__(self, weights: Weights, requests: int) -> None:
        self.facts = read_openvino_facts(weights)
        try:
            compiled = self._compile(weights, requests)
        except RuntimeError as exc:
            raise ConfigError(
                f"OpenVINO cannot load {str(weights.path)!r}: {str(exc)[:300]}",
                advice="Export the weights again (python -m scan_video.export) and check the copy.",
            ) from exc
        self._requests: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(requests):
            self._requests.put(compiled.create_infer_request())

    def _compile(self, weights: Weights, requests: int) -> openvino.CompiledModel:
        core = openvino.Core()
        model = core.read_model(weights.path)
        if model.is_dynamic():
            model.reshape([1, 3, *self.facts.input_pixels])
        self.input_height, self.input_width = (int(side) for side in list(model.input(0).shape)[2:])
        # One core for each request: pictures are looked at on several threads.
        threads = {"NUM_STREAMS": requests, "INFERENCE_NUM_THREADS": requests}
        return core.compile_model(model, "CPU", threads)

    def infer(self, blob: Blob) -> npt.NDArray[np.float32]:
        """Return the raw output for one picture, without the batch axis."""
        with self._borrow() as request:
            request.infer([blob], share_inputs=True)
            return np.array(request.get_output_tensor(0).data[0], dtype=np.float32)

    @contextmanager
    def _borrow(self) -> Iterator[openvino.InferRequest]:
        request = self._requests.get(timeout=_LONGEST_WAIT_S)
        try:
            yield request
        finally:
            self._requests.put(request)
