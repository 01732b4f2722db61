"""The document that says what a TV shows; no files here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from typing import Any

from tv_scheduler.choice import MAX_ITEMS, Choice, choose, local_time, sort_by_time, window_of
from tv_scheduler.config import ALL
from tv_scheduler.line import Line
from tv_scheduler.rules import DEFAULT_VALID_S, TvRule
from vv_core.clock import format_utc

SCHEMA = "vv.playlist/2"
PICTURE_S = 8.0
"""How long a picture stands where there is no clip."""
CHANGING = ("generated", "window")
"""Fields that differ each time: a document that differs in them alone is the same one."""
_MS = 1000


@dataclass(frozen=True)
class Playable:
    """A clip that is there and plays in every browser.

    Attributes:
        sha256: of the file.
        bytes: its size.
        duration_ms: how long it plays.
    """

    sha256: str
    bytes: int
    duration_ms: int


@dataclass(frozen=True)
class Scene:
    """What documents are made for, besides rules and LogLines.

    Attributes:
        now: the current time.
        zone: of the cameras' clocks.
        language: of the box.
    """

    now: datetime
    zone: tzinfo
    language: str


def choose_all(
    rules: Sequence[TvRule], lines: Sequence[Line], now: datetime, zone: tzinfo
) -> dict[str, Choice]:
    """Return what each TV shows, by its name."""
    return {rule.name: choose(rule, lines, now, zone) for rule in rules}


def next_edge(choices: Iterable[Choice]) -> int | None:
    """Return when something changes though nothing new comes, seconds since 1970."""
    return min((each.next_edge for each in choices if each.next_edge is not None), default=None)


def build_playlists(
    rules: Sequence[TvRule],
    choices: Mapping[str, Choice],
    clips: Mapping[str, Playable],
    scene: Scene,
) -> dict[str, dict[str, Any]]:
    """Return the playlist of each TV, and of all together, by the name of the TV.

    Args:
        rules: of the TVs.
        choices: of each TV, from `choose_all`.
        clips: what plays for a recording, by the recording's hash.
        scene: for what they are made.
    """

    def build(rule: TvRule, choice: Choice) -> dict[str, Any]:
        items = [
            build_item(
                line, choice.levels.get(line.id, 0), clips.get(line.video_sha256), scene.zone
            )
            for line in choice.shown
            for _ in range(rule.repeats)
        ]
        return _document(rule, items, scene)

    playlists = {rule.name: build(rule, choices[rule.name]) for rule in rules}
    playlists[ALL] = build(_rule_of_all(rules), _choice_of_all(choices))
    return playlists


def _rule_of_all(rules: Sequence[TvRule]) -> TvRule:
    widest = max(rules, key=lambda rule: rule.window_hours)
    return TvRule(ALL, widest.pick, widest.order, widest.window_hours, valid_s=DEFAULT_VALID_S)


def _choice_of_all(choices: Mapping[str, Choice]) -> Choice:
    shown = {line.id: line for choice in choices.values() for line in choice.shown}
    levels: dict[str, int] = {}
    for choice in choices.values():
        for logline_id, level in choice.levels.items():
            levels[logline_id] = max(level, levels.get(logline_id, 0))
    return Choice(tuple(sort_by_time(shown.values())[-MAX_ITEMS:]), {}, levels, None)


@lru_cache(maxsize=2 * MAX_ITEMS)
def build_item(line: Line, level: int, clip: Playable | None, zone: tzinfo) -> dict[str, Any]:
    """Return the item of a playlist that shows a LogLine, not to be changed.

    Kept, since a turn that lets one of a thousand LogLines go asks for all the others again, for each TV.

    Args:
        line: the LogLine.
        level: its priority.
        clip: what plays for the recording.
        zone: of the cameras' clocks.
    """
    length_ms = clip.duration_ms or line.duration_ms if clip is not None else 0
    return {
        "logline_id": line.id,
        "media": f"/media/{clip.sha256}.mp4" if clip is not None else None,
        "bytes": clip.bytes if clip is not None else None,
        "poster": f"/posters/{line.picture_sha256}.jpg" if line.picture_sha256 else None,
        "title": line.title,
        "caption": line.caption,
        "camera": line.camera or None,
        "start": format_utc(datetime.fromtimestamp(line.when, UTC)),
        "start_local": local_time(line, zone).isoformat(timespec="seconds"),
        "duration_s": length_ms / _MS if length_ms else PICTURE_S,
        "status": line.status,
        "priority": level,
        "verified": True,
    }


def _document(rule: TvRule, items: list[dict[str, Any]], scene: Scene) -> dict[str, Any]:
    start, end = window_of(rule, scene.now)
    return {
        "schema": SCHEMA,
        "tv": rule.name,
        "generated": format_utc(scene.now),
        "window": {"from": format_utc(start), "to": format_utc(end)},
        "valid_s": rule.valid_s,
        "language": rule.language or scene.language,
        "loop": True,
        "items": items,
    }
