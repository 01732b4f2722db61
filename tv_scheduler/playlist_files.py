"""Putting playlists where TVs find them: a file is written when it shows something else, and whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tv_scheduler.config import ALL
from tv_scheduler.playlist import CHANGING
from vv_core.atomic import TEMP_PREFIX, write_bytes_atomic
from vv_core.errors import VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.utils import validate_schema
from vv_core.video_files import FileSignature
from vv_schemas import schema_path

ALL_FILE = "playlist.json"
EXPLAIN_FOLDER = "explain"


@dataclass(frozen=True, slots=True)
class _Written:
    """A file as it was last seen, and what it shows."""

    signature: FileSignature
    shown: dict[str, Any]


class PlaylistFiles:
    """Keeps the files of a folder up to date; one that is as it was left is not read again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[Path, _Written] = {}

    def write(self, playlists: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Write the playlists that show something else; remove those of TVs that are no more.

        Returns:
            The names of the TVs whose file was written or removed.

        Raises:
            VvError: a file cannot be written, or a playlist does not follow its schema.
        """
        changed = []
        for tv, document in playlists.items():
            path = self._folder / (ALL_FILE if tv == ALL else f"{tv}.json")
            wanted = shown_in(document)
            if self._shown_in_file(path) == wanted:
                continue
            validate_schema(document, schema_path("playlist"))
            self._put(path, document, wanted)
            changed.append(tv)
        return changed + self._remove_others(playlists)

    def write_explanations(self, explanations: Mapping[str, Mapping[str, Any]]) -> None:
        """Write why each LogLine is on a TV or is not; remove what is about other TVs.

        Raises:
            VvError: a file cannot be written.
        """
        folder = self._folder / EXPLAIN_FOLDER
        try:
            folder.mkdir(exist_ok=True)
        except OSError as exc:
            raise from_oserror(exc, "write explanations into", folder) from exc
        for tv, document in explanations.items():
            path = folder / f"{tv}.json"
            wanted = shown_in(document)
            known = self._written.get(path)
            if known is None or known.shown != wanted or known.signature != _sign(path):
                self._put(path, document, wanted)
        for path in folder.glob("*.json"):
            if path.stem not in explanations:
                self._remove(path)

    def are_untouched(self) -> bool:
        """Tell whether all files are as they were left."""
        return all(_sign(path) == each.signature for path, each in self._written.items())

    def check_access(self) -> None:
        """Find out now, not with the next change, that playlists cannot be written.

        Raises:
            VvError: they cannot.
        """
        probe = self._folder / f"{TEMP_PREFIX}probe"
        try:
            probe.touch()
            probe.unlink()
        except OSError as exc:
            raise from_oserror(exc, "write playlists into", self._folder) from exc

    def _put(self, path: Path, document: Mapping[str, Any], wanted: dict[str, Any]) -> None:
        try:
            # In one line: that is made ten times as quickly as an indented one.
            data = json.dumps(document, ensure_ascii=False, allow_nan=False).encode()
            write_bytes_atomic(path, data + b"\n")
            self._written[path] = _Written(FileSignature.of(path.lstat()), wanted)
        except OSError as exc:
            self._written.pop(path, None)
            raise from_oserror(exc, "write the playlist", path) from exc

    def _shown_in_file(self, path: Path) -> dict[str, Any] | None:
        """Return what a file shows, None where it is no playlist that can be used."""
        signature = _sign(path)
        known = self._written.get(path)
        if known is not None and known.signature == signature:
            return known.shown
        document = read_playlist(path)
        if document is None or signature is None:
            return None
        found = shown_in(document)
        self._written[path] = _Written(signature, found)
        return found

    def _remove_others(self, playlists: Mapping[str, object]) -> list[str]:
        """Remove our own playlists of TVs that the rules no longer name; other files are left alone."""
        ours = {ALL_FILE, *(f"{tv}.json" for tv in playlists)}
        removed = []
        for path in sorted(self._folder.glob("*.json")):
            if path.name in ours:
                continue
            document = read_playlist(path)
            if document is not None and document["tv"] == path.stem:
                self._remove(path)
                removed.append(path.stem)
        return removed

    def _remove(self, path: Path) -> None:
        self._written.pop(path, None)
        try:
            with suppress(FileNotFoundError):
                path.unlink()
        except OSError as exc:
            raise from_oserror(exc, "remove the playlist", path) from exc


def shown_in(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is the same in documents that show the same, whenever they were made."""
    return {key: value for key, value in document.items() if key not in CHANGING}


def read_playlist(path: Path) -> dict[str, Any] | None:
    """Return the playlist in a file, None where there is none that can be used."""
    try:
        document = read_json(path)
        validate_schema(document, schema_path("playlist"))
    except VvError:
        return None
    assert isinstance(document, dict)
    return document


def _sign(path: Path) -> FileSignature | None:
    try:
        return FileSignature.of(os.lstat(path))
    except OSError:
        return None
