"""One writer of a log at a time."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from vv_core.errors import TemporaryError

_PAUSE_S = 0.05


class LogLock:
    """An exclusive ``flock``, waited for up to a limit; it ends with the process that holds it."""

    def __init__(self, path: Path, timeout_s: float = 30.0) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._descriptor = -1

    def take(self) -> None:
        """Take the lock.

        Raises:
            TemporaryError: another process holds it for too long.
            OSError: the lock file cannot be made.
        """
        descriptor = os.open(
            self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
        )
        deadline = time.monotonic() + self._timeout_s
        try:
            while not _try_lock(descriptor):
                if time.monotonic() > deadline:
                    raise TemporaryError(
                        "another program writes to the log",
                        advice="Nothing to do: it is tried again by itself when that has ended.",
                    )
                time.sleep(_PAUSE_S)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
