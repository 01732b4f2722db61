"""Run history in SQLite: attempts, durations, errors, and the cache of hashes.

A cache and a diary, never the truth: it may be deleted at any time, and a damaged one is put aside.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any, Self

from vv_core.pipeline.database import open_database, view_database
from vv_core.pipeline.retry import Attempts
from vv_core.stability import Observation
from vv_core.video_files import FileSignature

KEEP_SECONDS = 90 * 86400
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files(
    path BLOB PRIMARY KEY, size INTEGER, mtime_ns INTEGER, ctime_ns INTEGER, inode INTEGER,
    since REAL, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts(
    sha256 TEXT PRIMARY KEY, failures INTEGER, crashes INTEGER, next_at REAL, stage TEXT, message TEXT)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stage_runs(
    id INTEGER PRIMARY KEY, at REAL, sha256 TEXT, name TEXT, stage TEXT, duration_s REAL,
    exit_code INTEGER, timed_out INTEGER, message TEXT);
CREATE INDEX IF NOT EXISTS stage_runs_at ON stage_runs(at);
CREATE TABLE IF NOT EXISTS cycles(
    id INTEGER PRIMARY KEY, started REAL, duration_s REAL, found INTEGER, done INTEGER,
    quarantined INTEGER, retried INTEGER, stopped_by TEXT);
CREATE INDEX IF NOT EXISTS cycles_started ON cycles(started);
"""


@dataclass(frozen=True)
class StageRun:
    """One stage for one video, as the history keeps it.

    Attributes:
        at: end, seconds since 1970.
        sha256: of the video.
        name: path below ``input/``.
        stage: its name.
        duration_s: wall time, seconds.
        exit_code: how it ended.
        timed_out: ended because it took too long.
        message: the error, or empty.
    """

    at: float
    sha256: str
    name: str
    stage: str
    duration_s: float
    exit_code: int
    timed_out: bool | int
    message: str


@dataclass(frozen=True)
class CycleRun:
    """One cycle, as the history keeps it.

    Attributes:
        started: seconds since 1970.
        duration_s: wall time, seconds.
        found: videos that were ready.
        done: videos that got their LogLine.
        quarantined: videos that went to ``corrupted/``.
        retried: videos that will be tried again.
        stopped_by: what ended the cycle early, or empty.
    """

    started: float
    duration_s: float
    found: int
    done: int
    quarantined: int
    retried: int
    stopped_by: str


