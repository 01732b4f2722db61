"""A StageRunner that forks: real processes to kill, without the start of a Python for each."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from logline_generator import log_events, logline_generator
from summarize_scene import summarize_scene
from tests.support import light_stages
from tests.support.forking import end_unmeasured, fork
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec
from vv_core.process import ChildResult
from vv_core.stage import StageItem

_STAGES: dict[str, Callable[[list[str]], int]] = {
    "scan_video": light_stages.scan,
    "summarize_scene": summarize_scene.main,
    "logline_generator": logline_generator.main,
    "log_events": log_events.main,
}


class ForkRunner:
    """Runs the light scanner, the real summarizer and the real writer in forked children."""

    def __init__(self) -> None:
        self.starts: list[str] = []

    def recover(self) -> None:
        pass

    def place(self, item: StageItem) -> StageItem:
        return item

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        if spec.name != "log_events":
            self.starts.append(spec.name)
        started = time.monotonic()
        parent = os.getpid()
        child = fork(is_measured=False)
        if child == 0:
            _be_stage(spec.name, batch_list, parent)
        try:
            status, timed_out = _wait(child, started + timeout_s, is_stalled)
        except BaseException:
            _end(child)
            raise
        code = os.waitstatus_to_exitcode(status)
        exit_code = code if code >= 0 else 128 - code
        duration_s = time.monotonic() - started
        return StageEnd(ChildResult(exit_code, timed_out, duration_s, ("last words",)))


def _wait(child: int, deadline: float, is_stalled: Callable[[], bool]) -> tuple[int, bool]:
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status, False
        if is_stalled() or time.monotonic() > deadline:
            return _end(child), True
        time.sleep(0.001)


def _end(child: int) -> int:
    os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _be_stage(name: str, batch_list: Path, parent: int) -> None:
    """Become the stage; never return to the test."""
    code = 70
    try:
        # A program that is started does not inherit its parent's handlers either.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.environ["VV_PARENT_PID"] = str(parent)
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - till the end
        code = _STAGES[name](["--batch", str(batch_list)])
    finally:
        end_unmeasured(code)
