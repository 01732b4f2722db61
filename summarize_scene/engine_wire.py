"""What stage and worker say to each other: one JSON object a line.

What to load is the worker's one argument. It answers with a line when that is done, and then each call, a
line on its stdin, with one line. What comes from the worker is checked like any input: a model that runs
wild may write anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from vv_core.errors import VvError, from_exit_code


@dataclass(frozen=True)
class Load:
    """The argument of a worker.

    Attributes:
        model: path of the GGUF.
        context, threads, gpu_layers: see `llama_engine.LlamaOptions`.
        memory_bytes: what the worker may take for itself, the mapped file not counted.
    """

    model: str
    context: int
    threads: int
    gpu_layers: int
    memory_bytes: int


@dataclass(frozen=True)
class CallSampling:
    """The part of a prompt's front matter that a worker needs; an `engine.Sampling`."""

    chat: Literal["auto", "plain"]
    max_tokens: int
    temperature: float
    top_p: float
    top_k: int
    repeat_penalty: float


@dataclass(frozen=True)
class Call:
    """A line to a worker: write once.

    Attributes:
        number: stands in the answer, so that an old answer is never taken for a new one.
    """

    number: int
    request: Request
    grammar: str
    sampling: CallSampling
    seed: int
    timeout_s: float


def make_call(
    number: int, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
) -> Call:
    """Return a call with a copy of what of the prompt's head concerns the worker."""
    names = CallSampling.__dataclass_fields__
    sampling = CallSampling(**{name: getattr(head, name) for name in names})
    return Call(number, request, grammar, sampling, seed, timeout_s)


def encode(message: Load | Call) -> bytes:
    """Return a message as one line of ASCII, without newline."""
    return json.dumps(asdict(message)).encode("ascii")


def decode_load(argument: str) -> Load:
    """Return what to load; the stage is trusted."""
    return Load(**json.loads(argument))


def decode_call(line: bytes) -> Call:
    """Return a call; the stage is trusted."""
    raw = json.loads(line)
    request, sampling = Request(**raw.pop("request")), CallSampling(**raw.pop("sampling"))
    return Call(request=request, sampling=sampling, **raw)


def encode_ready(card: EngineCard) -> bytes:
    """Return the worker's answer when the model is loaded."""
    return _line({"ready": asdict(card)})


def encode_refusal(error: VvError) -> bytes:
    """Return the worker's answer when the model cannot be loaded."""
    code = int(error.exit_code)
    return _line({"refused": {"code": code, "message": error.message, "advice": error.advice}})


def encode_answer(number: int, generation: Generation) -> bytes:
    """Return the worker's answer to a call."""
    return _line({"number": number, "generation": asdict(generation)})


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode("ascii") + b"\n"


def decode_ready(line: bytes) -> EngineCard | VvError:
    """Return the card of a loaded model, or why it is not loaded.

    Raises:
        ValueError: the line is neither.
    """
    raw = _object(line)
    if raw.keys() == {"ready"}:
        card = _fields(raw["ready"], _CARD)
        if card["device"] not in {"cpu", "gpu"}:
            raise ValueError("unknown device")
        return EngineCard(**card)
    if raw.keys() != {"refused"}:
        raise ValueError("neither ready nor refused")
    refusal = _fields(raw["refused"], _REFUSAL)
    return from_exit_code(refusal["code"], refusal["message"], advice=refusal["advice"])


def decode_answer(line: bytes, number: int) -> Generation:
    """Return what came of a call.

    Raises:
        ValueError: the line is no answer to this call.
    """
    raw = _object(line)
    if raw.keys() != {"number", "generation"} or raw["number"] != number:
        raise ValueError("no answer to this call")
    generation = Generation(**_fields(raw["generation"], _GENERATION))
    if generation.tokens < 0 or not 0 <= generation.elapsed_s < float("inf"):
        raise ValueError("impossible figures")
    generation.text.encode("utf-8")
    return generation


_Kinds = Mapping[str, tuple[type, ...]]
_CARD: _Kinds = {
    "model": (str,),
    "model_hash": (str,),
    "quantization": (str, type(None)),
    "device": (str,),
    "prompt": (str, type(None)),
}
_REFUSAL: _Kinds = {"code": (int,), "message": (str,), "advice": (str,)}
_GENERATION: _Kinds = {
    "text": (str,),
    "tokens": (int,),
    "elapsed_s": (float, int),
    "failure": (str, type(None)),
    "is_final": (bool,),
}


def _object(line: bytes) -> dict[str, Any]:
    try:
        raw = json.loads(line)
    except RecursionError as exc:
        raise ValueError("nested too deep") from exc
    if not isinstance(raw, dict):
        raise ValueError("no object")
    return raw


def _fields(raw: object, kinds: _Kinds) -> dict[str, Any]:
    if not isinstance(raw, dict) or raw.keys() != kinds.keys():
        raise ValueError("other fields")
    for name, allowed in kinds.items():
        if not isinstance(raw[name], allowed):
            raise ValueError(f"{name} has another type")
    return raw
