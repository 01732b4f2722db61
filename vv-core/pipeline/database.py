"""A SQLite file that may be lost: opened, or made anew when what it holds cannot be used."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from vv_core.logs import get_logger

_BUSY_SECONDS = 10.0


def open_database(path: Path, schema: str, version: int) -> sqlite3.Connection:
    """Open a database, or make one; a damaged one is put aside first.

    Args:
        path: the file.
        schema: SQL that makes the tables where they are missing.
        version: of the schema; a file of another version is not used.

    Raises:
        OSError: a damaged database cannot be put aside.
        sqlite3.Error: it cannot be read or written.
    """
    try:
        return _connect(path, schema, version)
    except sqlite3.Error as exc:
        if not is_damage(path, exc):
            raise
        put_aside(path, exc)
        return _connect(path, schema, version)


def _connect(path: Path, schema: str, version: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        # WAL without a sync per commit: after a power cut the last rows may be missing, never torn.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        with closing(connection.execute("PRAGMA user_version")) as cursor:
            found = cursor.fetchone()[0]
        if found not in (0, version):
            raise sqlite3.DatabaseError(f"its version is {found}, not {version}")
        if found == 0:
            connection.executescript(f"{schema} PRAGMA user_version = {version};")
    except sqlite3.Error:
        connection.close()
        raise
    except UnicodeDecodeError as exc:
        # Even the message about the damage was damaged.
        connection.close()
        raise sqlite3.DatabaseError("its schema is no text") from exc
    return connection


def view_database(path: Path, version: int) -> sqlite3.Connection:
    """Open a database that somebody else writes; nothing is written, not even beside it.

    Raises:
        sqlite3.Error: there is none, it is of another version, or it cannot be read.
    """
    # Read-write or not, SQLite makes WAL and index (-shm) where they are missing. They are missing where no writer has
    # the file open, and then it is whole, and can be read as one that never changes.
    if not path.with_name(f"{path.name}-shm").exists():
        return _view(path, "mode=ro&immutable=1", version)
    try:
        return _view(path, "mode=ro", version)
    except sqlite3.OperationalError:
        # The writer has closed it meanwhile, or was killed and left an index that a reader cannot mend.
        return _view(path, "mode=ro&immutable=1", version)


def _view(path: Path, options: str, version: int) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?{options}"
    connection = sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS, check_same_thread=False)
    try:
        with closing(connection.execute("PRAGMA user_version")) as cursor:
            found = cursor.fetchone()[0]
        if found != version:
            raise sqlite3.DatabaseError(f"its version is {found}, not {version}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def put_aside(path: Path, reason: sqlite3.Error) -> None:
    """Rename a damaged database, so that a new one is made.

    Raises:
        OSError: it cannot be renamed.
    """
    aside = path.with_name(f"{path.name}.damaged")
    get_logger("pipeline").error(
        "a damaged database is put aside and starts anew: %s",
        reason,
        extra={"fields": {"kept_as": str(aside)}},
    )
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


_SURROUNDINGS = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
}


def is_damage(path: Path, error: sqlite3.Error) -> bool:
    """Tell whether an error comes from what the file holds, not from disk, memory or access."""
    # Made by sqlite3 itself, an error has a code; the primary one is in the lowest byte.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code == sqlite3.SQLITE_READONLY:
        # Also said of a file whose header asks for a newer SQLite.
        return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)
    return code not in _SURROUNDINGS
