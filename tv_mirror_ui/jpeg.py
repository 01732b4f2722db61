"""Whether bytes are a whole JPEG, and how large; only its marker segments are read (ITU-T T.81, annex B)."""

from __future__ import annotations

from dataclasses import dataclass

MAX_BYTES = 4 * 1024 * 1024
MAX_SIDE = 8192
SOI = b"\xff\xd8"
EOI = b"\xff\xd9"
_SOS = 0xDA
_DHT = 0xC4
_FRAMES = {0xC0, 0xC1, 0xC2}  # baseline, extended, progressive: what browsers show
_WITHOUT_LENGTH = {0x01, *range(0xD0, 0xD8)}
_LEAST_SEGMENT = 2
_LEAST_FRAME = 8


class BadJpegError(Exception):
    """These bytes are no picture that could be shown."""


@dataclass(frozen=True)
class JpegHead:
    """What the head of a JPEG says.

    Attributes:
        width: pixels.
        height: pixels.
        has_tables: it bears its Huffman tables; some cameras leave them out, and browsers need them.
    """

    width: int
    height: int
    has_tables: bool


def trim(data: bytes) -> bytes:
    """Return a JPEG without what a camera put after its end.

    Raises:
        BadJpegError: it has no beginning or no end, or is too large.
    """
    end = data.rfind(EOI)
    if not data.startswith(SOI) or end < 0:
        raise BadJpegError("it is cut off")
    if end > MAX_BYTES - len(EOI):
        raise BadJpegError(f"it is larger than {MAX_BYTES} bytes")
    return data[: end + len(EOI)]


def read_head(data: bytes) -> JpegHead:
    """Return what the head of a trimmed JPEG says.

    Raises:
        BadJpegError: the head is broken, the picture too large, or of a kind that browsers do not show.
    """
    size: tuple[int, int] | None = None
    has_tables = False
    place = len(SOI)
    while True:
        marker, body, place = _segment(data, place)
        has_tables |= marker == _DHT
        if marker in _FRAMES:
            size = _size(body)
        if marker == _SOS:
            break
    if size is None:
        raise BadJpegError("it has no frame")
    return JpegHead(*size, has_tables)


def _segment(data: bytes, place: int) -> tuple[int, bytes, int]:
    """Return marker and content of the segment at a place, and where the next begins."""
    while True:
        if data[place : place + 1] != b"\xff":
            raise BadJpegError("its head is broken")
        while data[place : place + 1] == b"\xff":  # fill bytes
            place += 1
        marker = data[place] if place < len(data) else 0
        place += 1
        if marker not in _WITHOUT_LENGTH:
            break
    length = int.from_bytes(data[place : place + 2])
    if marker == 0 or length < _LEAST_SEGMENT or place + length > len(data):
        raise BadJpegError("its head is broken")
    return marker, data[place + 2 : place + length], place + length


def _size(body: bytes) -> tuple[int, int]:
    if len(body) < _LEAST_FRAME:
        raise BadJpegError("its frame is broken")
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE:
        raise BadJpegError(f"it has {width} x {height} pixels")
    return width, height
