"""Ending when asked to: at any moment, within seconds, with nothing held against a video."""

from __future__ import annotations

import itertools
import logging
import os
import signal
import threading
import time

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.killing import finish
from tests.pipeline.processes import children_of, end_of, fork_orchestrator, is_alive
from tests.support.waiting import wait_for
from vv_core.pipeline.ending import Ending, StopSign
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.orchestrate import run_loop

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("workers", [1, 2])
def test_sigterm_ends_cleanly_and_counts_against_no_video(make_box: MakeBox, workers: int) -> None:
    box = make_box(ORCHESTRATOR_WORKERS=workers, ORCHESTRATOR_BATCH_SIZE=1)
    hashes = [box.add(f"{number}.mp4", "hang") for number in range(3)]
    child = fork_orchestrator(box, box.home / "said")
    wait_for(lambda: len(children_of(child)) == workers)
    stages = children_of(child)
    started = time.monotonic()
    os.kill(child, signal.SIGTERM)
    assert end_of(child) == -signal.SIGTERM
    assert time.monotonic() - started < 60
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
        assert end_of(child) in {0, -signal.SIGTERM}
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
    wait_for(lambda: len(children_of(child)) == 2)
    for _ in range(20):
        os.kill(child, signal.SIGTERM)
        time.sleep(0.0005)
    assert end_of(child) == -signal.SIGTERM
    box.check()


# ── The loop ──


class ThreeRounds(StopSign):
    """Asks a loop to end after its third cycle, and notes for how long it would have slept."""

    def __init__(self) -> None:
        super().__init__()
        self.pauses: list[float] = []

    def is_set(self) -> bool:
        return len(self.pauses) == 3

    def wait(self, seconds: float) -> None:
        self.pauses.append(seconds)


def test_the_loop_runs_a_cycle_every_interval(
    make_box: MakeBox, capsys: pytest.CaptureFixture[str]
) -> None:
    box = make_box(ORCHESTRATOR_INTERVAL=300)
    with ThreeRounds() as sign, pytest.raises(Ending):
        run_loop(box.settings, sign)
    assert capsys.readouterr().out == "cycle: no new video\n" * 3
    assert all(290 < pause <= 300 for pause in sign.pauses)


def test_the_loop_survives_cycles_that_fail(
    box: Box, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A handler that another test left writes to a stream that is closed by now, and says so.
    monkeypatch.setattr(logging.getLogger("vv"), "handlers", [logging.NullHandler()])
    box.input.rmdir()
    with ThreeRounds() as sign, pytest.raises(Ending):
        run_loop(box.settings, sign)
    assert capsys.readouterr().err.count("list the videos") == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sleeping_loop_wakes_up_to_end(number: int) -> None:
    started = time.monotonic()
    before = signal.getsignal(number)
    with StopSign() as sign:
        sign.wait(0.01)
        sign.wait(-1)
        assert not sign.is_set()
        threading.Timer(0.1, os.kill, (os.getpid(), number)).start()
        sign.wait(60)
        os.kill(os.getpid(), number)
        assert sign.is_set()
    assert time.monotonic() - started < 50
    assert signal.getsignal(number) is before


def gets_through(box: Box, at: int) -> bool:
    """Ask a cycle to end when it wants to know for the ``at``-th time; True when it got through."""
    asked = itertools.count(1)
    try:
        box.cycle(lambda: next(asked) >= at)
    except Ending:
        return False
    return True


def test_at_each_point_where_it_may_end_it_ends_in_good_order(box: Box) -> None:
    """Ask at the first question of a cycle, then at the second, until one gets through."""
    for number in range(3):
        box.add(f"{number}.mp4")
    box.add("again.mp4", "ok\n" + "1.mp4", unique=False)
    questions = 0
    while not gets_through(box, questions := questions + 1):
        box.check()
        with box.history() as history:
            assert history.waiting_retries() == 0
            last = history.last_cycle()
        assert last is not None
        assert last.stopped_by == "asked to end"
    assert questions > 10
    finish(box)
    box.check_settled()
