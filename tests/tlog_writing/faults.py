"""Writers that die or fail at a chosen step, and what must hold afterwards."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from os import open as os_open
from typing import Any

from tests.support.forking import end_unmeasured, fork
from tests.tlog_verifying.box import audit
from tests.tlog_writing.logs import LogBox, append_to, check_log, read_checkpoint
from vv_core.errors import VvError
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.log_writer import LogWriter
from vv_core.tlog.tail import root_at
from vv_core.tlog.tiles import LogReader

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
WRITES = {"write", "pwrite"}
_CHANGING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
MODES = ("before", "half", "after")


@dataclass
class Strike:
    """Kills this process at a step; `arm` is called in the process that is to die.

    Attributes:
        at: number of the step, from 1.
        mode: "before" it, "after" it, or "half" way through a write (before, where it is none).
        steps: so far.
    """

    at: int
    mode: str
    steps: int = 0
    hit: Callable[[], object] = field(default=lambda: os.kill(os.getpid(), signal.SIGKILL))

    def arm(self) -> None:
        """Watch every operation that changes files or makes a change durable."""
        for name in OPERATIONS:
            setattr(os, name, self._watched(name, getattr(os, name)))

    def _watched(self, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            if operation is os_open and not args[1] & _CHANGING:
                return operation(*args, **kwargs)
            self.steps += 1
            if self.steps != self.at:
                return operation(*args, **kwargs)
            if self.mode == "half" and name in WRITES:
                descriptor, data, *rest = args
                operation(descriptor, bytes(data)[: len(data) // 2], *rest)
            if self.mode != "after":
                self.hit()
            try:
                return operation(*args, **kwargs)
            finally:
                if self.mode == "after":
                    self.hit()

        return step


def write_lines(box: LogBox, names: Sequence[str], report: Callable[[bytes], object]) -> None:
    """Append lines as a stage does: after a failure the log is opened again for the next one.

    Args:
        box: of the log.
        names: of the lines.
        report: told the name of each line that is in the log, once the writer says so.
    """
    writer: LogWriter | None = None
    for name in names:
        with suppress(VvError):
            if writer is None or writer.is_stopped:
                if writer is not None:
                    writer.abandon()
                writer = LogWriter(box.settings, box.clock)
                writer.open()
            append_to(writer, name, box.clock)
            report(f"{name}\n".encode())
    if writer is not None:
        with suppress(VvError):
            writer.close()


def write_in_child(
    box: LogBox,
    names: Sequence[str],
    prepare: Callable[[], object],
    was_struck: Callable[[], bool] = lambda: False,
) -> tuple[list[str], int]:
    """Append lines in a forked process.

    Args:
        box: of the log.
        names: of the lines.
        prepare: called in the process before it writes.
        was_struck: asked there at the end: whether a fault was made.

    Returns:
        The names that it reported, and its exit status: negative is the signal that ended it, 1 that it
        ended although a fault was made, 0 that there was none.
    """
    reading, writing = os.pipe()
    child = fork(is_measured=False)
    if child == 0:
        code = 70
        try:
            os.close(reading)
            prepare()
            # Not os.write, which is watched.
            write_lines(box, names, lambda data: os.writev(writing, [data]))
            code = int(was_struck())
        finally:
            end_unmeasured(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        reported = stream.read().decode().split()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, 1, -signal.SIGKILL}, "something was raised that is no VvError"
    return reported, status


def check_after_fault(box: LogBox, reported: Sequence[str], wanted: Sequence[str]) -> None:
    """Check a log after a fault, bring it in order, and finish what was to be written.

    Args:
        box: of the log.
        reported: lines that were acknowledged, before and with this fault.
        wanted: all that was to be written; none of it may stand there twice.
    """
    seen = head_on_disk(box)
    if seen is not None:
        assert {status for _, status, _ in problems(box)} <= {"UNVERIFIABLE"}, problems(box)
    box.recover()
    check_log(box)
    assert problems(box) == []
    names = box.names()
    assert len(set(names)) == len(names), "a line is there twice"
    assert set(reported) <= set(names), "an acknowledged line is lost"
    box.append(*(name for name in wanted if name not in names))
    check_log(box)
    assert sorted(box.names()) == sorted(wanted)
    if seen is not None:
        assert root_at(LogReader(box.folder), seen[0]) == seen[1], "two roots for one size"


def problems(box: LogBox) -> list[tuple[str, str, str]]:
    """Return what an auditor with all keys complains about: file, status and reason."""
    vkey = (box.folder / VKEY).read_text("utf-8").strip()
    return audit(box.loglines, vkeys=[vkey], keys=box.first_keys).problems


def head_on_disk(box: LogBox) -> tuple[int, bytes] | None:
    """Return size and root of the head that anybody may have copied by now."""
    if not (box.folder / "checkpoint").exists() or not (box.folder / "vkey").exists():
        return None
    checkpoint = read_checkpoint(box)
    return checkpoint.size, checkpoint.root
