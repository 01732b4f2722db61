"""Bringing an index in line with a folder that may have changed while nobody looked, in small steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from tv_scheduler.index import Entry, SqliteIndex, print_of, scan_folder, until_of

_STEP = 1000
_FEW = 1000
"""An index of fewer files is begun again: that is quicker where very many are new."""


def scan_steps(folder: Path, index: SqliteIndex) -> Iterator[None]:
    """Note what is new in a folder, and forget what is gone; yields after each step.

    Content that changed within its file is not seen here: who reads a file for the first time proves it.

    Raises:
        VvError: the folder cannot be listed.
        sqlite3.Error: from the index.
    """
    is_first = index.count() < _FEW
    if is_first:
        index.begin_bulk()
    known = index.prints()
    met = 0
    rows: list[tuple[str, Entry]] = []
    for count, entry in enumerate(scan_folder(folder), 1):
        if print_of(entry.name, entry.inode()) in known:
            met += 1
        elif (row := _row_of(entry)) is not None:
            rows.append(row)
        if count % _STEP == 0:
            index.put(rows)
            rows.clear()
            yield
    index.put(rows)
    if is_first:
        index.end_bulk()
    elif met < len(known):
        yield from _forget_steps(folder, index)


def _row_of(entry: os.DirEntry[str]) -> tuple[str, Entry] | None:
    with suppress(FileNotFoundError):
        status = entry.stat(follow_symlinks=False)
        return entry.name, Entry(status.st_ino, until_of(status.st_mtime_ns))
    return None


def _forget_steps(folder: Path, index: SqliteIndex) -> Iterator[None]:
    root = os.fspath(folder)
    gone: list[str] = []
    for count, name in enumerate(index.names(), 1):
        if not os.path.lexists(os.path.join(root, name)):
            gone.append(name)
        if count % _STEP == 0:
            index.drop(gone)
            gone.clear()
            yield
    index.drop(gone)
