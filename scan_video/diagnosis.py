"""What is wrong with a file that is no usable video, found out from its bytes, and what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vv_core.errors import InputDataError, VvError, from_oserror

_FIRST_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_HEAD_BYTES = 16
_MAX_BOXES = 10000
_BOX_HEADER_BYTES = 8
_LARGE_BOX_HEADER_BYTES = 16


@dataclass(frozen=True)
class _Structure:
    """The top-level boxes of an MP4 file; `is_cut`: the last one goes on behind the end of the file."""

    boxes: frozenset[bytes]
    is_cut: bool


def diagnose(path: Path) -> VvError:
    """Return the error for a file that FFmpeg cannot open."""
    try:
        structure = _read_structure(path)
    except OSError as exc:
        return from_oserror(exc, "read the video", path)
    if structure is None:
        return InputDataError(
            f"{path.name!r} is not a video that FFmpeg knows",
            advice="Check what the file is (command: file); remove it from input/ or convert it to MP4.",
        )
    if structure.boxes & {b"moov", b"moof"}:
        return _damaged(path)
    return InputDataError(
        f"{path.name!r} has no index (moov is missing): the recording was never closed",
        advice="Copy it again when the recorder has closed it; after a power cut repair it with a "
        "tool such as untrunc and a good recording of the same camera.",
    )


def no_pictures(path: Path) -> VvError:
    """Return the error for a file in which FFmpeg finds no picture at all."""
    try:
        structure = _read_structure(path)
    except OSError as exc:
        return from_oserror(exc, "read the video", path)
    if structure is not None and structure.is_cut:
        return _damaged(path)
    return InputDataError(
        f"{path.name!r} holds no pictures (0 frames)",
        advice="Check the camera: it made a file and recorded nothing into it.",
    )


def _read_structure(path: Path) -> _Structure | None:
    """Return the boxes of a file that looks like MP4 (ISO/IEC 14496-12, 4.2); None for others."""
    with path.open("rb") as stream:
        if stream.read(_HEAD_BYTES)[4:8] not in _FIRST_BOXES:
            return None
        size = stream.seek(0, os.SEEK_END)
        boxes = list(_top_boxes(stream))
    return _Structure(frozenset(kind for kind, _ in boxes), any(end > size for _, end in boxes))


def _top_boxes(stream: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Yield type and end of each top-level box."""
    position = 0
    for _ in range(_MAX_BOXES):
        stream.seek(position)
        header = stream.read(_LARGE_BOX_HEADER_BYTES)
        if len(header) < _BOX_HEADER_BYTES:
            return
        size = int.from_bytes(header[:4], "big")
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        position += max(size, _BOX_HEADER_BYTES)
        yield header[4:8], position
        if size < _BOX_HEADER_BYTES:
            return


def _damaged(path: Path) -> InputDataError:
    return InputDataError(
        f"{path.name!r} is a damaged video: its structure cannot be read",
        advice="Copy the recording again from the recorder; check the disk that it came from.",
    )


def audio_only(path: Path) -> InputDataError:
    """Return the error for a file with sound and no pictures."""
    return InputDataError(
        f"{path.name!r} has sound but no pictures",
        advice="Remove it from input/; check that the camera records video, not only sound.",
    )


def nothing_decodes(path: Path, errors: int) -> InputDataError:
    """Return the error for a file of which no picture could be decoded."""
    return InputDataError(
        f"{path.name!r} is corrupted: none of its pictures can be decoded ({errors} errors)",
        advice="Copy the recording again from the recorder; check the disk that it came from.",
    )


def unknown_codec(path: Path) -> InputDataError:
    """Return the error for pictures in a format that no decoder here knows."""
    return InputDataError(
        f"{path.name!r} uses a picture format that cannot be decoded here",
        advice="Set the camera to H.264 or H.265, or convert the file to MP4.",
    )


def too_large(path: Path, width: int, height: int, max_pixels: int) -> InputDataError:
    """Return the error for pictures with more pixels than allowed."""
    return InputDataError(
        f"{path.name!r} has pictures of {width}x{height} pixels, more than VV_MAX_PIXELS={max_pixels}",
        advice="Set the camera to a smaller size, or raise VV_MAX_PIXELS if there is memory for it.",
    )


def too_many_pictures(path: Path, wanted: int, max_frames: int) -> InputDataError:
    """Return the error for a video that is too long for the limits."""
    return InputDataError(
        f"{path.name!r} needs {wanted} looks, more than VV_MAX_FRAMES={max_frames}",
        advice="Let the recorder write shorter files, or raise SCAN_INTERVAL_SECONDS or VV_MAX_FRAMES.",
    )


def too_much_seen(path: Path) -> InputDataError:
    """Return the error for a video whose analytic would be larger than any reader accepts."""
    return InputDataError(
        f"{path.name!r} shows more than an analytic can hold",
        advice="Let the recorder write shorter files, or raise SCAN_INTERVAL_SECONDS.",
    )
