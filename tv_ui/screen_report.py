"""What a screen says about itself every ten seconds; untrusted until it is parsed here."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from vv_core.jsonio import parse_json
from vv_core.logs import printable

MAX_BYTES = 8 * 1024
STATES = ("clip", "picture", "loop", "inline_loop", "start")
_DECODERS = ("dual", "single")
_SCREEN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_NUMBER = 2**53 - 1
_MAX_ERRORS = 10
_MAX_TEXT = 200


@dataclass(frozen=True)
class Report:
    """One heartbeat of a screen.

    Attributes:
        screen: what it calls itself, at random and for good.
        page_version: of the page that it runs.
        state: what is on screen, one of `STATES`.
        decoder: "dual", or "single" where it can play one video at a time.
        logline_id, media: what is shown, None where it is nothing of the playlist.
        frames: that were presented since the page began.
        last_frame_ms: milliseconds since the last of them.
        uptime_s: seconds since the page began.
        offline_s: seconds since it last reached the server.
        playlist_etag: of the playlist that it follows.
        visible: its page is in front.
        errors: what went wrong since it last said so.
    """

    screen: str
    page_version: str
    state: str
    decoder: str
    logline_id: str | None
    media: str | None
    frames: int
    last_frame_ms: int
    uptime_s: int
    offline_s: int
    playlist_etag: str | None
    visible: bool
    errors: tuple[str, ...]

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "errors": list(self.errors)}


def parse_report(data: bytes) -> Report:
    """Return the report in a body.

    Raises:
        ValueError: it is none; the text says what is wrong, and nothing else.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    try:
        document = parse_json(data)
    except RecursionError:
        raise ValueError("nested too deep") from None
    return read_report(document)


def read_report(document: Any) -> Report:
    """Return the report of a document.

    Raises:
        ValueError: it is none.
    """
    names = set(Report.__dataclass_fields__)
    if not isinstance(document, dict) or set(document) != names:
        raise ValueError(f"not an object with exactly {', '.join(sorted(names))}")
    screen = document["screen"]
    if not isinstance(screen, str) or not _SCREEN.fullmatch(screen):
        raise ValueError("screen: not 1 to 64 letters, digits, _ or -")
    return Report(
        screen,
        _text(document, "page_version"),
        _choice(document, "state", STATES),
        _choice(document, "decoder", _DECODERS),
        _text_or_none(document, "logline_id"),
        _text_or_none(document, "media"),
        _number(document, "frames"),
        _number(document, "last_frame_ms"),
        _number(document, "uptime_s"),
        _number(document, "offline_s"),
        _text_or_none(document, "playlist_etag"),
        _is_true(document, "visible"),
        _errors(document["errors"]),
    )


def _text(document: dict[str, Any], name: str) -> str:
    value = document[name]
    if not isinstance(value, str) or len(value) > _MAX_TEXT:
        raise ValueError(f"{name}: not a text of up to {_MAX_TEXT} characters")
    return printable(value)


def _text_or_none(document: dict[str, Any], name: str) -> str | None:
    return None if document[name] is None else _text(document, name)


def _choice(document: dict[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = document[name]
    if value not in choices:
        raise ValueError(f"{name}: none of {', '.join(choices)}")
    return str(value)


def _number(document: dict[str, Any], name: str) -> int:
    value = document[name]
    # True is an int for Python, and for nobody else.
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_NUMBER:
        raise ValueError(f"{name}: not a whole number from 0 on")
    return value


def _is_true(document: dict[str, Any], name: str) -> bool:
    value = document[name]
    if not isinstance(value, bool):
        raise ValueError(f"{name}: neither true nor false")
    return value


def _errors(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > _MAX_ERRORS:
        raise ValueError(f"errors: not a list of up to {_MAX_ERRORS}")
    if not all(isinstance(each, str) and len(each) <= _MAX_TEXT for each in value):
        raise ValueError(f"errors: not texts of up to {_MAX_TEXT} characters")
    return tuple(printable(each) for each in value)
