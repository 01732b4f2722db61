"""Runs pip while it compiles something large, and shows how far the compiler is.

Standard library only: `bootstrap.py` uses it before anything is installed.
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import IO

_STEP = re.compile(r"^\s*\[(\d+)/(\d+)\]")
"""Ninja's count of build steps."""

_LAST_LINES = 30
_BAR_CELLS = 24
_PERCENT = 100
_PIPE_STEP_PERCENT = 10
_KILL_AFTER_S = 10


def run_with_progress(
    command: Sequence[str], what: str, timeout_s: float
) -> tuple[int, tuple[str, ...]]:
    """Run a command whose output counts build steps, and show them on stdout.

    Args:
        command: program and arguments; its output is read, not shown.
        what: the name of what is built, for the person who waits.
        timeout_s: longest wall time, seconds.

    Returns:
        The exit code, and the last lines of the output.

    Raises:
        subprocess.TimeoutExpired: it took too long, and was ended.
        OSError: it cannot be started.
    """
    show = _bar(what) if sys.stdout.isatty() else _lines(what)
    with subprocess.Popen(
        list(command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as child:
        assert child.stdout is not None
        expired = threading.Event()
        timer = threading.Timer(timeout_s, _end, (child, expired))
        timer.start()
        try:
            last = _follow(child.stdout, show)
            code = child.wait()
        finally:
            timer.cancel()
            child.kill()
    if sys.stdout.isatty():
        print()
    if expired.is_set():
        raise subprocess.TimeoutExpired(list(command), timeout_s)
    return code, last


def _end(child: subprocess.Popen[str], expired: threading.Event) -> None:
    expired.set()
    child.terminate()
    try:
        child.wait(timeout=_KILL_AFTER_S)
    except subprocess.TimeoutExpired:
        child.kill()


def _follow(output: IO[str], show: Callable[[int, int], None]) -> tuple[str, ...]:
    last: deque[str] = deque(maxlen=_LAST_LINES)
    for done, total in build_steps(_keep(output, last)):
        show(done, total)
    return tuple(last)


def _keep(lines: Iterable[str], last: deque[str]) -> Iterable[str]:
    for line in lines:
        last.append(line.rstrip())
        yield line


def build_steps(lines: Iterable[str]) -> Iterable[tuple[int, int]]:
    """Yield the steps done and the steps in all, as the lines of a build name them."""
    for line in lines:
        found = _STEP.match(line)
        if found and 0 < int(found[2]) >= int(found[1]):
            yield int(found[1]), int(found[2])


def _bar(what: str) -> Callable[[int, int], None]:
    started = time.monotonic()

    def show(done: int, total: int) -> None:
        filled = "█" * (done * _BAR_CELLS // total)
        elapsed = time.monotonic() - started
        print(
            f"\r{what}: {filled:░<{_BAR_CELLS}} {done}/{total}  {elapsed:.0f} s ",
            end="",
            flush=True,
        )

    return show


def _lines(what: str) -> Callable[[int, int], None]:
    shown = -1

    def show(done: int, total: int) -> None:
        nonlocal shown
        percent = done * _PERCENT // total // _PIPE_STEP_PERCENT * _PIPE_STEP_PERCENT
        if percent > shown:
            shown = percent
            print(f"{what}: {percent} % ({done}/{total})", flush=True)

    return show
