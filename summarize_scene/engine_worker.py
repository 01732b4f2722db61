"""The child process that holds the model: ``python -m summarize_scene.engine_worker``.

It is started by `engine_process` and speaks `engine_wire` on stdin and stdout. Whatever llama.cpp does to
it (a hang, a crash, all memory taken), the stage goes on without it.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import BinaryIO

from summarize_scene.engine_wire import (
    Load,
    decode_call,
    decode_load,
    encode_answer,
    encode_ready,
    encode_refusal,
)
from summarize_scene.llama_engine import LlamaEngine, LlamaOptions
from summarize_scene.memory import limit_memory
from vv_core.errors import ExitCode, VvError
from vv_core.process import die_with_parent


def main() -> int:
    """Serve one stage until it closes its end of the pipe; returns the exit code."""
    die_with_parent()
    load = decode_load(sys.argv[1])
    # A stage that has gone needs no answer.
    with _claim_stdout() as answers, suppress(BrokenPipeError):
        return _serve(load, sys.stdin.buffer, answers)
    return ExitCode.OK


def _claim_stdout() -> FileIO:
    """Return the pipe to the stage; what libraries print goes to stderr from now on."""
    answers = FileIO(os.dup(1), "wb")
    os.dup2(2, 1)
    return answers


def _serve(load: Load, calls: BinaryIO, answers: FileIO) -> int:
    limit_memory(load.memory_bytes)
    try:
        engine = _load(load)
    except VvError as exc:
        answers.write(encode_refusal(exc))
        return exc.exit_code
    answers.write(encode_ready(engine.card))
    for line in calls:
        call = decode_call(line)
        generation = engine.generate(
            call.request, call.grammar, call.sampling, seed=call.seed, timeout_s=call.timeout_s
        )
        answers.write(encode_answer(call.number, generation))
    engine.close()
    return ExitCode.OK


def _load(load: Load) -> LlamaEngine:
    return LlamaEngine(Path(load.model), LlamaOptions(load.context, load.threads, load.gpu_layers))


if __name__ == "__main__":
    sys.exit(main())
