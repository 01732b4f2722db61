"""What playlists need of a LogLine that was proven: little, since a box keeps many of them in memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from vv_core.clock import parse_utc

MAX_CAPTION = 1000


@dataclass(frozen=True, slots=True)
class Line:
    """A proven LogLine.

    Attributes:
        id: of the LogLine.
        when: start of the recording, seconds since 1970.
        logged: when it was signed, seconds since 1970.
        status: of the LogLine.
        camera: which camera, or "".
        labels: what was seen.
        title, caption: what happened, short and longer.
        video_sha256: of the recording.
        picture_sha256: of its still picture, if it has one.
        duration_ms: of the recording.
    """

    id: str
    when: int
    logged: int
    status: str
    camera: str
    labels: frozenset[str]
    title: str
    caption: str
    video_sha256: str
    picture_sha256: str | None
    duration_ms: int


def line_of(document: Mapping[str, Any]) -> Line:
    """Return what playlists need of a document that follows the schema of LogLines."""
    caption = document["this"]
    if len(caption) > MAX_CAPTION:
        caption = f"{caption[: MAX_CAPTION - 1]}…"
    media = document["media"]
    picture = media["picture_sha256"] if media["picture"] is not None else None
    return Line(
        document["id"],
        _seconds(document["when"]),
        _seconds(document["logged_at"]),
        intern(document["status"]),
        intern(media["camera"]),
        frozenset(intern(each["label"]) for each in document["entities"]),
        document["title"],
        caption,
        document["evidence"]["video_sha256"],
        picture,
        media["duration_ms"],
    )


def _seconds(raw_text: str) -> int:
    return int(parse_utc(raw_text).timestamp())
