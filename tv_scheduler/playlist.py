"""Which LogLines a TV shows, in which order, and the document that says so; no files here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from tv_scheduler.config import ALL, Order, TvRule
from vv_core.clock import format_utc, parse_utc

SCHEMA = "vv.playlist/1"
MAX_ITEMS = 5000
_MAX_URL = 1100
_MAX_CAPTION = 1000
_SHORT_HASH = 12


def is_within(when: datetime, start: datetime, end: datetime) -> bool:
    """Tell whether a moment is in the window: its start is, its end is not."""
    return start <= when < end


def window_of(rule: TvRule, now: datetime) -> tuple[datetime, datetime]:
    """Return start and end of what a TV shows, to the second.

    The end is a second after the current one, so that a LogLine of this very second is shown.
    """
    end = now.replace(microsecond=0) + timedelta(seconds=1)
    return end - timedelta(hours=rule.window_hours), end


def choose_loglines(
    rule: TvRule, loglines: Sequence[Mapping[str, Any]], now: datetime
) -> list[Mapping[str, Any]]:
    """Return the LogLines that a TV shows, in its order; of too many the newest.

    Args:
        rule: of the TV.
        loglines: that verify; one that stands twice is shown once.
        now: the current time.
    """
    start, end = window_of(rule, now)
    chosen = {
        line["id"]: line
        for line in loglines
        if line["status"] in rule.statuses and is_within(parse_utc(line["when"]), start, end)
    }
    newest = sort_by_time(chosen.values())[-MAX_ITEMS:]
    if rule.order is Order.SHUFFLE:
        return sorted(newest, key=lambda line: _lot(rule.name, now, line["id"]))
    return newest


def sort_by_time(loglines: Any) -> list[Mapping[str, Any]]:
    """Return LogLines by when they happened, equal times by their id."""
    return sorted(loglines, key=lambda line: (line["when"], line["id"]))


def _lot(tv: str, now: datetime, logline_id: str) -> bytes:
    """Return what a LogLine is sorted by where a TV shuffles.

    It depends on nothing but itself, the TV and the hour: a new item moves none of the others.
    """
    hour = now.strftime("%Y-%m-%dT%H")
    return hashlib.sha256(f"{tv}\0{hour}\0{logline_id}".encode()).digest()


def build_item(line: Mapping[str, Any]) -> dict[str, Any]:
    """Return the item of a playlist that shows a LogLine."""
    caption = line["this"]
    if len(caption) > _MAX_CAPTION:
        caption = f"{caption[: _MAX_CAPTION - 1]}…"
    return {
        "logline_id": line["id"],
        "media": media_url(line["source"], line["evidence"]["video_sha256"]),
        "poster": poster_url(line["media"]["picture"], line["media"]["picture_sha256"]),
        "title": line["title"],
        "caption": caption,
        "start": line["when"],
        "duration_s": line["media"]["duration_ms"] / 1000,
        "status": line["status"],
    }


def media_url(source: str, sha256: str) -> str:
    """Return the URL of a clip: by its content, with its name for people."""
    prefix = f"/media/{sha256[:_SHORT_HASH]}/"
    url = prefix + quote(PurePosixPath(source).name, safe="")
    if len(url) <= _MAX_URL:
        return url
    return f"{prefix}video{quote(PurePosixPath(source).suffix[:8])}"


def poster_url(picture: str | None, sha256: str | None) -> str | None:
    """Return the URL of the still picture of a clip, if it has one."""
    if picture is None or sha256 is None:
        return None
    return f"/posters/{sha256}.jpg"


def build_playlists(
    rules: Sequence[TvRule], loglines: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, dict[str, Any]]:
    """Return the playlist of each TV, and of all together, by the name of the TV.

    Args:
        rules: of the TVs.
        loglines: that verify.
        now: the current time.
    """
    chosen = {rule.name: choose_loglines(rule, loglines, now) for rule in rules}
    playlists = {
        rule.name: _document(rule.name, window_of(rule, now), chosen[rule.name], now)
        for rule in rules
    }
    shown = {line["id"]: line for lines in chosen.values() for line in lines}
    widest = max(rules, key=lambda rule: rule.window_hours)
    everything = sort_by_time(shown.values())[-MAX_ITEMS:]
    playlists[ALL] = _document(ALL, window_of(widest, now), everything, now)
    return playlists


def _document(
    tv: str,
    window: tuple[datetime, datetime],
    loglines: Sequence[Mapping[str, Any]],
    now: datetime,
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "tv": tv,
        "generated": format_utc(now),
        "window": {"from": format_utc(window[0]), "to": format_utc(window[1])},
        "items": [build_item(line) for line in loglines],
    }
