"""Ending when asked to: SIGTERM and Ctrl-C become a question that a program asks at safe points.

A handler that raises may do so in the middle of anything, a lock of the standard library among it, and
leave the process hanging. So these only raise a flag.
"""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn, Self

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSign:
    """Listens for the signals that ask the process to end, while it is entered."""

    def __init__(self) -> None:
        self._number = 0
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._reader)
        os.close(self._writer)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if not self._number:
            self._number = number
            os.write(self._writer, b"\0")

    def is_set(self) -> bool:
        """Tell whether the process was asked to end."""
        return bool(self._number)

    def wait(self, seconds: float, also: Sequence[int] = ()) -> None:
        """Sleep for so long, or until the process is asked to end, or one of these descriptors can be read."""
        select.select([self._reader, *also], [], [], max(0.0, seconds))

    def obey(self) -> NoReturn:
        """End as the signal would have ended the process, so that whoever sent it sees that it worked."""
        if self._number == signal.SIGINT:
            raise KeyboardInterrupt
        sys.stdout.flush()
        signal.signal(self._number, signal.SIG_DFL)
        os.kill(os.getpid(), self._number)
        raise SystemExit(128 + self._number)
