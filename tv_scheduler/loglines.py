"""The LogLines of the last hours that verify, read from ``loglines/``.

Files are looked at when somebody says that they changed, and all young ones each time that `LogLines.poll` is called.
The index says which are young; each was proven by this process before it is shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from tv_scheduler.folder_scan import scan_steps
from tv_scheduler.index import (
    Entry,
    FileIndex,
    Mark,
    SqliteIndex,
    is_logline_name,
    mark_of,
    until_of,
)
from tv_scheduler.known_lines import KnownLines
from tv_scheduler.line import Line, line_of
from tv_scheduler.proof import LogProver
from vv_core.audit.canonical import MalformedError
from vv_core.audit.document_schemas import LOGLINE_SCHEMAS, find_schema_problem
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verify import MAX_FILE_BYTES
from vv_core.clock import Clock
from vv_core.errors import InputMissingError, VvError, from_oserror
from vv_core.logs import get_logger
from vv_core.tlog.own_log import open_own_log
from vv_core.tlog.tiles import TileError
from vv_core.video_files import FileSignature

NOT_PROVEN = "the signed log does not have these bytes"
NO_LOGLINE = "it is not a LogLine of a known form"
STILL_WRITTEN = "the signed log does not have these bytes; it may still be written"
NO_LOG = "there is no signed log to prove it"
SETTLE_S = 3.0
"""What is not proven and was written within so many seconds may be half of a file."""
KEEP_S = 2 * 3600
"""What has left the window is known for so long, so that somebody can ask why."""
MAX_LINES = 50_000
"""Of more the newest are kept: some 60 MB."""
RESCAN_S = 3600.0
"""A folder that changes is listed whole so often, for changes that the kernel did not tell of."""
_CHUNK = 200
_NS = 1_000_000_000

_logger = get_logger("playlist")


class LogLines:
    """Knows the LogLines of the last hours.

    Attributes:
        known: what was found out.
        is_whole: whether all that may be young was looked at once.
    """

    def __init__(self, folder: Path, log: Path, index: FileIndex, clock: Clock) -> None:
        self._folder = folder
        self._root = os.fspath(folder)
        self._log = log
        self._clock = clock
        self.known = KnownLines()
        self._touched: set[str] = set()
        self._floor = 0
        self._reach_s = 0
        self.is_whole = False
        self.use(index)

    def use(self, index: FileIndex) -> None:
        """Go on with another index; what was proven stays known."""
        self._index = index
        noted = index.mark if isinstance(index, SqliteIndex) else ""
        self._mark: Mark | None = None
        self._noted_mark = self._listed_mark = noted
        self._listed_at = self._clock.monotonic()
        self._scan: Iterator[None] | None = None
        self._is_scan_late = False
        self._check: Iterator[list[str]] | None = None

    def touch(self, names: Iterable[str]) -> None:
        """Say that files have come, changed or gone."""
        self._touched.update(name for name in names if is_logline_name(name))

    def poll(self, has_heard: bool, has_missed: bool = False) -> None:
        """Have the folder and all young files looked at, whatever was told.

        Args:
            has_heard: something was told about the folder since the last time.
            has_missed: something was not told.

        Raises:
            VvError: the folder cannot be looked at.
        """
        mark = mark_of(self._folder)
        before, self._mark = self._mark, mark
        if self._check is None or has_missed:
            self._check = self._check_steps()
        # What is being listed may have been listed before it changed.
        self._is_scan_late |= has_missed and self._scan is not None
        if self._scan is not None or not isinstance(self._index, SqliteIndex):
            return
        was = str(before) if before is not None else self._noted_mark
        is_explained = has_heard and before is not None and before.inode == mark.inode
        is_due = self._clock.monotonic() - self._listed_at >= RESCAN_S
        if (
            has_missed
            or (str(mark) != was and not is_explained)
            or (is_due and str(mark) != self._listed_mark)
        ):
            self._listed_mark, self._listed_at = str(mark), self._clock.monotonic()
            self._begin_scan(self._index)

    def work(self, reach_s: int, budget_s: float) -> None:
        """Look at what is to be looked at, for about so long.

        Args:
            reach_s: how long after its start a LogLine may be shown.
            budget_s: seconds after which the rest is left for the next time.

        Raises:
            VvError: the folder or the log's head cannot be read.
            sqlite3.Error: from the index.
        """
        end = self._clock.monotonic() + budget_s
        self._set_reach(reach_s)
        self._look_at([*self._touched, *self.known.due(self._clock.monotonic())])
        self._touched.clear()
        try:
            while self._scan is not None and self._clock.monotonic() < end:
                self._step_scan(self._scan)
            while self._scan is None and self._check is not None and self._clock.monotonic() < end:
                self._step_check(self._check)
        except (VvError, OSError):
            self._begin_again()
            raise
        if len(self.known) > MAX_LINES:
            self._floor = self.known.newest(MAX_LINES)
            self.known.drop_before(self._floor)
            _logger.warning("only the newest %d LogLines are looked at", MAX_LINES)
        self._note_mark()
        self._index.commit()

    @property
    def wait_s(self) -> float | None:
        """In how many seconds there is work to do though nothing new is told; None: there is none."""
        if self._touched or self._scan is not None or self._check is not None:
            return 0.0
        due = self.known.next_due
        return None if due is None else max(0.0, due - self._clock.monotonic())

    def _set_reach(self, reach_s: int) -> None:
        if reach_s > self._reach_s:
            self._floor = 0
            self._check = self._check_steps()
            self.is_whole = False
        self._reach_s = reach_s

    def _since(self) -> int:
        return max(self._floor, int(self._clock.now().timestamp()) - self._reach_s - KEEP_S)

    def _begin_scan(self, index: SqliteIndex) -> None:
        self._scan = scan_steps(self._folder, index)
        self._check = self._check_steps()
        self._is_scan_late = False

    def _begin_again(self) -> None:
        """Look at everything anew: what failed in the middle goes on with less than all."""
        if self._scan is not None and isinstance(self._index, SqliteIndex):
            self._begin_scan(self._index)
        self._check = self._check_steps()

    def _step_scan(self, scan: Iterator[None]) -> None:
        for _ in scan:
            return
        self._scan = None
        if self._is_scan_late and isinstance(self._index, SqliteIndex):
            self._begin_scan(self._index)

    def _step_check(self, check: Iterator[list[str]]) -> None:
        for names in check:
            self._look_at(names)
            return
        self._check = None
        self.is_whole = True
        self.known.drop_out_of_reach(self._since())

    def _check_steps(self) -> Iterator[list[str]]:
        """Yield the names of all files that may be young, some at a time; first those that are known."""
        known = dict.fromkeys(self.known.names())
        yield from _chunks(known)
        yield from _chunks(name for name in self._index.young(self._since()) if name not in known)

    def _look_at(self, names: list[str]) -> None:
        for chunk in _chunks(dict.fromkeys(names)):
            signatures = self._sign(chunk)
            # Read before the head is, so that the head covers every line that was published by then.
            contents = self._read(signatures)
            log = self._open_log() if contents else None
            rows = {
                name: Entry(each.inode, until_of(each.mtime_ns))
                for name, each in signatures.items()
            }
            for name, data in contents.items():
                line = self._judge(log, name, data, signatures[name])
                if line is not None:
                    rows[name] = Entry(signatures[name].inode, line.when)
            self._index.put(rows.items())

    def _sign(self, names: list[str]) -> dict[str, FileSignature]:
        """Return those of the files that are there and were not judged as they are."""
        now = self._clock.monotonic()
        signatures = {}
        gone = []
        for name in names:
            try:
                signature = FileSignature.of(os.lstat(os.path.join(self._root, name)))
            except FileNotFoundError:
                self.known.drop(name)
                gone.append(name)
            except OSError as exc:
                self.known.wait(name, from_oserror(exc, "look at the LogLine").message, now)
            else:
                if not self.known.is_known(name, signature, now):
                    signatures[name] = signature
        self._index.drop(gone)
        return signatures

    def _read(self, names: Iterable[str]) -> dict[str, bytes]:
        now = self._clock.monotonic()
        contents = {}
        for name in names:
            try:
                contents[name] = read_regular_file(os.path.join(self._root, name), MAX_FILE_BYTES)
            except MalformedError as exc:
                self.known.wait(name, exc.message, now)
            except FileNotFoundError:
                self.known.drop(name)
            except OSError as exc:
                self.known.wait(name, from_oserror(exc, "read the LogLine").message, now)
        return contents

    def _judge(
        self, log: LogProver | None, name: str, data: bytes, signature: FileSignature
    ) -> Line | None:
        """Note what a file is, and return the LogLine if it is proven."""
        now = self._clock.monotonic()
        try:
            line, reason = judge(log, data)
        except TileError as exc:
            self.known.wait(name, exc.message, now)
            return None
        if line is not None:
            if line.when >= self._since():
                self.known.prove(name, signature, line)
            else:
                self.known.drop(name)
        elif log is None:
            self.known.wait(name, NO_LOG, now)
        elif self._may_be_written(signature):
            self.known.wait(name, STILL_WRITTEN, now)
        else:
            _logger.warning("%r is not shown: %s", name, reason)
            self.known.refuse(name, signature, reason, now)
        return line

    def _may_be_written(self, signature: FileSignature) -> bool:
        changed = max(signature.mtime_ns, signature.ctime_ns) / _NS
        return abs(self._clock.now().timestamp() - changed) < SETTLE_S

    def _open_log(self) -> LogProver | None:
        try:
            return LogProver(open_own_log(self._log))
        except InputMissingError:
            return None

    def _note_mark(self) -> None:
        """Note that the index knows the folder as it was, once that is certain."""
        if not isinstance(self._index, SqliteIndex) or self._scan is not None:
            return
        if self._mark is None or str(self._mark) == self._noted_mark:
            return
        # Within one tick of its clock a folder can change twice and look as if it had once.
        if self._clock.now().timestamp() - self._mark.mtime_ns / _NS > 1:
            self._index.mark = self._noted_mark = str(self._mark)


def judge(log: LogProver | None, data: bytes) -> tuple[Line | None, str]:
    """Return the LogLine in a file's content, or why it is not shown.

    Raises:
        TileError: a hash of the log cannot be read; that says nothing about the line.
    """
    document = log.prove(data) if log is not None else None
    if document is None:
        return None, NOT_PROVEN
    if document.get("schema") not in LOGLINE_SCHEMAS or find_schema_problem(document) is not None:
        return None, NO_LOGLINE
    return line_of(document), ""


def _chunks(names: Iterable[str]) -> Iterator[list[str]]:
    waiting = iter(names)
    while chunk := list(islice(waiting, _CHUNK)):
        yield chunk
