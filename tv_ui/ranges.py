"""The part of a file that a client asks for: ``Range`` and ``If-Range`` (RFC 9110, 14.2 and 13.1.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE_RANGE = re.compile(r"bytes[ \t]*=[ \t]*([0-9]{0,19})-([0-9]{0,19})[ \t]*")


@dataclass(frozen=True)
class Span:
    """Consecutive bytes: from ``start`` up to, and without, ``end``."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes they are."""
        return self.end - self.start


class OutOfRange(Exception):
    """The file has none of the bytes that were asked for: 416."""


def choose_span(
    raw_range: str | None, raw_if_range: str | None, tag: str, size: int
) -> Span | None:
    """Return the part of a file to send; None: all of it, as to one who asked for no part.

    Several ranges at once get the whole file, which RFC 9110 allows and no TV asks for.

    Args:
        raw_range: the header ``Range``.
        raw_if_range: the header ``If-Range``; a date never fits, since content is named by hash here.
        tag: the file's entity tag, with quotes.
        size: of the file, in bytes.

    Raises:
        OutOfRange: 416.
    """
    if raw_range is None or (raw_if_range is not None and raw_if_range.strip() != tag):
        return None
    found = _ONE_RANGE.fullmatch(raw_range.strip())
    if found is None or found.group(1, 2) == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return _last_bytes(int(last), size)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        raise OutOfRange
    return Span(start, min(int(last) + 1, size) if last else size)


def _last_bytes(count: int, size: int) -> Span:
    if count == 0 or size == 0:
        raise OutOfRange
    return Span(max(0, size - count), size)
