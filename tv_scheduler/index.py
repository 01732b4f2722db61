"""What is known of the files in ``loglines/``, so that a million old ones cost nothing.

It says which files may hold something young enough to be shown, and nothing else: what is shown was proven by this
very process. An index that lies can hide a LogLine, but never show one. It may be deleted at any time.
"""

from __future__ import annotations

import os
import sqlite3
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from vv_core.errors import from_oserror
from vv_core.logs import get_logger

SUFFIX = ".logline.json"
SLACK_S = int(timedelta(hours=24).total_seconds())
"""A LogLine is written after what it tells, unless a camera's clock is ahead; by at most so much."""
FILE = "index.sqlite"
_APPLICATION = 0x76767478
_VERSION = 1
_PAGE = 500
_NS = 1_000_000_000
_BUSY_S = 10.0
_CACHE_KIB = 16 * 1024
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TABLES = (
    "CREATE TABLE file(name BLOB NOT NULL, inode INTEGER NOT NULL, until INTEGER NOT NULL)",
    "CREATE TABLE note(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
)
_INDEXES = {
    "file_name": "CREATE UNIQUE INDEX file_name ON file(name)",
    "file_until": "CREATE INDEX file_until ON file(until, name)",
}
"""Dropped while a large folder is noted for the first time: in random order that would take ten times as long."""

_logger = get_logger("playlist")


@dataclass(frozen=True, slots=True)
class Entry:
    """What an index knows of a file.

    Attributes:
        inode: its number.
        until: it tells of nothing later, seconds since 1970.
    """

    inode: int
    until: int


class FileIndex(Protocol):
    """Knows files by name, and which may be young."""

    keeps: bool
    """Whether it keeps anything."""

    def put(self, rows: Iterable[tuple[str, Entry]]) -> None:
        """Note files."""

    def drop(self, names: Iterable[str]) -> None:
        """Forget files."""

    def young(self, since: int) -> Iterator[str]:
        """Yield the names of files that may tell of this second or later, the youngest first."""

    def commit(self) -> None:
        """Keep what was put."""

    def close(self) -> None:
        """End."""


def is_logline_name(name: str) -> bool:
    """Tell whether a file is called like a published LogLine."""
    return name.endswith(SUFFIX) and not name.startswith(".")


