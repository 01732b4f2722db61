"""Screens on disk, so that a program that starts again forgets none: ``orchestrator_data/tvs/``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from tv_ui.playlist_store import is_tv
from tv_ui.screen_report import read_report
from tv_ui.screens import FORGET_AFTER_S, MAX_SCREENS, Screen, Trouble
from vv_core.atomic import write_json_atomic
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import VvError, from_oserror
from vv_core.jsonio import read_json
from vv_core.logs import get_logger

SCHEMA = "vv.screen/1"
_MAX_BYTES = 64 * 1024
_logger = get_logger("tv_api")


def file_of(folder: Path, screen: Screen) -> Path:
    """Return the file of a screen."""
    return folder / f"{screen.tv}--{screen.report.screen}.json"


def write_screen(folder: Path, screen: Screen) -> None:
    """Replace the file of a screen.

    Raises:
        OSError: from the file system.
    """
    document = {
        "schema": SCHEMA,
        "tv": screen.tv,
        "heard_at": format_utc(screen.heard_at),
        "trouble": str(screen.trouble),
        "report": screen.report.to_document(),
    }
    write_json_atomic(file_of(folder, screen), document)


def read_screens(folder: Path, now: datetime, moment: float) -> list[Screen]:
    """Return the screens that were known before, those heard last first.

    A file that is none is logged and left; nothing of it is believed.

    Args:
        folder: of the files; one that is missing has none.
        now: by the wall clock.
        moment: by the clock that never goes back.
    """
    screens = []
    try:
        paths = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    except OSError as exc:
        _logger.error("%s", from_oserror(exc, "list the screens in", folder).message)
        return []
    for path in paths:
        try:
            screens.append(_screen_of(read_json(path, max_bytes=_MAX_BYTES), now, moment))
        except (VvError, KeyError, TypeError, ValueError) as exc:
            _logger.warning("%r is not a screen: %s", path.name, exc)
    screens.sort(key=lambda screen: screen.heard, reverse=True)
    return screens[:MAX_SCREENS]


def _screen_of(document: Any, now: datetime, moment: float) -> Screen:
    if document["schema"] != SCHEMA or not is_tv(document["tv"]):
        raise ValueError("other fields")
    heard_at = parse_utc(document["heard_at"])
    # One from the future: a clock was put right.
    age_s = min(max(0.0, (now - heard_at).total_seconds()), FORGET_AFTER_S)
    heard = moment - age_s
    trouble = Trouble(document["trouble"])
    report = read_report(document["report"])
    return Screen(document["tv"], report, heard_at, heard, heard, trouble, heard, heard)
