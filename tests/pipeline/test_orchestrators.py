"""Orchestrators as processes: two at once, ended by SIGTERM, killed with a stage left behind."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.killing import finish, fork_cycle
from tests.support.fork_runner import ForkRunner
from vv_core.errors import TemporaryError
from vv_core.pipeline import orchestrate
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.orchestrate import end_cleanly_on_sigterm, run_once
from vv_core.pipeline.stages import StageSpec
from vv_core.process import ChildResult

pytestmark = pytest.mark.integration

PATIENCE_S = 20.0


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.005)


def has_children(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task")
    return any((task / "children").read_text() for task in tasks.iterdir())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def end_of(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def fork_orchestrator(box: Box, said: Path) -> int:
    """Run a cycle as the command does, with its words in a file."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        end_cleanly_on_sigterm()
        with said.open("w") as stream, contextlib.redirect_stdout(stream):
            code = box.cycle()
    except SystemExit as exc:
        code = int(exc.code or 0)
    finally:
        os._exit(code)


@pytest.mark.parametrize("seed", range(5))
def test_two_started_together_process_each_video_once(box: Box, tmp_path: Path, seed: int) -> None:
    for number in range(3):
        box.add(f"{number}.mp4")
    said = [tmp_path / "said-0", tmp_path / "said-1", tmp_path / "said-2"]
    children = [fork_orchestrator(box, path) for path in said]
    assert [end_of(child) for child in children] == [0, 0, 0]
    box.check_settled()
    assert len(box.log_lines()) == 3
    words = sorted(path.read_text() for path in said)
    assert words[-1].startswith("cycle: ")
    assert any("3 done" in text for text in words)
    assert words[0] in {"another orchestrator is at work; nothing to do\n", "cycle: no new video\n"}


def test_while_one_works_a_second_says_so_and_leaves(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("a.mp4", "hang")
    child = fork_orchestrator(box, box.home / "said")
    wait_until(lambda: has_children(child))
    assert box.cycle() == 0
    assert capsys.readouterr().out == "another orchestrator is at work; nothing to do\n"
    os.kill(child, signal.SIGTERM)
    assert end_of(child) == 143


def test_in_portuguese_too(make_box: MakeBox, capsys: pytest.CaptureFixture[str]) -> None:
    box = make_box(VV_LANGUAGE="pt-BR")
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock"):
        assert box.cycle() == 0
    assert capsys.readouterr().out == "outro orquestrador está trabalhando; nada a fazer\n"


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_cleanly_and_counts_against_no_video(make_box: MakeBox, workers: int) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=workers, ORCHESTRATOR_BATCH_SIZE=1)
    hashes = [box.add(f"{number}.mp4", "hang") for number in range(3)]
    child = fork_orchestrator(box, box.home / "said")
    wait_until(lambda: len(children_of(child)) == workers)
    stages = children_of(child)
    started = time.monotonic()
    os.kill(child, signal.SIGTERM)
    assert end_of(child) == 143
    assert time.monotonic() - started < 8
    assert not any(is_alive(stage) for stage in stages)
    with box.history() as history:
        assert [history.attempts(sha256).failures for sha256 in hashes] == [0, 0, 0]
        assert history.stage_runs() == []
        assert history.last_cycle() is not None
    box.check()
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock") as lock:
        assert lock.begin_cycle() is True
    assert not list(box.folder("orchestrator_data").glob("batches/*"))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_sigterm_at_any_moment_loses_nothing(make_box: MakeBox, workers: int) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=workers, ORCHESTRATOR_BATCH_SIZE=1)
    for moment in range(12):
        for number in range(3):
            box.add(f"{moment}-{number}.mp4")
        child = fork_orchestrator(box, box.home / "said")
        time.sleep(moment * 0.012)
        os.kill(child, signal.SIGTERM)
        # Too early, before the handler is there, it ends at once.
        assert end_of(child) in {0, 143, -signal.SIGTERM}
        box.check()
        with box.history() as history:
            assert history.waiting_retries() == 0
    finish(box)
    box.check_settled()


def test_a_second_sigterm_does_not_break_into_the_clean_end(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=2, ORCHESTRATOR_BATCH_SIZE=1)
    for number in range(2):
        box.add(f"{number}.mp4", "hang")
    child = fork_orchestrator(box, box.home / "said")
    wait_until(lambda: len(children_of(child)) == 2)
    for _ in range(20):
        os.kill(child, signal.SIGTERM)
        time.sleep(0.0005)
    assert end_of(child) == 143
    box.check()


