"""One orchestrator at a time, and how the last one ended."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

_RUNNING = b"running\n"


class AlreadyRunning(Exception):
    """Another orchestrator, or a stage that one left behind, holds the lock."""


class CycleLock:
    """An exclusive ``flock`` whose file also says whether the last cycle ended cleanly.

    Stages inherit the descriptor: while one of a killed orchestrator still lives, no other starts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> CycleLock:
        """Take the lock.

        Raises:
            AlreadyRunning: somebody else holds it.
            OSError: the lock file cannot be made.
        """
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._descriptor)
            raise AlreadyRunning(str(self._path)) from None
        return self

    def fileno(self) -> int:
        """Return the descriptor that stages inherit."""
        return self._descriptor

    def begin_cycle(self) -> bool:
        """Note, durably, that a cycle runs; return whether the last one did not end cleanly.

        Raises:
            OSError: it cannot be written.
        """
        was_interrupted = os.fstat(self._descriptor).st_size > 0
        os.pwrite(self._descriptor, _RUNNING, 0)
        os.fsync(self._descriptor)
        return was_interrupted

    def end_cycle(self) -> None:
        """Note that the cycle has ended cleanly."""
        os.ftruncate(self._descriptor, 0)

    def __exit__(self, *_: object) -> None:
        """Let go."""
        os.close(self._descriptor)
