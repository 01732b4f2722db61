"""Which videos TVs may show: from the list of processed ones and their LogLines, the newest first."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from vv_core.clock import format_utc, parse_utc
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.processed_video import ProcessedVideo, parse_line

SLACK = timedelta(hours=24)
"""A video is processed after it was recorded, unless a camera's clock is ahead; by at most so much."""
_MAX_LOGLINE_BYTES = 1024 * 1024

_logger = get_logger("clips")


@dataclass(frozen=True)
class Candidate:
    """A processed video that a TV may show.

    Attributes:
        sha256: of its content.
        relative_name: its place below ``processed/``.
        when: start of the recording, as its LogLine says.
    """

    sha256: str
    relative_name: str
    when: datetime


def parse_recent(raw: bytes, since: str) -> ProcessedVideo | None:
    """Return what a line of the list of processed videos says; None when it is none, or older than a moment.

    Args:
        raw: the line, with its newline.
        since: UTC, RFC 3339; compared as text, which is quick and right for that form.
    """
    # Most lines of an old box are too old: they are not worth parsing.
    finished = raw.split(b"\t", 2)[1:2]
    return parse_line(raw) if finished and finished[0] >= since.encode() else None


def newest_first(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return candidates in the order in which they are worth working on."""
    return sorted(candidates, key=lambda each: (each.when, each.sha256), reverse=True)


class Candidates:
    """The videos that TVs may show; reads what was added to the list, not the list again."""

    def __init__(self, storage: Storage, window: timedelta) -> None:
        self._storage = storage
        self._path = storage.processed_log
        self._window = window
        self._inode = 0
        self._place = 0
        self._found: dict[str, Candidate] = {}
        self._pending: deque[ProcessedVideo] = deque()

    def refresh(self, now: datetime) -> dict[str, Candidate]:
        """Return the candidates by hash.

        Raises:
            VvError: the list, or a LogLine, cannot be read now.
        """
        oldest = now - self._window
        try:
            self._pending += self._read_new(format_utc(oldest - SLACK))
        except OSError as exc:
            raise from_oserror(exc, "read the list of processed videos", self._path) from exc
        while self._pending:
            # It stays until its LogLine could be read.
            line = self._pending[0]
            when = _read_when(self._storage, line)
            self._pending.popleft()
            if when is not None:
                self._found[line.sha256] = Candidate(line.sha256, line.relative_name, when)
        self._found = {sha: each for sha, each in self._found.items() if each.when >= oldest}
        return self._found

    def _read_new(self, since: str) -> list[ProcessedVideo]:
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            self._inode, self._place, self._found = 0, 0, {}
            return []
        with stream:
            status = os.fstat(stream.fileno())
            if status.st_ino != self._inode or status.st_size < self._place:
                self._inode, self._place, self._found = status.st_ino, 0, {}
            stream.seek(self._place)
            lines = []
            for raw in stream:
                # A line that is being written is read when it is whole.
                if not raw.endswith(b"\n"):
                    break
                self._place += len(raw)
                line = parse_recent(raw, since)
                if line is not None:
                    lines.append(line)
        return lines


def _read_when(storage: Storage, line: ProcessedVideo) -> datetime | None:
    """Return when a video's LogLine says that it was recorded; None: there is no such LogLine."""
    path = storage.loglines / f"{line.stem}.logline.json"
    try:
        document = read_json(path, max_bytes=_MAX_LOGLINE_BYTES)
        if document["evidence"]["video_sha256"] != line.sha256:
            raise ValueError("it tells of another video")
        return parse_utc(document["when"])
    except InputMissingError:
        return None
    except (InputDataError, KeyError, TypeError, ValueError) as exc:
        # Whether it is genuine is for others to say; what is no LogLine is shown nowhere.
        _logger.warning("%r is not a LogLine of %s: %s", path.name, line.sha256[:12], exc)
        return None


def place_of(storage: Storage, candidate: Candidate) -> Path:
    """Return where a video lies."""
    return storage.processed / candidate.relative_name
