"""The LogLines of the last hours that verify, read from ``loglines/``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tv_scheduler.proof import prove_line
from vv_core.audit.canonical import MalformedError
from vv_core.audit.document_schemas import LOGLINE_SCHEMAS, find_schema_problem
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verify import MAX_FILE_BYTES
from vv_core.errors import InputMissingError, from_oserror
from vv_core.logs import get_logger
from vv_core.tlog.own_log import OwnLog, open_own_log
from vv_core.tlog.tiles import TileError
from vv_core.video_files import FileSignature

SUFFIX = ".logline.json"
SLACK = timedelta(hours=24)
"""A LogLine is written after what it tells, unless a camera's clock is ahead; by at most so much."""
NOT_PROVEN = "the signed log does not have these bytes"

_logger = get_logger("playlist")


@dataclass
class Found:
    """What one look gave.

    Attributes:
        loglines: that verify and are young enough to be looked at.
        refused: files that the signed log does not have as they are, and why they are not shown.
        unreadable: files about which nothing can be said now, and why.
    """

    loglines: list[Mapping[str, Any]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Judged:
    signature: FileSignature
    line: Mapping[str, Any] | None
    reason: str = ""


class LogLines:
    """Looks at the LogLines; what was judged once is not read again until its file changes."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._folder = folder
        self._log = log
        self._judged: dict[str, _Judged] = {}

    def look(self, since: datetime) -> Found:
        """Look at the LogLines whose files were written since a moment, less `SLACK`.

        Raises:
            VvError: the folder or the log's head cannot be read.
        """
        listed = self._list((since - SLACK).timestamp())
        self._judged = {
            name: known
            for name, known in self._judged.items()
            if listed.get(name) == known.signature
        }
        found = Found()
        # Read before the head is, so that the head covers every line that was published by then.
        contents = self._read_all([name for name in listed if name not in self._judged], found)
        log = self._open_log() if contents else None
        for name, data in contents.items():
            try:
                self._judged[name] = _judge(log, data, listed[name])
            except TileError as exc:
                found.unreadable[name] = exc.message
                continue
            if self._judged[name].reason:
                _logger.warning("%r is not shown: %s", name, self._judged[name].reason)
        found.loglines = [each.line for each in self._judged.values() if each.line is not None]
        found.refused = {name: each.reason for name, each in self._judged.items() if each.reason}
        return found

    def _list(self, oldest: float) -> dict[str, FileSignature]:
        found = {}
        try:
            with os.scandir(self._folder) as entries:
                names = [entry for entry in entries if entry.name.endswith(SUFFIX)]
        except OSError as exc:
            raise from_oserror(exc, "list the LogLines in", self._folder) from exc
        for entry in names:
            # One that went away meanwhile is not there.
            with suppress(FileNotFoundError):
                status = entry.stat(follow_symlinks=False)
                if status.st_mtime >= oldest and not entry.name.startswith("."):
                    found[entry.name] = FileSignature.of(status)
        return found

    def _read_all(self, names: list[str], found: Found) -> dict[str, bytes]:
        contents = {}
        for name in names:
            try:
                contents[name] = read_regular_file(self._folder / name, MAX_FILE_BYTES)
            except MalformedError as exc:
                found.unreadable[name] = exc.message
            except FileNotFoundError:
                continue
            except OSError as exc:
                found.unreadable[name] = from_oserror(exc, "read the LogLine").message
        return contents

    def _open_log(self) -> OwnLog | None:
        try:
            return open_own_log(self._log)
        except InputMissingError:
            return None


def _judge(log: OwnLog | None, data: bytes, signature: FileSignature) -> _Judged:
    line = prove_line(log, data) if log is not None else None
    if line is None:
        return _Judged(signature, None, NOT_PROVEN)
    if line.get("schema") not in LOGLINE_SCHEMAS or find_schema_problem(line) is not None:
        return _Judged(signature, None, "it is not a LogLine of a known form")
    return _Judged(signature, line)
