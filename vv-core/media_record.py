"""Media records: which file plays for a processed video in every browser, or why none does.

One file a video, ``orchestrator_data/media/<SHA-256 of the video>.json``. vv_ingest writes them; tv_scheduler
lists by them, and tv_ui serves by them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from vv_core.atomic import write_bytes_atomic
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import InputDataError, InputMissingError, SchemaViolation, from_oserror
from vv_core.jsonio import read_json
from vv_core.paths import Storage
from vv_core.utils import validate_schema
from vv_schemas import schema_path

SCHEMA = "vv.media/1"
_MAX_BYTES = 64 * 1024
_HEX = frozenset("0123456789abcdef")
_HEX_DIGITS = 64


class MediaState(StrEnum):
    """What is known about a video."""

    AS_IS = "as_is"
    STANDARDISED = "standardised"
    UNPLAYABLE = "unplayable"
    MISSING = "missing"


@dataclass(frozen=True)
class Clip:
    """A file that plays in every browser.

    Attributes:
        sha256: of its content.
        folder: where it lies below the storage root.
        path: its place below that folder; as the file system has it, perhaps not Unicode.
        bytes: its size.
        duration_ms: how long it plays.
        width, height: pixels, as shown.
        video_codec: as ffprobe calls it, "h264".
        audio_codec: likewise; None: it is silent.
    """

    sha256: str
    folder: Literal["processed", "tv_curado"]
    path: str
    bytes: int
    duration_ms: int
    width: int
    height: int
    video_codec: str
    audio_codec: str | None


@dataclass(frozen=True)
class MediaRecord:
    """What is known about one processed video.

    Attributes:
        source_sha256: of the video, ``evidence.video_sha256`` of its LogLine.
        checked_at: when it was looked at.
        clip: what plays; None where nothing does.
        state: whether that is the video itself or a file made from it.
        reason: why nothing plays, or what is not quite right; "" when all is well.
    """

    source_sha256: str
    checked_at: datetime
    clip: Clip | None
    state: MediaState
    reason: str = ""


def record_path(storage: Storage, sha256: str) -> Path:
    """Return the file of a video's record.

    Raises:
        ValueError: that is no SHA-256.
    """
    if len(sha256) != _HEX_DIGITS or not _HEX.issuperset(sha256):
        raise ValueError(f"not a SHA-256 in lower-case hexadecimal digits: {sha256!r}")
    return storage.media / f"{sha256}.json"


def read_media_record(storage: Storage, sha256: str) -> MediaRecord | None:
    """Return what is known about a video; None: it was not looked at yet.

    Raises:
        InputDataError: the file is not a record of this video.
        TemporaryError: it cannot be read now.
        ValueError: that is no SHA-256.
    """
    path = record_path(storage, sha256)
    try:
        document = read_json(path, max_bytes=_MAX_BYTES)
    except InputMissingError:
        return None
    try:
        record = _parse(document)
        if record.source_sha256 != sha256:
            raise ValueError("it is about another video")
    except (SchemaViolation, ValueError) as exc:
        raise InputDataError(
            f"{str(path)!r} is not a media record: {exc}",
            advice="Remove the file; clip_converter makes it again.",
        ) from exc
    return record


def write_media_record(storage: Storage, record: MediaRecord) -> None:
    """Replace the record of a video, whole and durable.

    Raises:
        SchemaViolation: the record contradicts itself.
        TemporaryError: it cannot be written now.
        InputMissingError: the folder is not there.
    """
    document = _document(record)
    _parse(document)
    path = record_path(storage, record.source_sha256)
    # ASCII, so that names that are not Unicode survive.
    data = json.dumps(document, indent=2).encode("ascii") + b"\n"
    try:
        write_bytes_atomic(path, data)
    except OSError as exc:
        raise from_oserror(exc, "write the media record", path) from exc


def find_clip(storage: Storage, clip: Clip) -> Path:
    """Return where a clip lies; whether it is there is not looked at."""
    folder = storage.processed if clip.folder == "processed" else storage.tv_curado
    return folder / clip.path


def _document(record: MediaRecord) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "source_sha256": record.source_sha256,
        "checked_at": format_utc(record.checked_at),
        "clip": None if record.clip is None else vars(record.clip),
        "state": str(record.state),
        "reason": record.reason,
    }


def _parse(document: Any) -> MediaRecord:
    """Return the record of a document.

    Raises:
        SchemaViolation: it does not follow the schema, or contradicts itself.
        ValueError: its time is none.
    """
    validate_schema(_in_unicode(document), schema_path("media"))
    record = MediaRecord(
        document["source_sha256"],
        parse_utc(document["checked_at"]),
        None if document["clip"] is None else Clip(**document["clip"]),
        MediaState(document["state"]),
        document["reason"],
    )
    problem = _contradiction(record)
    if problem:
        raise SchemaViolation(problem, advice="Remove the record; clip_converter makes it again.")
    return record


def _in_unicode(document: Any) -> Any:
    """Return a copy that a validator takes: a path of bytes that are not UTF-8 has no JSON form."""
    match document:
        case {"clip": {"path": str(path)}}:
            readable = os.fsencode(path).decode("utf-8", "replace")
            return {**document, "clip": {**document["clip"], "path": readable}}
        case _:
            return document


def _contradiction(record: MediaRecord) -> str:
    """Return what a schema cannot say, or ""."""
    clip = record.clip
    if clip is None:
        return ""
    parts = PurePosixPath(clip.path).parts
    if not parts or "\0" in clip.path or clip.path.startswith("/") or ".." in parts:
        return f"clip/path: {clip.path!r} does not lie below {clip.folder}/"
    if record.state is MediaState.AS_IS and clip.sha256 != record.source_sha256:
        return "clip/sha256: a video that plays as it is has its own hash"
    if record.state is MediaState.STANDARDISED and clip.path != f"{clip.sha256}.mp4":
        return "clip/path: a file that was made is called by its hash"
    return ""
