"""Playlists as TVs are sent them: read and checked once for each change of their file."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tv_ui.health import ALL_FILE
from vv_core.errors import InputDataError, from_oserror
from vv_core.jsonio import read_json
from vv_core.paths import Storage
from vv_core.video_files import FileSignature

_TV = re.compile(r"[A-Za-z0-9_-]{1,64}")
_POSTER = re.compile(r"/posters/([0-9a-f]{64})\.jpg")
_MAX_CACHED_BYTES = 32 * 1024 * 1024
_OF_THE_MOMENT = ("generated", "window")


def is_tv(raw_name: str) -> bool:
    """Tell whether a text may be the name of a TV."""
    return _TV.fullmatch(raw_name) is not None


@dataclass(frozen=True)
class Playlist:
    """What a TV is sent.

    Attributes:
        body: JSON.
        tag: entity tag, with quotes; the same as long as the TV would show the same.
        posters: ids of the LogLines by the SHA-256 of their pictures.
    """

    body: bytes
    tag: str
    posters: dict[str, str] = field(default_factory=dict)


def build_playlist(document: Any) -> Playlist:
    """Return the playlist of a document.

    Raises:
        ValueError: it has no items.
    """
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise ValueError("it has no items")
    lasting = {key: value for key, value in document.items() if key not in _OF_THE_MOMENT}
    posters: dict[str, str] = {}
    for item in document["items"]:
        if isinstance(item, dict) and (found := _POSTER.fullmatch(str(item.get("poster")))):
            posters[found[1]] = str(item.get("logline_id"))
    return Playlist(_encode(document), f'"{_short_hash(_encode(lasting))}"', posters)


def _encode(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _short_hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


class PlaylistStore:
    """The playlists of the box; may be used by several threads."""

    def __init__(self, storage: Storage) -> None:
        """Begin with nothing read."""
        self._folder = storage.playlists
        self._lock = threading.Lock()
        self._known: OrderedDict[Path, tuple[FileSignature, Playlist]] = OrderedDict()

    def get(self, tv: str) -> Playlist:
        """Return the playlist of a TV, or of all ("all").

        Args:
            tv: for which `is_tv` holds.

        Raises:
            InputMissingError: there is none.
            VvError: it cannot be read, or is none.
        """
        path = self._folder / (ALL_FILE if tv == "all" else f"{tv}.json")
        try:
            signature = FileSignature.of(path.stat())
        except OSError as exc:
            raise from_oserror(exc, "read", path) from exc
        with self._lock:
            known = self._known.get(path)
            if known is not None and known[0] == signature:
                self._known.move_to_end(path)
                return known[1]
        playlist = _read(path)
        with self._lock:
            self._keep(path, signature, playlist)
        return playlist

    def _keep(self, path: Path, signature: FileSignature, playlist: Playlist) -> None:
        self._known[path] = (signature, playlist)
        self._known.move_to_end(path)
        while sum(len(each.body) for _, each in self._known.values()) > _MAX_CACHED_BYTES:
            self._known.popitem(last=False)

    def names(self) -> list[str]:
        """Return the TVs that have a playlist.

        Raises:
            VvError: the folder cannot be listed.
        """
        try:
            found = sorted(path.stem for path in self._folder.glob("*.json"))
        except OSError as exc:
            raise from_oserror(exc, "list", self._folder) from exc
        return [name for name in found if is_tv(name) and f"{name}.json" != ALL_FILE]


def _read(path: Path) -> Playlist:
    try:
        return build_playlist(read_json(path))
    except ValueError as exc:
        raise InputDataError(
            f"{str(path)!r} is not a playlist: {exc}",
            advice="Remove the file; playlist_manager writes it again.",
        ) from exc
