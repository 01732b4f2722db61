"""Forking the test process."""

from __future__ import annotations

import faulthandler
import gc
import os
import posix
import sys
import threading
from typing import NoReturn

STUCK_IN_FORK = 1
"""Exit code of a process one of whose threads hung in `os.fork`."""
_STUCK_S = 60.0


def fork(*, is_measured: bool = True) -> int:
    """Fork, as `os.fork`; the child never collects what its parent has left behind.

    Earlier tests leave decoders and networks in cycles of garbage. Their threads are not there in the child, so that
    a collection there, whenever it comes, waits for them for ever or crashes.

    Rarely, a thread of a child that forks in its turn never comes out of the hooks that run before `os.fork`: it waits
    for a lock of `logging` that no living thread holds. Such a child ends, with `STUCK_IN_FORK`, and its stacks are on
    stderr. What the project ships starts stages as programs, and forks in no thread.

    Args:
        is_measured: whether the child's lines count for coverage. They do not where it is killed or ends with
            `end_unmeasured`, and then it need not be slowed down by their being noted.
    """
    is_thread = threading.current_thread() is not threading.main_thread()
    if is_thread:
        faulthandler.dump_traceback_later(_STUCK_S, exit=True, file=2)
    child = os.fork()
    if child == 0:
        gc.freeze()
        if not is_measured:
            sys.settrace(None)
            threading.settrace(None)  # type: ignore[arg-type] - None takes it away
    elif is_thread:
        # Not in the child: the thread for whose end this waits is not there.
        faulthandler.cancel_dump_traceback_later()
    return child


def end_unmeasured(code: int) -> NoReturn:
    """End a forked process. `os._exit`, where coverage is measured, writes a file for each of thousands of children."""
    posix._exit(code)
