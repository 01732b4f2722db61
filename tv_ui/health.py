"""Whether the API can do its job: TVs get playlists that somebody keeps up to date."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from vv_core.errors import VvError, from_oserror
from vv_core.heartbeat import find_problem, read_heartbeat
from vv_core.jsonio import read_json
from vv_core.paths import Storage

PLAYLIST_SERVICE = "playlist_manager"
ALL_FILE = "playlist.json"


def find_health_problems(storage: Storage, now: datetime) -> list[str]:
    """Return what keeps the API from doing its job; nothing when it does it."""
    checks = (_find_unreadable, _find_stale, _find_missing)
    return [problem for check in checks if (problem := check(storage, now)) is not None]


def _find_unreadable(storage: Storage, _now: datetime) -> str | None:
    for folder in (storage.playlists, storage.input, storage.loglines, storage.orchestrator_data):
        problem = _list_problem(folder)
        if problem is not None:
            return problem
    return None


def _list_problem(folder: Path) -> str | None:
    try:
        with os.scandir(folder):
            return None
    except OSError as exc:
        error = from_oserror(exc, "list", folder)
        return f"{error.message} → {error.advice}"


def _find_stale(storage: Storage, now: datetime) -> str | None:
    try:
        return find_problem(read_heartbeat(storage.services / f"{PLAYLIST_SERVICE}.json"), now)
    except VvError as exc:
        return f"{PLAYLIST_SERVICE} has not said that it works: {exc.message}"


def _find_missing(storage: Storage, _now: datetime) -> str | None:
    try:
        read_json(storage.playlists / ALL_FILE)
    except VvError as exc:
        return f"{exc.message} → {exc.advice}"
    return None
