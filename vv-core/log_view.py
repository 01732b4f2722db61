"""``logs/app.log`` for people: one short line a record."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode, InputMissingError, from_oserror
from vv_core.logs import LOG_FILE_NAME, printable, setup_logging
from vv_core.settings import load_settings

PROG = "show_logs"
_POLL_S = 0.5
_SHOWN_FIELDS = ("found", "done", "quarantined", "retried", "duration_s", "stopped_by", "input")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Show logs/app.log, one readable line a record.")
    parser.add_argument(
        "-n", "--lines", type=int, default=50, help="how many records (default: 50)"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new records")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    path = settings.resolve(settings.log_dir) / LOG_FILE_NAME
    try:
        stream = _open(path)
    except FileNotFoundError as exc:
        raise InputMissingError(
            f"there is no log yet ({str(path)!r})",
            advice="It begins with the first cycle: make once.",
        ) from exc
    except OSError as exc:
        raise from_oserror(exc, "read the log", path) from exc
    setup_logging(PROG, path.parent, arguments.verbose)
    if not arguments.follow:
        with stream:
            _show(deque(stream, maxlen=max(0, arguments.lines)))
        return ExitCode.OK
    try:
        _show(follow(path, stream, arguments.lines))
    except KeyboardInterrupt:
        pass  # how a person ends it
    return ExitCode.OK


def _open(path: Path) -> TextIO:
    return path.open("r", encoding="utf-8", errors="replace", newline="\n")


def _show(lines: Iterator[str] | deque[str]) -> None:
    for line in lines:
        if line.strip():
            print(readable(line), flush=True)


def follow(
    path: Path, stream: TextIO, last: int, pause: Callable[[float], None] = time.sleep
) -> Iterator[str]:
    """Yield the last lines of a log and then those that come, for ever; a rotated log is followed.

    A line that is not finished yet waits for its newline.

    Args:
        path: the log.
        stream: the log, opened; it is closed in the end.
        last: how many lines of it to begin with.
        pause: waits for some seconds.
    """
    try:
        begun = deque(stream, maxlen=max(0, last))
        pending = begun.pop() if begun and not begun[-1].endswith("\n") else ""
        yield from begun
        while True:
            is_old = _is_rotated(path, stream)
            # Read to the end after looking: what was written before the rotation is not left out.
            while part := stream.readline():
                pending += part
                if pending.endswith("\n"):
                    yield pending
                    pending = ""
            if is_old:
                stream.close()
                stream = _open(path)
            else:
                pause(_POLL_S)
    finally:
        stream.close()


def _is_rotated(path: Path, stream: TextIO) -> bool:
    """Tell whether the log's name stands for another file by now, or the file began anew."""
    try:
        current = path.stat()
    except FileNotFoundError:
        return False
    was_read = os.lseek(stream.fileno(), 0, os.SEEK_CUR)
    return not os.path.samestat(current, os.fstat(stream.fileno())) or current.st_size < was_read


def readable(raw_line: str) -> str:
    """Return a log line as "time LEVEL component: message"; a foreign line is shown as it is."""
    try:
        entry = json.loads(raw_line)
        text = f"{entry['time']} {entry['level']:<7} {entry['component']}: {entry['message']}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return printable(raw_line.rstrip("\n"))
    fields = entry.get("fields")
    if isinstance(fields, dict):
        text += "".join(f" {key}={fields[key]}" for key in _SHOWN_FIELDS if key in fields)
    return printable(text)