class History:
    """The database; safe to use from the orchestrator's worker threads."""

    def __init__(self, path: Path) -> None:
        """Open the database, or make one.

        Raises:
            OSError: a damaged database cannot be put aside.
            sqlite3.Error: the folder cannot be written.
        """
        self._lock = threading.Lock()
        self._connection = open_database(path, _SCHEMA, _SCHEMA_VERSION)

    @classmethod
    def view(cls, path: Path) -> Self:
        """Open the database only to look, also where it lies on a volume that is read-only.

        Raises:
            sqlite3.Error: there is none, or it cannot be read.
        """
        history = cls.__new__(cls)
        history._lock = threading.Lock()
        history._connection = view_database(path, _SCHEMA_VERSION)
        return history

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def observe(self, path: Path, signature: FileSignature, now: float) -> Observation:
        """Note how a file looks now, and return since when it has looked so."""
        row = self._row(
            "SELECT size, mtime_ns, ctime_ns, inode, since FROM files WHERE path = ?",
            os.fsencode(path),
        )
        if row is not None and FileSignature(*row[:4]) == signature and row[4] <= now:
            return Observation(signature, row[4])
        self._write(
            "INSERT OR REPLACE INTO files VALUES(?, ?, ?, ?, ?, ?, NULL)",
            (
                os.fsencode(path),
                signature.size,
                signature.mtime_ns,
                signature.ctime_ns,
                signature.inode,
                now,
            ),
        )
        return Observation(signature, now)

    def cached_hash(self, path: Path, signature: FileSignature) -> str | None:
        """Return the SHA-256 that a file with exactly this signature had."""
        row = self._row(
            "SELECT sha256 FROM files WHERE path = ? AND size = ? AND mtime_ns = ? AND ctime_ns = ? AND inode = ?",
            os.fsencode(path),
            signature.size,
            signature.mtime_ns,
            signature.ctime_ns,
            signature.inode,
        )
        return None if row is None else row[0]

    def remember_hash(self, path: Path, sha256: str) -> None:
        """Keep the SHA-256 of a file that was observed."""
        self._write("UPDATE files SET sha256 = ? WHERE path = ?", (sha256, os.fsencode(path)))

    def forget_files_except(self, paths: Iterable[Path]) -> None:
        """Drop what is known about files that are no longer there, and the failures of their videos."""
        present = {os.fsencode(path) for path in paths}
        with self._lock, self._connection:
            known = self._connection.execute("SELECT path FROM files").fetchall()
            gone = [row for row in known if row[0] not in present]
            self._connection.executemany("DELETE FROM files WHERE path = ?", gone)
            if gone:
                self._connection.execute(
                    "DELETE FROM attempts WHERE sha256 NOT IN"
                    " (SELECT sha256 FROM files WHERE sha256 IS NOT NULL)"
                )

    def attempts(self, sha256: str) -> Attempts:
        """Return how often a video has failed."""
        row = self._row("SELECT failures, crashes, next_at FROM attempts WHERE sha256 = ?", sha256)
        return Attempts() if row is None else Attempts(*row)

    def remember_attempts(self, sha256: str, attempts: Attempts, stage: str, message: str) -> None:
        """Keep how often a video has failed, and where and why it did last."""
        self._write(
            "INSERT OR REPLACE INTO attempts VALUES(?, ?, ?, ?, ?, ?)",
            (
                sha256,
                attempts.failures,
                attempts.crashes,
                attempts.next_at,
                stage,
                _storable(message),
            ),
        )

    def forget_attempts(self, sha256: str) -> None:
        """Start again with a video, as if it had never failed."""
        self._write("DELETE FROM attempts WHERE sha256 = ?", (sha256,))

    def add_stage_run(self, run: StageRun) -> None:
        """Keep one stage run."""
        self._write(
            "INSERT INTO stage_runs VALUES(NULL, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                run.at,
                run.sha256,
                _storable(run.name),
                run.stage,
                run.duration_s,
                run.exit_code,
                int(run.timed_out),
                _storable(run.message),
            ),
        )

    def add_cycle(self, cycle: CycleRun) -> None:
        """Keep one cycle, and drop what is older than `KEEP_SECONDS`."""
        oldest = (cycle.started - KEEP_SECONDS,)
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT INTO cycles VALUES(NULL, ?, ?, ?, ?, ?, ?, ?)",
                astuple(replace(cycle, stopped_by=_storable(cycle.stopped_by))),
            )
            self._connection.execute("DELETE FROM cycles WHERE started < ?", oldest)
            self._connection.execute("DELETE FROM stage_runs WHERE at < ?", oldest)

    def stage_runs(self, limit: int = 1000) -> list[StageRun]:
        """Return the latest stage runs, newest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT at, sha256, name, stage, duration_s, exit_code, timed_out, message"
                " FROM stage_runs ORDER BY id DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [StageRun(*row) for row in rows]

    def last_cycle(self) -> CycleRun | None:
        """Return the latest cycle, or None before the first."""
        row = self._row(
            "SELECT started, duration_s, found, done, quarantined, retried, stopped_by"
            " FROM cycles ORDER BY id DESC LIMIT 1"
        )
        return None if row is None else CycleRun(*row)

    def waiting_retries(self) -> int:
        """Return how many videos have failed and will be tried again."""
        row = self._row("SELECT count(*) FROM attempts")
        return 0 if row is None else int(row[0])

    def _row(self, query: str, *parameters: object) -> tuple[Any, ...] | None:
        with self._lock:
            row: tuple[Any, ...] | None = self._connection.execute(query, parameters).fetchone()
        return row

    def _write(self, query: str, parameters: tuple[object, ...]) -> None:
        with self._lock, self._connection:
            self._connection.execute(query, parameters)


def _storable(raw_text: str) -> str:
    """Return text that SQLite takes: file names may hold bytes that are not UTF-8."""
    return raw_text.encode("utf-8", "replace").decode("utf-8")