def scan_folder(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield what is called like a LogLine.

    Raises:
        VvError: the folder cannot be listed.
    """
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_logline_name(entry.name):
                    yield entry
    except OSError as exc:
        raise from_oserror(exc, "list the LogLines in", folder) from exc


def until_of(mtime_ns: int) -> int:
    """Return the latest second that a file may tell of, by when it was written."""
    return mtime_ns // _NS + SLACK_S


def print_of(name: str, inode: int) -> int:
    """Return what a known file is recognised by within this process, 64 bits."""
    return hash((name, inode))


class FilePrints:
    """A set of `print_of` in 8 bytes each: a million known files are to fit into memory."""

    def __init__(self, prints: Iterable[int]) -> None:
        self._sorted = array("q", sorted(array("q", prints)))

    def __contains__(self, wanted: int) -> bool:
        at = bisect_left(self._sorted, wanted)
        return at < len(self._sorted) and self._sorted[at] == wanted

    def __len__(self) -> int:
        return len(self._sorted)


class NoIndex:
    """Stands in where no index can be kept: it looks at every file each time."""

    keeps = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, rows: Iterable[tuple[str, Entry]]) -> None:
        """Keep nothing."""

    def drop(self, names: Iterable[str]) -> None:
        """Forget nothing."""

    def young(self, since: int) -> Iterator[str]:
        """Yield the names of files that were written late enough.

        Raises:
            VvError: the folder cannot be listed.
        """
        for entry in scan_folder(self._folder):
            with suppress(FileNotFoundError):
                if until_of(entry.stat(follow_symlinks=False).st_mtime_ns) >= since:
                    yield entry.name

    def commit(self) -> None:
        """Keep nothing."""

    def close(self) -> None:
        """Do nothing."""


class SqliteIndex:
    """The index in a file."""

    keeps = True

    def __init__(self, path: Path) -> None:
        """Open the index, or begin a new one in place of what is none.

        Raises:
            sqlite3.Error: it cannot be kept there.
        """
        self._path = path
        try:
            self._db = self._open()
        except sqlite3.DatabaseError as exc:
            if not (is_corrupt(exc) or exc.sqlite_errorcode & 0xFF == sqlite3.SQLITE_READONLY):
                raise
            # A file of root's in a folder of ours can be replaced too.
            self._db = self._begin_again(str(exc))

    def put(self, rows: Iterable[tuple[str, Entry]]) -> None:
        """Note files."""
        values = [(os.fsencode(name), entry.inode, entry.until) for name, entry in rows]
        if values:
            self._begin()
            self._db.executemany("INSERT OR REPLACE INTO file VALUES (?, ?, ?)", values)

    def drop(self, names: Iterable[str]) -> None:
        """Forget files."""
        values = [(os.fsencode(name),) for name in names]
        if values:
            self._begin()
            self._db.executemany("DELETE FROM file WHERE name = ?", values)

    def young(self, since: int) -> Iterator[str]:
        """Yield the names of files that may tell of this second or later, the youngest first.

        Page by page, so that nothing is held while others write.
        """
        query = (
            "SELECT until, name FROM file WHERE until >= ? AND (until, name) < (?, ?) "
            "ORDER BY until DESC, name DESC LIMIT ?"
        )
        last: tuple[int, bytes] = (2**62, b"")
        while page := self._db.execute(query, (since, *last, _PAGE)).fetchall():
            yield from (os.fsdecode(name) for _, name in page)
            last = page[-1]

    def count(self) -> int:
        """Return how many files are known."""
        return int(self._db.execute("SELECT count(*) FROM file").fetchone()[0])

    def names(self) -> Iterator[str]:
        """Yield all names."""
        yield from (os.fsdecode(name) for _, name, _ in self._rows())

    def prints(self) -> FilePrints:
        """Return what tells whether a file is known, for very many of them."""
        return FilePrints(print_of(os.fsdecode(name), inode) for _, name, inode in self._rows())

    def begin_bulk(self) -> None:
        """Get ready for many files, none of which is known."""
        self._begin()
        for name in _INDEXES:
            self._db.execute(f"DROP INDEX IF EXISTS {name}")
        self._db.execute("DELETE FROM file")

    def end_bulk(self) -> None:
        """Be as before `begin_bulk`."""
        self._begin()
        try:
            self._db.execute(_INDEXES["file_name"])
        except sqlite3.IntegrityError:
            # Files that were told of meanwhile were noted twice.
            self._db.execute(
                "DELETE FROM file WHERE rowid NOT IN (SELECT max(rowid) FROM file GROUP BY name)"
            )
            self._db.execute(_INDEXES["file_name"])
        self._db.execute(_INDEXES["file_until"])

    def _rows(self) -> Iterator[tuple[int, bytes, int]]:
        """Yield place, name and inode of all files, page by page."""
        last = -1
        query = "SELECT rowid, name, inode FROM file WHERE rowid > ? ORDER BY rowid LIMIT ?"
        while page := self._db.execute(query, (last, _PAGE)).fetchall():
            yield from page
            last = page[-1][0]

    @property
    def mark(self) -> str:
        """The folder's mark when the index knew all of it; "" when it never did."""
        row = self._db.execute("SELECT value FROM note WHERE key = 'mark'").fetchone()
        return str(row[0]) if row is not None else ""

    @mark.setter
    def mark(self, value: str) -> None:
        self._begin()
        self._db.execute("INSERT OR REPLACE INTO note VALUES ('mark', ?)", (value,))

    def commit(self) -> None:
        """Keep what was put."""
        if self._db.in_transaction:
            self._db.execute("COMMIT")

    def close(self) -> None:
        """End; what was not committed is lost, and found again by a look at the folder."""
        with suppress(sqlite3.Error):
            self._db.close()

    def begin_again(self, why: str) -> None:
        """Replace the file by an empty index.

        Raises:
            sqlite3.Error: it cannot be kept there.
        """
        self.close()
        self._db = self._begin_again(why)

    def _begin(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")

    def _open(self) -> sqlite3.Connection:
        db = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None)
        try:
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA journal_size_limit = 16777216")
            # After a power cut it may lack the last rows, and the folder's mark then says so.
            db.execute("PRAGMA synchronous = NORMAL")
            marks = [db.execute(f"PRAGMA {name}").fetchone()[0] for name in _MARKS]
            if (
                marks == [0, 0]
                and not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            ):
                _create(db)
            elif marks != [_APPLICATION, _VERSION]:
                raise _coded("it is another program's, or of another version")
            elif not _has_indexes(db):
                raise _coded("it was not finished")
            elif db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise _coded("it is damaged")
        except BaseException:
            db.close()
            raise
        return db

    def _begin_again(self, why: str) -> sqlite3.Connection:
        _logger.warning("the index of the LogLines is made anew: %s", why)
        for suffix in ("", "-wal", "-shm"):
            try:
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
            except OSError as exc:
                raise sqlite3.OperationalError(str(exc)) from exc
        return self._open()


_MARKS = ("application_id", "user_version")


def is_corrupt(exc: sqlite3.Error) -> bool:
    """Tell whether an error means that the file is no index, or no longer one."""
    code = getattr(exc, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in _CORRUPT


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in (*_TABLES, *_INDEXES.values()):
        db.execute(statement)
    db.execute(f"PRAGMA application_id = {_APPLICATION}")
    db.execute(f"PRAGMA user_version = {_VERSION}")
    db.execute("COMMIT")


def _has_indexes(db: sqlite3.Connection) -> bool:
    query = "SELECT name FROM sqlite_master WHERE type = 'index'"
    return {row[0] for row in db.execute(query)} >= _INDEXES.keys()


def _coded(text: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorcode = sqlite3.SQLITE_NOTADB
    return error


@dataclass(frozen=True, slots=True)
class Mark:
    """What changes when a file is put into a folder or taken out of it, or the folder is replaced.

    Attributes:
        inode: of the folder.
        mtime_ns: when something was last put in or taken out.
    """

    inode: int
    mtime_ns: int

    def __str__(self) -> str:
        return f"{self.inode} {self.mtime_ns}"


def mark_of(folder: Path) -> Mark:
    """Return the mark of a folder that can be listed and whose files can be reached now.

    A mark alone may be asked for by who may do neither: then nothing new would ever be seen, without a word.

    Raises:
        VvError: it cannot.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            status = os.stat(".", dir_fd=descriptor)
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise from_oserror(exc, "list the LogLines in", folder) from exc
    return Mark(status.st_ino, status.st_mtime_ns)
