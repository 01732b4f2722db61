"""Lines about the log and the box itself (``vv.logevent/1``): what happened while no video says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from vv_core.clock import format_utc
from vv_core.paths import printable_name
from vv_core.tlog.event_words import WORDS
from vv_core.tlog.position import LogPosition
from vv_core.tlog.wal import PublishedFile
from vv_core.utils import validate_schema
from vv_schemas import schema_path

SCHEMA = "vv.logevent/1"
SUFFIX = ".logevent.json"
FOLDER = "events"
_MAX_WHO = 300
_MAX_TEXT = 1200


class EventKind(StrEnum):
    """What an event is about."""

    START = "start"
    ROTATION = "rotation"
    REVOCATION = "revocation"
    RECOVERY = "recovery"
    PRUNED = "pruned"
    CAMERA_SILENT = "camera_silent"
    CAMERA_BACK = "camera_back"
    BOX_OFF = "box_off"
    CLOCK_STEP = "clock_step"
    FILE_REMOVED = "file_removed"


@dataclass(frozen=True)
class Event:
    """An event that is to become a line.

    Attributes:
        kind: what it is about.
        details: its figures, as ``logevent.schema.json`` says for the kind.
        when: since when it holds; None: the time of writing.
    """

    kind: EventKind
    details: Mapping[str, Any] = field(default_factory=dict)
    when: datetime | None = None


def build_event(
    event: Event, position: LogPosition, *, box: str, language: str, now: datetime
) -> dict[str, Any]:
    """Return the line of an event, not yet signed (``logevent.schema.json``).

    Args:
        event: what happened.
        position: where the line goes.
        box: name of this box.
        language: of its texts, "pt-BR" or "en".
        now: aware time of writing.
    """
    words = WORDS[language]
    is_new_epoch = event.kind is EventKind.RECOVERY and "old_origin" in event.details
    did, this = words.texts["new_epoch" if is_new_epoch else event.kind.value]
    logged_at = format_utc(now)
    compact = logged_at.replace("-", "").replace(":", "")
    known = {name: printable_name(str(value)) for name, value in event.details.items()}
    text = this.format_map(_Details(known, camera=known.get("camera") or words.no_camera))
    return {
        "schema": SCHEMA,
        "id": f"{compact}-{event.kind}-{position.seq}",
        "kind": event.kind.value,
        "who": printable_name(words.box.format(box=box))[:_MAX_WHO],
        "did": did,
        "this": text[:_MAX_TEXT],
        "when": format_utc(event.when or now),
        "language": language,
        "log": position.to_json(),
        "details": dict(event.details),
        "logged_at": logged_at,
    }


class _Details(dict[str, str]):
    """What a text is filled in from; the schema refuses an event that lacks something, not the text."""

    def __missing__(self, name: str) -> str:
        return f"?{name}"


def event_builder(
    event: Event, *, box: str, language: str, now: datetime
) -> Callable[[LogPosition], dict[str, Any]]:
    """Return what makes the line of an event for a position; the arguments are those of `build_event`."""
    return lambda position: build_event(event, position, box=box, language=language, now=now)


def event_files(signed: Mapping[str, Any], line: bytes) -> list[PublishedFile]:
    """Return the file that a signed event is published as.

    Raises:
        SchemaViolation: its details are not those of its kind.
    """
    validate_schema(signed, schema_path("logevent"))
    path = f"{FOLDER}/{signed['log']['seq']:010}-{signed['kind']}{SUFFIX}"
    return [PublishedFile(path, line + b"\n")]
