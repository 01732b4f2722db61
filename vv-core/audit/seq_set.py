"""A set of positions in a log, one bit each, so that a million take 125 KB."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NOT_FULL = re.compile(rb"[^\xff]")
_FULL = 0xFF


class SeqSet:
    """Positions from 0 to below a size.

    Args:
        size: of the log.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._bits = bytearray((size + 7) // 8)

    def __contains__(self, seq: int) -> bool:
        """Tell whether a position is in the set."""
        return 0 <= seq < self._size and bool(self._bits[seq >> 3] >> (seq & 7) & 1)

    def add(self, seq: int) -> None:
        """Add a position; one that the log does not have is left out."""
        if 0 <= seq < self._size:
            self._bits[seq >> 3] |= 1 << (seq & 7)

    def add_range(self, first: int, last: int) -> None:
        """Add the positions from ``first`` to ``last``, both included."""
        first, last = max(first, 0), min(last, self._size - 1)
        while first <= last:
            if first & 7 == 0 and last - first >= _FULL:
                whole = (last + 1 - first) // 8
                self._bits[first >> 3 : (first >> 3) + whole] = b"\xff" * whole
                first += 8 * whole
            else:
                self.add(first)
                first += 1

    def absent(self) -> Iterator[tuple[int, int]]:
        """Yield the first and last of each run of positions that are not in the set."""
        start: int | None = None
        end = 0
        for match in _NOT_FULL.finditer(self._bits):
            for seq in range(match.start() * 8, min(match.start() * 8 + 8, self._size)):
                if seq in self:
                    continue
                if start is not None and seq != end + 1:
                    yield start, end
                    start = seq
                start = seq if start is None else start
                end = seq
        if start is not None:
            yield start, end
