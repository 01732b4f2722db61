"""Putting the fallback files in place, and telling whether those that are there are whole."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.errors import from_oserror
from vv_core.fallback_media.making import LOOP_NAME, PLACEHOLDER_NAME, make_loop, make_placeholder

MAX_BYTES = 512 * 1024 * 1024
"""An operator's own loop may be large; what is larger than this is no loop."""
_BOX_HEADER = 8
_LONG_BOX_HEADER = 16
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))


@dataclass(frozen=True)
class FallbackFile:
    """One file that TVs fall back on.

    Attributes:
        name: in ``fallback/``.
        find_problem: says what is wrong with the content of such a file, "" for nothing.
        make: makes it anew.
    """

    name: str
    find_problem: Callable[[Path], str]
    make: Callable[[Path], None]


def find_mp4_problem(path: Path) -> str:
    """Say why an MP4 would not play from its first byte on, "" if it would (ISO/IEC 14496-12).

    Raises:
        OSError: it cannot be read.
    """
    order: list[bytes] = []
    size, at = path.stat().st_size, 0
    with path.open("rb") as stream:
        while at < size:
            stream.seek(at)
            header = stream.read(_LONG_BOX_HEADER)
            if len(header) < _BOX_HEADER:
                return "it is cut short"
            length, kind = struct.unpack(">I4s", header[:_BOX_HEADER])
            if length == 1 and len(header) == _LONG_BOX_HEADER:
                (length,) = struct.unpack(">Q", header[_BOX_HEADER:])
            if length == 0:
                length = size - at
            if length < _BOX_HEADER or at + length > size:
                return "it is cut short" if order else "it is no MP4"
            order.append(kind)
            at += length
    if not order or order[0] != b"ftyp":
        return "it is no MP4"
    if b"moov" not in order or b"mdat" not in order:
        return "it holds no video"
    if order.index(b"moov") > order.index(b"mdat"):
        return "its index comes last (ffmpeg: -movflags +faststart)"
    return ""


def find_png_problem(path: Path) -> str:
    """Say why a PNG would not be shown whole, "" if it would.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        if stream.read(len(_PNG_MAGIC)) != _PNG_MAGIC:
            return "it is no PNG"
        stream.seek(max(0, path.stat().st_size - len(_PNG_END)))
        return "" if stream.read() == _PNG_END else "it is cut short"


FALLBACK_FILES = (
    FallbackFile(LOOP_NAME, find_mp4_problem, make_loop),
    FallbackFile(PLACEHOLDER_NAME, find_png_problem, make_placeholder),
)


def find_problem(folder: Path, file: FallbackFile) -> str:
    """Say what is wrong with a fallback file, "" for nothing.

    Raises:
        VvError: it cannot be looked at.
    """
    path = folder / file.name
    try:
        if not os.path.lexists(path):
            return "it is missing"
        if path.is_symlink() or not path.is_file():
            return "it is no regular file"
        if path.stat().st_size > MAX_BYTES:
            return f"it is larger than {MAX_BYTES} bytes"
        return file.find_problem(path)
    except OSError as exc:
        raise from_oserror(exc, "check the fallback file", path) from exc


def place_fallback(folder: Path, shipped: Path) -> list[str]:
    """Put in place what is missing or damaged: a copy of the shipped file, or else a new one.

    A whole file stays as it is, an operator's own among them.

    Args:
        folder: where TVs look, ``fallback/`` below the storage root.
        shipped: the folder of the project's own.

    Returns:
        The names that were put in place.

    Raises:
        VvError: one can neither be copied nor made.
    """
    placed = []
    for file in FALLBACK_FILES:
        if not find_problem(folder, file):
            continue
        try:
            if find_problem(shipped, file):
                file.make(folder / file.name)
            else:
                data = (shipped / file.name).read_bytes()
                write_bytes_atomic(folder / file.name, data)
        except OSError as exc:
            raise from_oserror(exc, "put the fallback file in place", folder / file.name) from exc
        placed.append(file.name)
    return placed


def find_fallback_problems(folder: Path) -> list[str]:
    """Return a line for each fallback file that TVs could not show.

    Raises:
        VvError: one cannot be looked at.
    """
    problems = []
    for file in FALLBACK_FILES:
        problem = find_problem(folder, file)
        if problem:
            problems.append(f"{file.name}: {problem}")
    return problems
