"""Which clips can be played now: those of which a media record says so, and that are there as it says."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from tv_scheduler.playlist import Playable
from vv_core.errors import VvError
from vv_core.logs import get_logger
from vv_core.media_record import find_clip, read_media_record
from vv_core.paths import Storage
from vv_core.video_files import FileSignature

_logger = get_logger("playlist")


@dataclass(frozen=True, slots=True)
class _Known:
    """What a record said, while its file stays as it is."""

    mark: FileSignature
    path: str
    clip: Playable | None


class Clips:
    """Looks at media records and clips; a record is read again only when its file has changed."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._records = os.fspath(storage.media)
        self._known: dict[str, _Known] = {}

    def find(self, video_sha256s: set[str]) -> dict[str, Playable]:
        """Return what plays for these recordings; those for which nothing does are left out."""
        known = {sha256: entry for sha256 in video_sha256s if (entry := self._look(sha256))}
        self._known = known
        return {
            sha256: entry.clip
            for sha256, entry in known.items()
            if entry.clip is not None and _has_size(entry.path, entry.clip.bytes)
        }

    @property
    def paths(self) -> set[str]:
        """Where the clips of the last look lie, or should."""
        return {entry.path for entry in self._known.values() if entry.path}

    def _look(self, sha256: str) -> _Known | None:
        try:
            mark = FileSignature.of(os.stat(f"{self._records}/{sha256}.json"))
        except OSError:
            return None
        before = self._known.get(sha256)
        return before if before is not None and before.mark == mark else self._read(sha256, mark)

    def _read(self, sha256: str, mark: FileSignature) -> _Known | None:
        try:
            record = read_media_record(self._storage, sha256)
        except VvError as exc:
            _logger.warning("%s → %s", exc.message, exc.advice)
            return _Known(mark, "", None)
        if record is None:
            return None
        if record.clip is None:
            return _Known(mark, "", None)
        clip = Playable(record.clip.sha256, record.clip.bytes, record.clip.duration_ms)
        return _Known(mark, os.fspath(find_clip(self._storage, record.clip)), clip)


def _has_size(path: str, size: int) -> bool:
    """Tell whether a regular file of this size is there."""
    try:
        status = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_size == size
