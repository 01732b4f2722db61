"""A worker that speaks the protocol and then goes wrong in the way that its first argument names."""

from __future__ import annotations

import os
import signal
import sys
import time

from summarize_scene.engine import EngineCard, Generation
from summarize_scene.engine_wire import decode_call, decode_load, encode_answer, encode_ready
from summarize_scene.engine_wire import encode_refusal as refusal
from summarize_scene.memory import limit_memory
from vv_core.errors import ConfigError, UnavailableError
from vv_core.process import die_with_parent

CARD = EngineCard("broken.gguf", "ab" * 32, "Q4_0", "cpu", "scene_compact")
_FOREVER_S = 3600.0


def say(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def load(fault: str) -> None:
    """Load, or fail to."""
    if fault == "hang at load":
        time.sleep(_FOREVER_S)
    if fault == "exit at load":
        sys.exit("the library is not what it was")
    if fault == "garbage at load":
        say(b'{"ready": {"model": 7}}\n')
        time.sleep(_FOREVER_S)
    if fault == "no model":
        say(refusal(ConfigError("llama.cpp cannot run it", advice="Take another.")))
        sys.exit(78)
    if fault == "no memory":
        say(refusal(UnavailableError("it did not fit into memory", advice="Free some.")))
        sys.exit(69)
    say(encode_ready(CARD))


def answer(fault: str, number: int) -> None:
    """Answer a call, or fail to."""
    if fault == "hang":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(_FOREVER_S)
    if fault == "exit":
        sys.exit(3)
    if fault in {"SIGSEGV", "SIGKILL", "SIGABRT"}:
        os.kill(os.getpid(), signal.Signals[fault])
    if fault == "eat memory":
        hoard = [bytes(range(256)) * 4096 for _ in range(4096)]
        sys.exit(len(hoard))
    if fault == "garbage":
        say(b"\xff\x00 fire!\n")
    if fault == "nested":
        say(b"[" * 100_000 + b"\n")
    if fault == "half a line":
        say(b'{"number": 1')
        time.sleep(_FOREVER_S)
    if fault == "flood":
        while True:
            say(b"fire " * 10_000)
    if fault == "old answer":
        say(encode_answer(number - 1, Generation("{}", 1, 0.1)))
    if fault == "surrogate":
        say(encode_answer(number, Generation("\ud800", 1, 0.1)))
    say(encode_answer(number, Generation("{}", 1, 0.1)))


def main(fault: str, argument: str) -> None:
    """Run until told otherwise."""
    die_with_parent()
    limit_memory(decode_load(argument).memory_bytes)
    load(fault)
    if fault == "deaf":
        time.sleep(_FOREVER_S)
    for line in sys.stdin.buffer:
        answer(fault, decode_call(line).number)


if __name__ == "__main__":
    main(*sys.argv[1:])
