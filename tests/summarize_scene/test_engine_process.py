"""A worker may hang, crash, be killed or talk nonsense: the stage goes on, in time, and says why."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarize_scene.engine import Generation, Request
from summarize_scene.engine_process import (
    MAX_STARTS,
    WORKER,
    Limits,
    ProcessEngine,
    plan_limits,
    start_engine,
)
from summarize_scene.engine_wire import decode_answer, decode_ready
from summarize_scene.llama_engine import LlamaOptions
from summarize_scene.prompt import PACKAGED_PROMPT, load_prompt
from summarize_scene.rules_text import write_rules_text
from summarize_scene.writer import parse_answer, write_draft
from tests.pipeline.processes import is_alive
from tests.summarize_scene.scenes import label, scene
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from tests.summarize_scene.workers import worker_of
from tests.support.waiting import wait_for
from vv_core.errors import ConfigError
from vv_core.utils import compute_sha256

pytestmark = pytest.mark.integration

BROKEN = Path(__file__).with_name("broken_worker.py")
FACTS = scene(label("person", 2), label("car", 1))
PROMPT = load_prompt(PACKAGED_PROMPT)
MEMORY = 300 * 1024 * 1024
FAULTS = {
    "hang": "did not answer in time and was ended",
    "deaf": "did not answer in time and was ended",
    "half a line": "did not answer in time and was ended",
    "exit": "ended with exit code 3",
    "SIGSEGV": "was ended by SIGSEGV",
    "SIGABRT": "was ended by SIGABRT",
    "SIGKILL": "was ended by SIGKILL (killed, often for want of memory)",
    "eat memory": "ended with exit code 1: MemoryError",
    "garbage": "said something that is no answer",
    "nested": "said something that is no answer",
    "old answer": "said something that is no answer",
    "surrogate": "said something that is no answer",
    "flood": "said more than 1048576 bytes in one line",
}
LOAD_FAULTS = {
    "hang at load": "did not answer in time and was ended",
    "exit at load": "ended with exit code 1: the library is not what it was",
    "garbage at load": "said something that is no answer",
}

MakeEngine = Callable[..., ProcessEngine]


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[MakeEngine]:
    model = tmp_path / "broken.gguf"
    model.write_bytes(b"GGUF")
    engines = []

    def make(fault: str, load_s: float = 30.0) -> ProcessEngine:
        worker = (sys.executable, str(BROKEN), fault)
        engine = ProcessEngine(model, LlamaOptions(), Limits(MEMORY, load_s), worker)
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.close()


def generate(engine: ProcessEngine, timeout_s: float = 0.3, grammar: str = "") -> Generation:
    request = Request("s", "u", "p")
    return engine.generate(request, grammar, PROMPT.head, seed=1, timeout_s=timeout_s)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_worker_that_fails_costs_one_scene_its_model_text(broken: MakeEngine, fault: str) -> None:
    engine = broken(fault)
    draft = write_draft(FACTS, "pt-BR", engine, PROMPT, seed=7, timeout_s=0.3)
    assert not draft.by_model
    assert draft.fallback_reason == f"the model's process {FAULTS[fault]}"
    assert len(draft.attempts) == 1
    assert draft.written == write_rules_text(FACTS, "pt-BR")


def test_a_worker_that_never_reads_does_not_block_a_long_request(broken: MakeEngine) -> None:
    generation = generate(broken("deaf"), grammar="x" * 1_000_000)
    assert generation.failure == f"the model's process {FAULTS['deaf']}"


@pytest.mark.parametrize("fault", LOAD_FAULTS)
def test_a_model_that_does_not_load_is_not_tried_again(broken: MakeEngine, fault: str) -> None:
    engine = broken(fault, load_s=2.0 if fault == "hang at load" else 30.0)
    reason = f"the model was not loaded: the model's process {LOAD_FAULTS[fault]}"
    for _ in range(3):
        assert generate(engine) == Generation("", 0, 0.0, reason, is_final=True)
    assert (engine.card.model, engine.card.quantization) == ("broken.gguf", None)


def test_a_model_for_which_memory_lacks_is_data(broken: MakeEngine) -> None:
    engine = broken("no memory")
    assert generate(engine).failure == "it did not fit into memory"
    assert generate(engine).failure == "it did not fit into memory"


def test_a_model_that_can_never_run_is_a_wrong_setting(broken: MakeEngine) -> None:
    engine = broken("no model")
    with pytest.raises(ConfigError, match="cannot run it") as raised:
        _ = engine.card
    assert raised.value.advice == "Take another."


def test_fresh_workers_are_started_so_many_times_and_no_more(broken: MakeEngine) -> None:
    engine = broken("exit")
    reasons = [generate(engine).failure for _ in range(MAX_STARTS + 2)]
    died = f"the model's process {FAULTS['exit']}"
    gave_up = f"the model's process failed {MAX_STARTS} times in this batch"
    assert reasons == [died] * MAX_STARTS + [gave_up] * 2
    assert engine.card.quantization == "Q4_0"


def test_a_program_that_is_not_there_is_data(tmp_path: Path) -> None:
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    engine = ProcessEngine(model, LlamaOptions(), Limits(MEMORY, 30.0), ("/does/not/exist",))
    failure = generate(engine).failure
    assert failure == "the model's process cannot be started: No such file or directory"


def test_a_file_that_is_no_model_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        start_engine(tmp_path / "absent.gguf", LlamaOptions(), 0)


def test_limits_fit_the_model() -> None:
    mib = 1024 * 1024
    assert plan_limits(3 * mib, 0) == Limits((1024 + 6) * mib, 30.15)
    assert plan_limits(1200 * mib, 0) == Limits((1024 + 2400) * mib, 90.0)
    assert plan_limits(1200 * mib, 512).memory_bytes == 512 * mib


@pytest.mark.parametrize(
    "line",
    [b"", b"7", b"{}", b'{"ready": 1}', b'{"refused": {"code": "x"}}', b"\xff", b"[" * 100_000],
)
def test_what_is_no_answer_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        decode_ready(line)
    with pytest.raises(ValueError):
        decode_answer(line, 1)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["number", "generation", "text", "ready"]), inner)
    ),
    max_leaves=8,
)


@given(st.binary(max_size=80) | JSON.map(lambda value: json.dumps(value).encode()))
def test_no_line_breaks_the_reader(line: bytes) -> None:
    for decode in (decode_ready, lambda text: decode_answer(text, 1)):
        with contextlib.suppress(ValueError):
            decode(line)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    return write_tiny_gguf(tmp_path_factory.mktemp("model") / "modelo ☕.gguf")


@pytest.fixture
def real(model: Path) -> Iterator[ProcessEngine]:
    engine = start_engine(model, LlamaOptions(context=4096, threads=1), 0)
    yield engine
    engine.close()


def one_text(engine: ProcessEngine, timeout_s: float = 60.0) -> Generation:
    grammar = r'root ::= "{\"title\":\"" [a-z]{1,9} "\",\"text\":\"" [a-z]{1,9} "\"}"'
    request = Request("s", "u", "p")
    return engine.generate(request, grammar, PROMPT.head, seed=3, timeout_s=timeout_s)


def test_the_real_worker_writes(real: ProcessEngine, model: Path) -> None:
    assert real.card.model_hash == compute_sha256(model)
    first, again = one_text(real), one_text(real)
    assert first.failure is None
    assert parse_answer(first.text) is not None
    assert again.text == first.text


def test_the_real_worker_keeps_the_deadline_itself_and_goes_on(real: ProcessEngine) -> None:
    request = Request("s", "u", "p" * 1500)
    late = real.generate(request, 'root ::= "a"{1,99}', PROMPT.head, seed=1, timeout_s=1e-4)
    assert late.failure == "not finished within 0.0001 s"
    assert one_text(real).failure is None


def test_a_real_worker_that_is_killed_is_replaced(real: ProcessEngine) -> None:
    assert one_text(real).failure is None
    os.kill(worker_of(os.getpid()), signal.SIGKILL)
    failure = one_text(real).failure
    assert failure == f"the model's process {FAULTS['SIGKILL']}"
    assert one_text(real).failure is None


def test_a_real_worker_that_is_stopped_is_replaced(real: ProcessEngine) -> None:
    assert one_text(real).failure is None
    os.kill(worker_of(os.getpid()), signal.SIGSTOP)
    assert one_text(real, timeout_s=0.2).failure == f"the model's process {FAULTS['hang']}"
    assert one_text(real).failure is None


def test_a_real_model_that_does_not_fit_the_limit_is_data(model: Path) -> None:
    engine = start_engine(model, LlamaOptions(context=2_000_000, threads=1), 256)
    try:
        failure = one_text(engine).failure
        assert failure is not None
        assert "memory" in failure
    finally:
        engine.close()


def test_a_real_file_of_nonsense_is_a_wrong_setting(tmp_path: Path) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + b"\xff" * 200)
    engine = start_engine(bad, LlamaOptions(), 0)
    with pytest.raises(ConfigError, match="cannot run"):
        _ = engine.card


def test_the_worker_ends_with_its_stage(model: Path) -> None:
    """A stage that is killed cannot say good-bye."""
    code = (
        "import sys; from pathlib import Path\n"
        "from summarize_scene.engine_process import start_engine\n"
        "from summarize_scene.llama_engine import LlamaOptions\n"
        f"engine = start_engine(Path({str(model)!r}), LlamaOptions(), 0)\n"
        "engine.card; print('ready', flush=True); sys.stdin.read()\n"
    )
    stage = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with stage:
        assert stage.stdout is not None
        assert stage.stdout.readline() == b"ready\n"
        worker = worker_of(stage.pid)
        stage.kill()
    _await_end(worker)


def _await_end(pid: int) -> None:
    wait_for(lambda: not is_alive(pid), "the end of the stage's worker")


def test_the_worker_ends_when_its_pipe_closes(model: Path) -> None:
    load = json.dumps(
        {"model": str(model), "context": 512, "threads": 1, "gpu_layers": 0, "memory_bytes": 2**31}
    )
    done = subprocess.run(
        [*WORKER, load], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert json.loads(done.stdout)["ready"]["quantization"] == "F32"
