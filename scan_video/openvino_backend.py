"""YOLO weights in OpenVINO's format: the fast path on a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import numpy as np
import numpy.typing as npt

from scan_video.compiled_network import load_compiled, openvino
from scan_video.pixels import Blob
from scan_video.weights import Weights, read_openvino_facts
from vv_core.errors import ConfigError

_LONGEST_WAIT_S = 600


class OpenVinoNetwork:
    """A network with one request for each thread, so that no thread waits for another."""

    def __init__(
        self, weights: Weights, digest: str, requests: int, kept_in: Path | None = None
    ) -> None:
        """Load a network.

        Args:
            weights: of kind "openvino".
            digest: of the weights.
            requests: how many threads will use it at a time.
            kept_in: where compiled networks are kept between starts; None to keep none.

        Raises:
            ConfigError: OpenVINO cannot load it.
        """
        self.facts = read_openvino_facts(weights)
        # One core for each request: pictures are looked at on several threads.
        options = {"NUM_STREAMS": requests, "INFERENCE_NUM_THREADS": requests}
        try:
            compiled = load_compiled(
                weights.path, digest, self.facts.input_pixels, options, kept_in
            )
        except RuntimeError as exc:
            raise ConfigError(
                f"OpenVINO cannot load {str(weights.path)!r}: {str(exc)[:300]}",
                advice="Export the weights again (python -m scan_video.export) and check the copy.",
            ) from exc
        self.input_height, self.input_width = (int(n) for n in list(compiled.input(0).shape)[2:])
        self._requests: SimpleQueue[openvino.InferRequest] = SimpleQueue()
        for _ in range(requests):
            self._requests.put(compiled.create_infer_request())

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
