"""``removals.jsonl``: evidence that was removed and of which the provable log does not know yet.

A line is written, durably, before the file goes, and taken out again when the log has its line. Whatever happens
in between, the next run brings the log up to date; of a file that is still there nothing is said.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from vv_core.atomic import append_line_durable, write_bytes_atomic
from vv_core.clock import parse_utc
from vv_core.tlog.events import Event, EventKind

RECORD_NAME = "removals.jsonl"
CHUNK = 50
"""Events that are handed over at once: fewer than the writer looks back for those that it has already."""
_MAX_NAME = 1000


@dataclass(frozen=True)
class Record:
    """One removal.

    Attributes:
        when: UTC, RFC 3339.
        file: its name for people, below the storage root.
        path_bytes: the exact path, hexadecimal.
        inode: of the file, to tell a new file of the same name.
        sha256: of its content, as the log names it.
        why: for people.
    """

    when: str
    file: str
    path_bytes: str
    inode: int
    sha256: str
    why: str

    def to_event(self) -> Event:
        """Return what the log is to say."""
        details = {"file": self.file[:_MAX_NAME], "sha256": self.sha256, "why": self.why}
        return Event(EventKind.FILE_REMOVED, details, parse_utc(self.when))

    def is_there(self) -> bool:
        """Tell whether the file was not removed after all.

        Raises:
            OSError: it cannot be told.
        """
        try:
            return os.lstat(bytes.fromhex(self.path_bytes)).st_ino == self.inode
        except (FileNotFoundError, NotADirectoryError):
            return False


class RemovalRecord:
    """The file of records; one program at a time may use it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, record: Record) -> None:
        """Write a record down, durably.

        Raises:
            OSError: from the file system.
        """
        append_line_durable(self._path, json.dumps(asdict(record)))

    def read(self) -> list[Record]:
        """Return all records; a line that a crash cut is of a file that was not removed yet.

        Raises:
            OSError: from the file system.
        """
        try:
            lines = self._path.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        return [record for line in lines if (record := _parse(line)) is not None]

    def mend(self) -> None:
        """Take a line out that a crash cut, so that the next one is not glued to it.

        Raises:
            OSError: from the file system.
        """
        if self._path.exists() and not self._path.read_bytes().endswith(b"\n"):
            self.replace(self.read())

    def replace(self, records: Sequence[Record]) -> None:
        """Keep these records only.

        Raises:
            OSError: from the file system.
        """
        lines = "".join(f"{json.dumps(asdict(record))}\n" for record in records)
        write_bytes_atomic(self._path, lines.encode("ascii"))


def _parse(line: bytes) -> Record | None:
    try:
        record = Record(**json.loads(line))
        parse_utc(record.when)
        bytes.fromhex(record.path_bytes)
    except (ValueError, TypeError, RecursionError):
        return None
    return record


def deliver(
    record: RemovalRecord, append: Callable[[Iterable[Event]], str | None]
) -> tuple[int, int, str]:
    """Have the log say what was removed.

    Args:
        record: what was removed.
        append: writes events; returns None, or why it could not.

    Returns:
        How many lines were written, how many are still to be, and why.

    Raises:
        OSError: the record cannot be read or written.
    """
    record.mend()
    waiting = record.read()
    gone = [each for each in waiting if not each.is_there()]
    written, problem = 0, ""
    while written < len(gone) and not problem:
        chunk = gone[written : written + CHUNK]
        problem = append(each.to_event() for each in chunk) or ""
        if not problem:
            written += len(chunk)
            record.replace(gone[written:])
    if not gone and waiting:
        record.replace(())
    return written, len(gone) - written, problem
