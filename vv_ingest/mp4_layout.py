"""How an MP4 file is laid out: which boxes lie where, as far as a browser that loads it minds.

Boxes as in ISO/IEC 14496-12: size (4 bytes), type (4 bytes), perhaps a size of 8 bytes.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_MAX_BOXES = 1000
"""A plain file has half a dozen; one in fragments has two more a second."""
_HEADER = struct.Struct(">I4s")
_LONG_SIZE = struct.Struct(">Q")
_TO_THE_END, _IS_LONG = 0, 1


@dataclass(frozen=True)
class Mp4Layout:
    """The boxes of the top level.

    Attributes:
        is_fast_start: the index (moov) lies before the pictures (mdat), so that playing starts at once.
        is_fragmented: it has its index in pieces (moof).
        is_whole: no box is cut off by the end of the file.
    """

    is_fast_start: bool
    is_fragmented: bool
    is_whole: bool


def read_layout(path: Path) -> Mp4Layout | None:
    """Return the layout of a file, or None when it does not begin as MP4 does.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        boxes = list(_boxes(stream, size))
    kinds = [kind for kind, _ in boxes]
    if not kinds or kinds[0] != b"ftyp":
        return None
    return Mp4Layout(
        is_fast_start=_comes_first(kinds, b"moov", b"mdat"),
        is_fragmented=b"moof" in kinds,
        is_whole=boxes[-1][1] == size,
    )


def _comes_first(kinds: list[bytes], one: bytes, other: bytes) -> bool:
    return one in kinds and (other not in kinds or kinds.index(one) < kinds.index(other))


def _boxes(stream: BinaryIO, size: int) -> Iterator[tuple[bytes, int]]:
    """Yield the type of each box and where it ends, until one makes no sense."""
    place = 0
    for _ in range(_MAX_BOXES):
        if place >= size:
            return
        stream.seek(place)
        head = stream.read(_HEADER.size + _LONG_SIZE.size)
        if len(head) < _HEADER.size:
            yield b"", place + _HEADER.size
            return
        length, kind = _HEADER.unpack_from(head)
        least = _HEADER.size
        if length == _IS_LONG and len(head) == _HEADER.size + _LONG_SIZE.size:
            (length,) = _LONG_SIZE.unpack_from(head, _HEADER.size)
            least += _LONG_SIZE.size
        elif length == _TO_THE_END:
            length = size - place
        if length < least:
            yield kind, size + 1
            return
        place += length
        yield kind, place
