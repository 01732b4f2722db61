"""The proof of a file in parts: hashes of its chunks, made while the whole was held against its name.

What a table says holds for content, not for a file: a chunk that fits is right wherever it was read. So a file may
be changed, replaced or go bad after the table was made, and no wrong byte passes.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tv_ui.ranges import Span

CHUNK_BYTES = 256 * 1024
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one chunk.

    Attributes:
        index: of the chunk.
        offset: of the chunk, in the file.
        length: of the chunk, all of which must be read.
        within: which bytes of the chunk are wanted.
    """

    index: int
    offset: int
    length: int
    within: Span


@dataclass(frozen=True, slots=True)
class ChunkTable:
    """Hashes of the chunks of a content whose own hash was right.

    Attributes:
        size: of the content, in bytes.
        digests: SHA-256 of each chunk of `CHUNK_BYTES`, one after the other.
    """

    size: int
    digests: bytes

    def is_genuine(self, index: int, data: bytes) -> bool:
        """Tell whether these bytes are the chunk."""
        start = index * _DIGEST_BYTES
        return hashlib.sha256(data).digest() == self.digests[start : start + _DIGEST_BYTES]

    def pieces(self, span: Span) -> Iterator[Piece]:
        """Yield the parts that make up a span within the content, in order."""
        for index in range(span.start // CHUNK_BYTES, -(-span.end // CHUNK_BYTES)):
            offset = index * CHUNK_BYTES
            length = min(CHUNK_BYTES, self.size - offset)
            within = Span(max(span.start - offset, 0), min(span.end - offset, length))
            yield Piece(index, offset, length, within)


def build_table(chunks: Iterable[bytes], sha256: str) -> ChunkTable | None:
    """Return the table of a content, or None when the content is another one.

    Args:
        chunks: the content in parts of `CHUNK_BYTES`; the last may be shorter.
        sha256: what the whole must have, lower-case hexadecimal.
    """
    whole, digests, size = hashlib.sha256(), bytearray(), 0
    for chunk in chunks:
        whole.update(chunk)
        digests += hashlib.sha256(chunk).digest()
        size += len(chunk)
    return ChunkTable(size, bytes(digests)) if whole.hexdigest() == sha256 else None


class TableCache:
    """The tables that were used last, up to a size."""

    def __init__(self, max_bytes: int) -> None:
        """Begin empty.

        Args:
            max_bytes: of all tables together; 16 MiB stand for 128 GiB of clips.
        """
        self._max_bytes = max_bytes
        self._bytes = 0
        self._tables: OrderedDict[str, ChunkTable] = OrderedDict()

    def get(self, sha256: str) -> ChunkTable | None:
        """Return the table of a content, if it is still known."""
        table = self._tables.get(sha256)
        if table is not None:
            self._tables.move_to_end(sha256)
        return table

    def put(self, sha256: str, table: ChunkTable) -> None:
        """Remember a table, and forget those that nobody has used for longest."""
        known = self._tables.pop(sha256, None)
        self._bytes += len(table.digests) - (len(known.digests) if known else 0)
        self._tables[sha256] = table
        while self._bytes > self._max_bytes and len(self._tables) > 1:
            _, oldest = self._tables.popitem(last=False)
            self._bytes -= len(oldest.digests)
