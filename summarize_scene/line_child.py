"""A child process that answers lines with lines, and is never waited for longer than a deadline."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from vv_core.process import OutputTail, end_session

MAX_LINE_BYTES = 1024 * 1024
"""What a child may say in one line; more is a child that runs wild."""

_CHUNK_BYTES = 64 * 1024
_LAST_GASP_S = 0.5
_KILLED_AT_ONCE_S = 0.0


class ChildFault(Exception):
    """The child is of no more use; the text says why and goes after "the process"."""


class LineChild:
    """A program in a session of its own; stdin and stdout are pipes for lines, stderr is kept."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the program.

        Raises:
            OSError: it cannot be started.
        """
        self._child = subprocess.Popen(
            list(argv),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(env),
            bufsize=0,
            start_new_session=True,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._to_child, self._from_child = self._child.stdin, self._child.stdout
        for pipe in (self._to_child, self._from_child):
            os.set_blocking(pipe.fileno(), False)
        self._errors = OutputTail(self._child.stderr)
        self._heard = b""

    def send(self, line: bytes, deadline: float) -> None:
        """Write a line; a newline is added.

        Args:
            line: without newline.
            deadline: by `time.monotonic`.

        Raises:
            ChildFault: it has ended, or does not take the line in time.
        """
        rest = memoryview(line + b"\n")
        while rest:
            self._wait(self._to_child.fileno(), select.POLLOUT, deadline)
            try:
                rest = rest[os.write(self._to_child.fileno(), rest[:_CHUNK_BYTES]) :]
            except BlockingIOError:
                continue
            except BrokenPipeError as exc:
                raise self._gone() from exc

    def receive(self, deadline: float) -> bytes:
        """Return the next line, without its newline.

        Raises:
            ChildFault: it has ended, is late, or says too much.
        """
        while b"\n" not in self._heard:
            if len(self._heard) > MAX_LINE_BYTES:
                raise ChildFault(f"said more than {MAX_LINE_BYTES} bytes in one line")
            self._wait(self._from_child.fileno(), select.POLLIN, deadline)
            try:
                chunk = os.read(self._from_child.fileno(), _CHUNK_BYTES)
            except BlockingIOError:
                continue
            if not chunk:
                raise self._gone()
            self._heard += chunk
        line, self._heard = self._heard.split(b"\n", 1)
        return line

    def end(self) -> None:
        """End it and all that it started, at once."""
        end_session(self._child, _KILLED_AT_ONCE_S)
        self._to_child.close()
        self._from_child.close()

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise ChildFault("did not answer in time and was ended")

    def _gone(self) -> ChildFault:
        """Return how it ended, with its last words."""
        try:
            code = self._child.wait(timeout=_LAST_GASP_S)
        except subprocess.TimeoutExpired:
            return ChildFault("closed its pipes")
        words = self._errors.lines()
        return ChildFault(f"{_describe_end(code)}{f': {words[-1]}' if words else ''}")


def _describe_end(return_code: int) -> str:
    if return_code >= 0:
        return f"ended with exit code {return_code}"
    try:
        name = signal.Signals(-return_code).name
    except ValueError:
        name = str(-return_code)
    hint = " (killed, often for want of memory)" if return_code == -signal.SIGKILL else ""
    return f"was ended by {name}{hint}"
