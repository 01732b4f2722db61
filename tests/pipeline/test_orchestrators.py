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
from tests.pipeline.processes import (
    children_of,
    end_of,
    fork_orchestrator,
    has_children,
)
from tests.support.fork_runner import ForkRunner
from tests.support.forking import fork
from tests.support.waiting import wait_for
from vv_core.errors import TemporaryError
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.orchestrate import run_once
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec

pytestmark = pytest.mark.integration


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
    wait_for(lambda: has_children(child))
    assert box.cycle() == 0
    assert capsys.readouterr().out == "another orchestrator is at work; nothing to do\n"
    os.kill(child, signal.SIGTERM)
    assert end_of(child) == -signal.SIGTERM


def test_in_portuguese_too(make_box: MakeBox, capsys: pytest.CaptureFixture[str]) -> None:
    box = make_box(VV_LANGUAGE="pt-BR")
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock"):
        assert box.cycle() == 0
    assert capsys.readouterr().out == "outro orquestrador está trabalhando; nada a fazer\n"


def test_a_stage_that_somebody_else_ends_is_no_crash_of_the_video(box: Box) -> None:
    """As when the machine shuts down, and the stage gets its SIGTERM before the orchestrator."""
    sha256 = box.add("a.mp4", "hang")
    child = fork_orchestrator(box, box.home / "said")
    journals = box.folder("orchestrator_data") / "batches"
    wait_for(lambda: any(path.stat().st_size for path in journals.glob("*.journal")))
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
    ) -> StageEnd:
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
    assert time.monotonic() - started < 120
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
    ) -> StageEnd:
        if fork() == 0:
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
    wait_for(lambda: has_children(child))
    os.kill(child, signal.SIGKILL)
    end_of(child)
    box.runner = usual
    assert box.cycle() == 0
    assert "another orchestrator" in capsys.readouterr().out
    assert box.names("input") == ["a.mp4"]
    finish(box)
    box.check_settled()


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
