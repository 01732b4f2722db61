"""Forking the test process."""

from __future__ import annotations

import gc
import os


def fork() -> int:
    """Fork, as `os.fork`; the child never collects what its parent has left behind.

    Earlier tests leave decoders and networks in cycles of garbage. Their threads are not there in the child, so that
    a collection there, whenever it comes, waits for them for ever or crashes.
    """
    child = os.fork()
    if child == 0:
        gc.freeze()
    return child
