"""A model in a process of its own: nothing that it does can stall or fail the stage.

One worker serves a batch. It has a time to load, a time for each text and a limit of memory. A worker
that hangs, crashes, is killed or says nonsense is ended; the scene gets the rule-based text, and the next
scene a fresh worker, up to `MAX_STARTS` of them. After that, or when a model does not even load, the rest of the
batch is written without a model, each summary with the reason.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from summarize_scene.engine_wire import (
    Load,
    decode_answer,
    decode_ready,
    encode,
    make_call,
)
from summarize_scene.line_child import ChildFault, LineChild
from summarize_scene.llama_engine import LlamaOptions, check_model_file
from vv_core.errors import ConfigError
from vv_core.logs import get_logger
from vv_core.process import PARENT_VARIABLE
from vv_core.utils import compute_sha256

MAX_STARTS = 3
WORKER = (sys.executable, "-m", "summarize_scene.engine_worker")

_GRACE_S = 1.0
"""The worker ends late texts itself; one that does not manage to is ended so much later."""

_LOAD_S, _LOAD_BYTES_PER_S = 30.0, 20 * 1024 * 1024
_MIB = 1024 * 1024
_BASE_MIB, _FILE_FACTOR = 1024, 2
_LIBRARY_SETTINGS = {"OPENBLAS_NUM_THREADS": "1"}
"""numpy, which llama-cpp-python imports, would start threads and take memory for matrices."""


@dataclass(frozen=True)
class Limits:
    """What a worker may take.

    Attributes:
        memory_bytes: its own memory, the mapped model not counted.
        load_s: from its start until the model is loaded.
    """

    memory_bytes: int
    load_s: float


def plan_limits(model_bytes: int, memory_mb: int) -> Limits:
    """Return the limits for a model of so many bytes; ``memory_mb`` 0 chooses what fits it.

    llama.cpp may copy all weights into an order that its kernels like better; the rest is the library
    itself, the context's cache and working memory.
    """
    fitting = _BASE_MIB * _MIB + _FILE_FACTOR * model_bytes
    return Limits(
        memory_bytes=memory_mb * _MIB if memory_mb else fitting,
        load_s=_LOAD_S + model_bytes / _LOAD_BYTES_PER_S,
    )


class ProcessEngine:
    """A GGUF in a worker process; see `engine.TextEngine`.

    To be made by a thread that lives as long as the engine: the worker ends with the thread that
    started it.
    """

    def __init__(
        self, model: Path, options: LlamaOptions, limits: Limits, worker: Sequence[str] = WORKER
    ) -> None:
        """Start the worker; it loads the model while the caller does something else.

        Raises:
            ConfigError: the file is absent or no GGUF.
        """
        check_model_file(model)
        self._model = model
        load = Load(
            str(model), options.context, options.threads, options.gpu_layers, limits.memory_bytes
        )
        self._load = encode(load).decode("ascii")
        self._limits = limits
        self._worker = tuple(worker)
        self._child: LineChild | None = None
        self._is_ready = False
        self._card: EngineCard | None = None
        self._starts = 0
        self._calls = 0
        self._out_of_service = ""
        self._start()

    @property
    def card(self) -> EngineCard:
        """Which model this is; waits until it is loaded.

        Raises:
            ConfigError: llama.cpp cannot run it, whatever the day.
        """
        if self._card is None:
            self._prepare()
        if self._card is None:
            # It never loaded: the file is all that is known.
            self._card = EngineCard(self._model.name, compute_sha256(self._model), None, "cpu")
        return self._card

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        """Write once; see `engine.TextEngine.generate`.

        Raises:
            ConfigError: as `card`.
        """
        self._prepare()
        started = time.monotonic()
        if self._child is None:
            return Generation("", 0, 0.0, self._out_of_service, is_final=True)
        self._calls += 1
        call = make_call(self._calls, request, grammar, head, seed=seed, timeout_s=timeout_s)
        deadline = started + timeout_s + _GRACE_S
        try:
            self._child.send(encode(call), deadline)
            return decode_answer(self._child.receive(deadline), self._calls)
        except (ChildFault, ValueError) as exc:
            reason = self._lose(exc)
        return Generation("", 0, time.monotonic() - started, reason, is_final=True)

    def close(self) -> None:
        """End the worker."""
        child, self._child = self._child, None
        if child is not None:
            child.end()

    def _prepare(self) -> None:
        """See to it that there is a worker with the model loaded, where there may still be one."""
        if self._child is None and not self._out_of_service:
            self._start()
        if self._child is not None and not self._is_ready:
            self._await_ready(self._child)

    def _start(self) -> None:
        if self._starts == MAX_STARTS:
            self._out_of_service = f"the model's process failed {MAX_STARTS} times in this batch"
            return
        self._starts += 1
        self._is_ready = False
        self._started = time.monotonic()
        environment = {**os.environ, **_LIBRARY_SETTINGS, PARENT_VARIABLE: str(os.getpid())}
        try:
            self._child = LineChild((*self._worker, self._load), environment)
        except OSError as exc:
            self._out_of_service = f"the model's process cannot be started: {exc.strerror}"
            get_logger("summarizer").error("%s", self._out_of_service)

    def _await_ready(self, child: LineChild) -> None:
        deadline = self._started + self._limits.load_s
        try:
            answer = decode_ready(child.receive(deadline))
        except (ChildFault, ValueError) as exc:
            self._out_of_service = f"the model was not loaded: {self._lose(exc)}"
            return
        if isinstance(answer, EngineCard):
            self._is_ready, self._card = True, answer
            _log_loaded(answer, time.monotonic() - self._started)
            return
        self.close()
        if isinstance(answer, ConfigError):
            raise answer
        self._out_of_service = answer.message
        get_logger("summarizer").error("%s → %s", answer.message, answer.advice)

    def _lose(self, fault: Exception) -> str:
        """End the worker and return what happened to it."""
        said = str(fault) if isinstance(fault, ChildFault) else "said something that is no answer"
        reason = f"the model's process {said}"
        get_logger("summarizer").error(
            "%s", reason, extra={"fields": {"event": "model_process_lost", "starts": self._starts}}
        )
        self.close()
        return reason


def _log_loaded(card: EngineCard, load_s: float) -> None:
    fields = {"model": card.model, "sha256": card.model_hash, "device": card.device}
    fields["load_s"] = f"{load_s:.2f}"
    get_logger("summarizer").info("loaded the model", extra={"fields": fields})


def start_engine(model: Path, options: LlamaOptions, memory_mb: int) -> ProcessEngine:
    """Return an engine for a model file, with limits that fit its size.

    Raises:
        ConfigError: the file is absent or no GGUF.
    """
    check_model_file(model)
    return ProcessEngine(model, options, plan_limits(model.stat().st_size, memory_mb))
