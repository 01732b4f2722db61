"""Putting playlists where TVs find them: a file is written when its items have changed, and whole."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tv_scheduler.config import ALL
from tv_scheduler.playlist import is_same
from vv_core.atomic import TEMP_PREFIX, write_json_atomic
from vv_core.errors import VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.utils import validate_schema
from vv_schemas import schema_path

ALL_FILE = "playlist.json"


def file_of(folder: Path, tv: str) -> Path:
    """Return the file of a TV's playlist."""
    return folder / (ALL_FILE if tv == ALL else f"{tv}.json")


def write_playlists(folder: Path, playlists: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Write the playlists whose items have changed; remove those of TVs that are no more.

    Returns:
        The names of the TVs whose file was written or removed.

    Raises:
        VvError: a file cannot be written, or a playlist does not follow its schema.
    """
    _check_access(folder)
    changed = []
    for tv, document in playlists.items():
        path = file_of(folder, tv)
        if shows(path, document):
            continue
        validate_schema(document, schema_path("playlist"))
        try:
            write_json_atomic(path, document)
        except OSError as exc:
            raise from_oserror(exc, "write the playlist", path) from exc
        changed.append(tv)
    return changed + _remove_others(folder, playlists)


def shows(path: Path, document: Mapping[str, Any]) -> bool:
    """Tell whether a file is a playlist that shows the same as a document."""
    found = read_playlist(path)
    return found is not None and is_same(found, document)


def read_playlist(path: Path) -> dict[str, Any] | None:
    """Return the playlist in a file, None where there is none that can be used."""
    try:
        document = read_json(path)
        validate_schema(document, schema_path("playlist"))
    except VvError:
        return None
    assert isinstance(document, dict)
    return document


def _check_access(folder: Path) -> None:
    """Find out now, not with the next change, that playlists cannot be written.

    Raises:
        VvError: they cannot.
    """
    probe = folder / f"{TEMP_PREFIX}probe"
    try:
        probe.touch()
        probe.unlink()
    except OSError as exc:
        raise from_oserror(exc, "write playlists into", folder) from exc


def _remove_others(folder: Path, playlists: Mapping[str, object]) -> list[str]:
    """Remove our own playlists of TVs that the rules no longer name; other files are left alone."""
    removed = []
    for path in sorted(folder.glob("*.json")):
        document = read_playlist(path) if path.name != ALL_FILE else None
        if document is None or document["tv"] in playlists or document["tv"] != path.stem:
            continue
        with suppress(FileNotFoundError):
            path.unlink()
            removed.append(path.stem)
    return removed
