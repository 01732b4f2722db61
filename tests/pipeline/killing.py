"""Ending processes with SIGKILL at a chosen step: every change that could be half-done is a step."""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import signal
import struct
import time
from collections.abc import Callable
from os import open as os_open
from typing import Any

from tests.pipeline.box import Box
from tests.support.forking import end_unmeasured, fork
from vv_core.pipeline.history import History

OPERATIONS = (
    "open",
    "write",
    "pwrite",
    "ftruncate",
    "fsync",
    "fdatasync",
    "replace",
    "rename",
    "link",
    "unlink",
    "mkdir",
)
"""What changes files or makes a change durable."""

_FORMAT = "qq"
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATIENCE_S = 60.0


class Killer:
    """Counts steps over the processes of a cycle, and kills at the one that was chosen."""

    def __init__(self, at: int, *, who_steps: str, who_dies: str, is_after: bool) -> None:
        """Choose the moment.

        Args:
            at: number of the step, from 1.
            who_steps: "orchestrator" or "stage": whose steps are counted.
            who_dies: the same, or "orchestrator" while a stage steps.
            is_after: kill after the step, not before.
        """
        self._at = at
        self._who_steps = who_steps
        self._who_dies = who_dies
        self._is_after = is_after
        # Shared with forked children: steps so far, and the one who steps.
        self._shared = mmap.mmap(-1, struct.calcsize(_FORMAT))

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return int(self._read()[0])

    @property
    def has_struck(self) -> bool:
        """Whether the chosen step came."""
        return self.steps >= self._at

    def _read(self) -> tuple[int, int]:
        steps, orchestrator = struct.unpack(_FORMAT, self._shared[:])
        return steps, orchestrator

    def arm(self) -> None:
        """Watch this process, the orchestrator's, and those that it forks."""
        self._shared[:] = struct.pack(_FORMAT, 0, os.getpid())
        for name in OPERATIONS:
            setattr(os, name, self._watched(getattr(os, name)))
        for name in ("_write", "add_cycle"):
            setattr(History, name, self._watched(getattr(History, name)))

    def _watched(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            if operation is os_open and not args[1] & _CHANGING:
                return operation(*args, **kwargs)
            is_struck = self._count()
            if is_struck and not self._is_after:
                self._kill()
            try:
                return operation(*args, **kwargs)
            finally:
                if is_struck and self._is_after:
                    self._kill()

        return step

    def _count(self) -> bool:
        steps, orchestrator = self._read()
        who = "orchestrator" if os.getpid() == orchestrator else "stage"
        if who != self._who_steps:
            return False
        self._shared[:] = struct.pack(_FORMAT, steps + 1, orchestrator)
        return steps + 1 == self._at

    def _kill(self) -> None:
        if self._who_dies == self._who_steps:
            os.kill(os.getpid(), signal.SIGKILL)
        os.kill(self._read()[1], signal.SIGKILL)
        # The stage's own end follows its orchestrator's, at once or when it first looks for it.
        time.sleep(0.1)


def fork_cycle(box: Box, prepare: Callable[[], object] = lambda: None) -> int:
    """Run a cycle in a forked process and return its pid; it exits with the cycle's code."""
    child = fork(is_measured=False)
    if child:
        return child
    code = 70
    try:
        prepare()
        with contextlib.redirect_stdout(io.StringIO()):
            code = box.cycle()
    finally:
        end_unmeasured(code)


def finish(box: Box) -> None:
    """Run cycles until the one after a kill has done its work."""
    box.wait(86400)
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with contextlib.redirect_stdout(io.StringIO()) as said:
            assert box.cycle() == 0
        # A stage that outlives its orchestrator for a moment holds the lock.
        if "another orchestrator" not in said.getvalue():
            return
    raise AssertionError("the lock was never free again")
