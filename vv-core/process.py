"""The one function that runs other programs.

A list of arguments, never a shell; an own session, so that a time-out ends the whole family; TERM,
then KILL; the last lines of stderr kept, clean enough for a log.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vv_core.logs import printable

TAIL_LINES = 20
TAIL_LINE_CHARS = 500
KILL_AFTER_S = 5.0
_POLL_S = 0.1
_LAST_WORDS_S = 1.0
_MAX_READ_BYTES = 64 * 1024
_PR_SET_PDEATHSIG = 1

PARENT_VARIABLE = "VV_PARENT_PID"
"""Tells a child whose end shall be its own; see `die_with_parent`."""


@dataclass(frozen=True)
class ChildResult:
    """How a child process ended.

    Attributes:
        exit_code: 0–255; 128 + n when signal n ended it, as a shell says it.
        timed_out: it was ended by us because it took too long.
        duration_s: wall time, seconds.
        stderr_tail: the last lines of its stderr, control characters escaped.
        stdout_lines: the last lines of its stdout, where they were asked for.
    """

    exit_code: int
    timed_out: bool
    duration_s: float
    stderr_tail: tuple[str, ...]
    stdout_lines: tuple[str, ...] = ()


def run_child(
    argv: Sequence[str],
    *,
    timeout_s: float,
    is_stalled: Callable[[], bool] | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    kill_after_s: float = KILL_AFTER_S,
    pass_fds: Sequence[int] = (),
    before_end: Callable[[], None] = lambda: None,
    keep_stdout: bool = False,
    stdout_to: IO[bytes] | None = None,
) -> ChildResult:
    """Run a program to its end, or end it; nothing of its session outlives it.

    Args:
        argv: the program and its arguments.
        timeout_s: longest wall time, seconds.
        is_stalled: asked ten times a second; True ends the program as a time-out does.
        env: the whole environment of the child; the current one by default.
        cwd: its working folder.
        kill_after_s: seconds between TERM and KILL.
        pass_fds: descriptors that the child keeps open, such as a lock that it shares.
        before_end: called before the program is ended by us; it is ended even when this raises.
        keep_stdout: keep the last lines of its stdout too.
        stdout_to: an open file that takes all of its stdout instead.

    Raises:
        OSError: the program cannot be started.
    """
    unkept = subprocess.DEVNULL if stdout_to is None else stdout_to
    started = time.monotonic()
    child = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if keep_stdout else unkept,
        stderr=subprocess.PIPE,
        env=None if env is None else dict(env),
        cwd=cwd,
        pass_fds=tuple(pass_fds),
        start_new_session=True,
    )
    try:
        errors, output = OutputTail(child.stderr), OutputTail(child.stdout)
        timed_out = not _wait(child, started + timeout_s, is_stalled)
    except BaseException:
        # Our own end (Ctrl-C, SystemExit) must not leave a child behind.
        _end(child, kill_after_s, before_end)
        raise
    if timed_out:
        _end(child, kill_after_s, before_end)
    else:
        # What it started and did not wait for would hold our pipes and locks.
        _signal_session(child, signal.SIGKILL)
    return ChildResult(
        exit_code=_shell_code(child.wait()),
        timed_out=timed_out,
        duration_s=time.monotonic() - started,
        stderr_tail=errors.lines(),
        stdout_lines=output.lines(),
    )


def _end(
    child: subprocess.Popen[bytes], kill_after_s: float, before_end: Callable[[], None]
) -> None:
    try:
        before_end()
    finally:
        end_session(child, kill_after_s)


def end_session(child: subprocess.Popen[bytes], kill_after_s: float) -> None:
    """End a child and all that it started: TERM, a pause, KILL."""
    try:
        _signal_session(child, signal.SIGTERM)
        child.wait(timeout=kill_after_s)
    except subprocess.TimeoutExpired:
        pass
    finally:
        # Also when we are told to end meanwhile.
        _signal_session(child, signal.SIGKILL)
        child.wait()


def die_with_parent() -> None:
    """End at once when the process that started this one is killed.

    Otherwise the next cycle would find a stage of the last one still at work. ``prctl(2)``,
    PR_SET_PDEATHSIG; only where the parent said, in `PARENT_VARIABLE`, that it wants it.
    """
    parent = os.environ.get(PARENT_VARIABLE)
    if not parent:
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if str(os.getppid()) != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _signal_session(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(child.pid, number)
    except ProcessLookupError:
        pass


def _wait(
    child: subprocess.Popen[bytes], deadline: float, is_stalled: Callable[[], bool] | None
) -> bool:
    """Return True when the child ended by itself in time."""
    while time.monotonic() < deadline:
        remaining = deadline - time.monotonic()
        try:
            child.wait(timeout=min(_POLL_S, remaining) if is_stalled else remaining)
            return True
        except subprocess.TimeoutExpired:
            if is_stalled is not None and is_stalled():
                return False
    return child.poll() is not None


def _shell_code(return_code: int) -> int:
    return 128 - return_code if return_code < 0 else return_code


class OutputTail:
    """Drains a pipe in a thread, so that the child never blocks, and keeps its last lines."""

    def __init__(self, stream: IO[bytes] | None) -> None:
        self._lock = threading.Lock()
        self._lines: deque[str] = deque(maxlen=TAIL_LINES)
        self._is_over = False
        self._thread: threading.Thread | None = None
        if stream is not None:
            self._thread = threading.Thread(target=self._drain, args=(stream,), daemon=True)
            self._thread.start()

    def _drain(self, stream: IO[bytes]) -> None:
        with stream:
            while not self._is_over and (raw := stream.readline(_MAX_READ_BYTES)):
                # Cut before it is looked at: a child may say a gigabyte without a newline.
                text = raw.strip()[: 4 * TAIL_LINE_CHARS].decode("utf-8", "replace")
                if text:
                    with self._lock:
                        self._lines.append(printable(text)[:TAIL_LINE_CHARS])

    def lines(self) -> tuple[str, ...]:
        """Return the last lines so far, clean enough for a log."""
        # A grandchild in a session of its own may hold the pipe open; that is not worth waiting for.
        if self._thread is not None:
            self._thread.join(timeout=_LAST_WORDS_S)
        self._is_over = True
        with self._lock:
            return tuple(self._lines)
