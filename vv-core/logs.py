"""Structured logs: one JSON object a line in ``logs/app.log``, shared by all processes.

Each record is one ``write`` to a file opened with O_APPEND, so that lines of several processes neither
tear nor overwrite each other (Linux holds the inode lock for a write). Before each record the name is
compared with the open file, so that logrotate may rename at any time, without a signal; and a line that a
full disk or a kill cut short gets its newline, so that the record is not glued to it.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
import time
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOG_FILE_NAME = "app.log"
_MAX_TEXT = 8000
_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)

# Without a handler Python would print records, tracebacks among them, on stderr by itself.
logging.getLogger("vv").addHandler(logging.NullHandler())


def get_logger(name: str) -> logging.Logger:
    """Return a logger of this product; pass structured data as ``extra={"fields": {...}}``."""
    return logging.getLogger(f"vv.{name}")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON (ASCII: control characters can never reach a terminal)."""

    def __init__(self, component: str) -> None:
        super().__init__()
        self._component = component

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its newline. What has no JSON form is written as its `repr`."""
        moment = datetime.fromtimestamp(record.created, UTC)
        entry: dict[str, Any] = {
            "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "level": record.levelname,
            "component": self._component,
            "logger": record.name,
            "pid": record.process,
            "message": _message(record)[:_MAX_TEXT],
        }
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            entry["fields"] = fields
        if record.exc_info and record.exc_info[1] is not None:
            entry["traceback"] = "".join(traceback.format_exception(record.exc_info[1]))[
                -_MAX_TEXT:
            ]
        try:
            return json.dumps(entry, default=str, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            entry["fields"] = {"repr": repr(fields)[:_MAX_TEXT]}
            return json.dumps(entry)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        # A slip in a log call must never stop the work that it tells about.
        return f"{record.msg} {record.args!r}"


class AppendingFileHandler(logging.Handler):
    """Appends whole lines to a file that others append to and logrotate renames."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._descriptor: int | None = None
        self._identity: tuple[int, int] | None = None
        self._complained = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record in one system call; a failing disk is told on stderr, once."""
        data = self.format(record).encode("ascii") + b"\n"
        try:
            descriptor = self._open_current()
            if _is_torn(descriptor):
                data = b"\n" + data
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as exc:
            self._complain(exc)
        else:
            self._complained = False

    def _complain(self, exc: OSError) -> None:
        if not self._complained:
            self._complained = True
            print(f"warning: the log {str(self._path)!r} is not written: {exc}", file=sys.stderr)

    def _open_current(self) -> int:
        if self._descriptor is not None and self._identity != self._identity_on_disk():
            self._close_descriptor()
        if self._descriptor is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self._path, flags, 0o644)
            status = os.fstat(self._descriptor)
            self._identity = (status.st_dev, status.st_ino)
        return self._descriptor

    def _identity_on_disk(self) -> tuple[int, int] | None:
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return None
        return (status.st_dev, status.st_ino)

    def _close_descriptor(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def close(self) -> None:
        """Close the file."""
        self._close_descriptor()
        super().close()


_LOOK_AGAIN_AFTER_S = (0.001, 0.02)


def _is_torn(descriptor: int) -> bool:
    """Tell whether the last line of a file has no newline.

    A line that another process is writing at this moment looks so too, for an instant.
    """
    for pause_s in (*_LOOK_AGAIN_AFTER_S, 0.0):
        size = os.fstat(descriptor).st_size
        if size == 0 or os.pread(descriptor, 1, size - 1) in {b"\n", b""}:
            return False
        time.sleep(pause_s)
    return True


class PlainFormatter(logging.Formatter):
    """Formats a record for a person: level and message, control characters replaced."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return f"{record.levelname.lower()}: {printable(_message(record))}"


def person_handler(level: int) -> logging.Handler:
    """Return a handler that shows records on stderr, but none that a person was told already.

    Such records are marked by ``extra={"told": True}``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(PlainFormatter())
    handler.setLevel(level)
    handler.addFilter(lambda record: not getattr(record, "told", False))
    return handler


def printable(text: str) -> str:
    """Return text that cannot steer a terminal: control characters and lone surrogates escaped."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def setup_logging(component: str, log_dir: Path, verbosity: int = 0) -> None:
    """Send the product's logs to ``log_dir/app.log`` and, by verbosity, to stderr.

    Args:
        component: the command's name, a field of each line.
        log_dir: the folder of app.log; created when missing.
        verbosity: 0 shows warnings, 1 progress, 2 everything on stderr.
    """
    root = logging.getLogger("vv")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(logging.DEBUG if verbosity > 1 else logging.INFO)
    root.propagate = False
    to_file = AppendingFileHandler(log_dir / LOG_FILE_NAME)
    to_file.setFormatter(JsonFormatter(component))
    root.addHandler(to_file)
    root.addHandler(person_handler(_LEVELS[min(verbosity, len(_LEVELS) - 1)]))