def test_a_stage_that_somebody_else_ends_is_no_crash_of_the_video(box: Box) -> None:
    """As when the machine shuts down, and the stage gets its SIGTERM before the orchestrator."""
    sha256 = box.add("a.mp4", "hang")
    child = fork_orchestrator(box, box.home / "said")
    journals = box.folder("orchestrator_data") / "batches"
    wait_until(lambda: any(path.stat().st_size for path in journals.glob("*.journal")))
    (stage,) = children_of(child)
    os.kill(stage, signal.SIGTERM)
    assert end_of(child) == 0
    with box.history() as history:
        attempts = history.attempts(sha256)
    assert (attempts.failures, attempts.crashes) == (1, 0)
    box.check()


class LogEater(ForkRunner):
    """Takes the log away when the first LogLine is about to be written."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> ChildResult:
        if spec.name == "logline_generator":
            self._log.mkdir()
        return super().run(spec, batch_list, timeout_s=timeout_s, is_stalled=is_stalled)


def test_what_ends_one_worker_ends_all(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=2, ORCHESTRATOR_BATCH_SIZE=1)
    hashes = [box.add("0.mp4", "hang"), box.add("1.mp4"), box.add("2.mp4", "hang")]
    usual, box.runner = box.runner, LogEater(box.log_path)
    started = time.monotonic()
    with pytest.raises(TemporaryError) as caught:
        box.cycle()
    assert time.monotonic() - started < 10
    assert "processed_videos.log" in caught.value.message
    with box.history() as history:
        assert [history.attempts(sha256).failures for sha256 in hashes] == [0, 0, 0]
    box.runner = usual
    box.log_path.rmdir()
    for name in ("0.mp4", "2.mp4"):
        box.contents.discard(hashes[int(name[0])])
        box.add(name)
    finish(box)
    box.check_settled()


class Orphaning(ForkRunner):
    """Starts a stage that does not end with its orchestrator, and goes on for a while."""

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> ChildResult:
        if os.fork() == 0:
            time.sleep(1.5)
            os._exit(0)
        time.sleep(60)
        raise AssertionError("not reached")


def test_a_stage_left_by_a_killed_orchestrator_holds_the_lock_until_it_ends(
    box: Box, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("a.mp4")
    usual, box.runner = box.runner, Orphaning()
    child = fork_cycle(box)
    wait_until(lambda: has_children(child))
    os.kill(child, signal.SIGKILL)
    end_of(child)
    box.runner = usual
    assert box.cycle() == 0
    assert "another orchestrator" in capsys.readouterr().out
    assert box.names("input") == ["a.mp4"]
    finish(box)
    box.check_settled()


# ── The loop ──


class Enough(Exception):
    """Ends a loop that has no end."""


@pytest.fixture
def few_pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let the loop pause three times, in no time, and note for how long it would have."""
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise Enough

    monkeypatch.setattr(time, "sleep", pause)
    return pauses


def test_the_loop_runs_a_cycle_every_interval(
    make_box: MakeBox, few_pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(ORCHESTRATOR_INTERVAL=300)
    with pytest.raises(Enough):
        orchestrate.run_loop(box.settings)
    assert capsys.readouterr().out == "cycle: no new video\n" * 3
    assert all(290 < pause <= 300 for pause in few_pauses)


def test_the_loop_survives_cycles_that_fail(
    make_box: MakeBox, few_pauses: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box()
    box.input.rmdir()
    with pytest.raises(Enough):
        orchestrate.run_loop(box.settings)
    assert capsys.readouterr().err.count("list the videos") == 3


def test_a_lock_file_that_cannot_be_written_keeps_no_lock(box: Box) -> None:
    """A full disk, in a loop: the next cycle of the same process is not locked out by itself."""
    path = box.folder("orchestrator_data") / "orchestrator.lock"
    path.mkdir()
    for _ in range(2):
        with pytest.raises(Exception, match="keep the orchestrator's state"):
            run_once(box.settings, box.clock, lambda _settings, _fd: box.runner)
    path.rmdir()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert box.cycle() == 0
    assert said.getvalue() == "cycle: no new video\n"
