"""Holding a process to writing no file, by the kernel."""

from __future__ import annotations

import resource
import signal
import sys


def forbid_writing() -> None:
    """Take from this process, and from all that it starts, the means to write to a file."""
    sys.dont_write_bytecode = True
    # Else the signal would end the process before the error is seen.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
