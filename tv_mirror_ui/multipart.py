"""The parts of a ``multipart/x-mixed-replace`` stream, as cameras really send it.

Boundaries with too many or too few dashes, parts with, without or with a wrong Content-Length: what comes out is
what could be a picture, and a count of what could not.
"""

from __future__ import annotations

import re

from tv_mirror_ui.jpeg import EOI, MAX_BYTES, SOI

MAX_HEAD = 8 * 1024
_LENGTH = re.compile(rb"^content-length:[ \t]*(\d{1,9})[ \t]*$", re.IGNORECASE | re.MULTILINE)
_BOUNDARY = re.compile(
    r";\s*boundary\s*=\s*(?:\"([^\"]{1,200})\"|([^\s;\"]{1,200}))", re.IGNORECASE
)


def find_boundary(content_type: str) -> str | None:
    """Return the boundary that a Content-Type header names; None: this is no stream of pictures."""
    if not content_type.lower().startswith("multipart/"):
        return None
    found = _BOUNDARY.search(content_type)
    return (found[1] or found[2]).removeprefix("--") or None if found else None


class MultipartParser:
    """Takes the stream apart, in whatever pieces it comes.

    Attributes:
        bad: parts so far that were cut off, too large, or no pictures.
    """

    def __init__(self, boundary: str) -> None:
        self.bad = 0
        self._mark = b"--" + boundary.encode("latin-1", "replace")
        self._buffer = bytearray()
        # Where the next part is: its boundary is looked for, its head, or its body is gathered.
        self._step = self._seek
        self._length: int | None = None
        self._searched = 0
        self._parts: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Take more of the stream; return the pictures that are whole now."""
        self._buffer += data
        while self._step():
            pass
        parts, self._parts = self._parts, []
        return parts

    def _seek(self) -> bool:
        place = self._buffer.find(self._mark)
        if place < 0:
            # A mark may have begun.
            del self._buffer[: max(0, len(self._buffer) - len(self._mark) + 1)]
            return False
        del self._buffer[: place + len(self._mark)]
        self._step = self._head
        return True

    def _head(self) -> bool:
        text = bytes(self._buffer[: MAX_HEAD + 1]).replace(b"\r\n", b"\n")
        head, blank, _ = text.partition(b"\n\n")
        if not blank:
            if len(self._buffer) <= MAX_HEAD:
                return False
            return self._reject()
        found = _LENGTH.search(head)
        self._length = int(found[1]) if found else None
        self._drop_head()
        if self._length is not None and self._length > MAX_BYTES:
            return self._reject()
        self._searched = 0
        self._step = self._counted_body if self._length else self._open_body
        return True

    def _drop_head(self) -> None:
        """Remove a head with its blank line; lines end in CR LF or LF."""
        ends = [
            place + len(blank)
            for blank in (b"\r\n\r\n", b"\n\n", b"\n\r\n")
            if (place := self._buffer.find(blank)) >= 0
        ]
        del self._buffer[: min(ends)]

    def _counted_body(self) -> bool:
        assert self._length is not None
        if len(self._buffer) < self._length:
            return False
        body = bytes(self._buffer[: self._length])
        if _is_picture(body):
            self._emit(body, self._length)
            return True
        # The length was wrong, or the part is: the next boundary tells where to go on.
        return self._reject()

    def _open_body(self) -> bool:
        place = self._buffer.find(self._mark, max(0, self._searched - len(self._mark)))
        self._searched = len(self._buffer)
        if place >= 0:
            body = bytes(self._buffer[:place]).rstrip(b"\r\n-")
            if not _is_picture(body):
                return self._reject()
            self._emit(body, place)
            return True
        if len(self._buffer) > MAX_BYTES:
            return self._reject()
        return False

    def _emit(self, body: bytes, used: int) -> None:
        self._parts.append(body)
        del self._buffer[:used]
        self._step = self._seek

    def _reject(self) -> bool:
        self.bad += 1
        self._step = self._seek
        return True


def _is_picture(body: bytes) -> bool:
    # Some cameras count the line's end that follows, some fill up with zeros.
    return body.startswith(SOI) and body.rstrip(b"\r\n\0").endswith(EOI)
