"""``/posters/<sha256>.jpg``: the still picture of a LogLine, by its content.

A picture is sent when a playlist names its hash, the LogLine of that item names the file, and the file has that hash.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

from tv_ui.files import open_below
from tv_ui.playlist_store import PlaylistStore
from vv_core.errors import VvError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.processed_video import ProcessedVideo, parse_line

MAX_POSTER_BYTES = 8 * 1024 * 1024
_LOGLINE_ID = re.compile(r"[0-9TZ]{16}-([0-9a-f]{12})")
_LINE_BYTES = 4096
_MAX_KNOWN = 10_000
_MAX_LOGLINE_BYTES = 1024 * 1024

_logger = get_logger("tv_api")


class Posters:
    """Finds pictures; may be used by several threads."""

    def __init__(
        self, storage: Storage, playlists: PlaylistStore, on_refused: Callable[[str], None]
    ) -> None:
        """Begin with none found.

        Args:
            storage: of this box.
            playlists: that name the pictures.
            on_refused: told the hash of a picture whose file has other bytes.
        """
        self._storage = storage
        self._playlists = playlists
        self._on_refused = on_refused
        self._lock = threading.Lock()
        self._places: OrderedDict[str, str] = OrderedDict()

    def read(self, sha256: str) -> bytes | None:
        """Return the picture with this hash, or None where no playlist has it or it is not right."""
        place = self._find_place(sha256)
        if place is None:
            return None
        try:
            data = _read_whole(self._storage.analytic, place)
        except FileNotFoundError:
            return None
        except OSError as exc:
            _logger.warning("a picture is not read: %s", exc.strerror)
            return None
        if hashlib.sha256(data).hexdigest() != sha256:
            self._on_refused(sha256)
            return None
        return data

    def _find_place(self, sha256: str) -> str | None:
        """Return where a picture lies, below ``analytic/``."""
        with self._lock:
            known = self._places.get(sha256)
        if known is not None:
            return known
        logline_id = self._find_logline(sha256)
        if logline_id is None:
            return None
        try:
            place = find_picture(self._storage, logline_id, sha256)
        except OSError as exc:
            _logger.warning("a picture is not found: %s", exc.strerror)
            return None
        if place is not None:
            with self._lock:
                self._places[sha256] = place
                while len(self._places) > _MAX_KNOWN:
                    self._places.popitem(last=False)
        return place

    def _find_logline(self, sha256: str) -> str | None:
        try:
            tvs = ["all", *self._playlists.names()]
        except VvError:
            return None
        for tv in tvs:
            try:
                found = self._playlists.get(tv).posters.get(sha256)
            except VvError:
                continue
            if found is not None:
                return found
        return None


def find_picture(storage: Storage, logline_id: str, sha256: str) -> str | None:
    """Return where the picture of a LogLine lies, below ``analytic/``, if it has this hash.

    Raises:
        OSError: the list of processed videos cannot be read.
    """
    found = _LOGLINE_ID.fullmatch(logline_id)
    if found is None:
        return None
    for video in find_videos(storage.processed_log, found[1]):
        place = _picture_of(storage.loglines / f"{video.stem}.logline.json", logline_id, sha256)
        if place is not None:
            return place
    return None


def find_videos(log: Path, digits: str) -> Iterator[ProcessedVideo]:
    """Yield the processed videos whose hash begins so, the newest first.

    Searched from the end, where what TVs show was written: the age of the box does not matter.

    Raises:
        OSError: the file cannot be read.
    """
    prefix = digits.encode("ascii")
    try:
        with log.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size == 0:
                return
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                for at in _line_starts(content, prefix):
                    video = parse_line(content[at : at + _LINE_BYTES])
                    if video is not None:
                        yield video
    except FileNotFoundError:
        return


def _line_starts(content: mmap.mmap, prefix: bytes) -> Iterator[int]:
    """Yield where lines begin that begin so, the last first."""
    end = len(content)
    while (at := content.rfind(b"\n" + prefix, 0, end)) >= 0:
        yield at + 1
        end = at
    if content[: len(prefix)] == prefix:
        yield 0


def _picture_of(path: Path, logline_id: str, sha256: str) -> str | None:
    try:
        line = read_json(path, max_bytes=_MAX_LOGLINE_BYTES)
    except VvError:
        return None
    match line:
        case {"id": str(own_id), "media": {"picture": str(picture), "picture_sha256": str(named)}}:
            return picture if (own_id, named) == (logline_id, sha256) else None
        case _:
            return None


def _read_whole(folder: Path, place: str) -> bytes:
    file = open_below(folder, place)
    try:
        return file.read(0, min(file.status.st_size, MAX_POSTER_BYTES))
    finally:
        file.close()
