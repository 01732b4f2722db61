"""The right end of a log in memory: all that is needed to append, and which files an append changes."""

from __future__ import annotations

from collections.abc import Sequence

from vv_core.tlog.merkle import CompactRange, leaf_hash, node_hash
from vv_core.tlog.tile_files import (
    HASH_BYTES,
    HEIGHT,
    WIDTH,
    TileError,
    bundle_path,
    encode_bundle,
    tile_path,
)
from vv_core.tlog.tiles import LogReader


class Tail:
    """A log's right end.

    Attributes:
        tree: size, root and right edge.
        previous: hash of the last leaf; None in an empty log.
        last_entry: the last leaf itself, where it is known.
    """

    def __init__(self) -> None:
        self.tree = CompactRange()
        self.previous: bytes | None = None
        self.last_entry: bytes | None = None
        self._entries: list[bytes] = []
        self._tiles: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """How many leaves the log has."""
        return self.tree.size

    def append(self, entry: bytes) -> dict[str, bytes]:
        """Add an entry and return the content of the files that this changes, by their paths.

        Raises:
            ValueError: the entry is too long.
        """
        seq = self.size
        index, width = seq // WIDTH, seq % WIDTH + 1
        changed = {bundle_path(index, width): encode_bundle([*self._entries, entry])}
        self._entries = [*self._entries, entry] if width < WIDTH else []
        changed.update(self.append_leaf(leaf_hash(entry)))
        self.last_entry = entry
        return changed

    def append_leaf(self, leaf: bytes) -> dict[str, bytes]:
        """Add a leaf whose entry was pruned, and return the content of the tiles that this changes."""
        self.tree.append(leaf)
        self.previous, self.last_entry = leaf, None
        return self._append_hash(0, leaf)

    def _append_hash(self, level: int, value: bytes) -> dict[str, bytes]:
        if level == len(self._tiles):
            self._tiles.append([])
        row = self._tiles[level]
        row.append(value)
        index = ((self.size >> (HEIGHT * level)) - 1) // WIDTH
        changed = {tile_path(level, index, len(row)): b"".join(row)}
        if len(row) == WIDTH:
            self._tiles[level] = []
            changed.update(self._append_hash(level + 1, subtree_root(row)))
        return changed


def load_tail(reader: LogReader, size: int) -> Tail:
    """Return the right end of the tree of the first ``size`` entries, as the files have it.

    The root is to be compared by the caller with the one that was signed.

    Raises:
        TileError: a file is missing or cannot be used.
    """
    tail = Tail()
    rows = [_read_row(reader, level, size) for level in range(_levels(size))]
    edge = [root for row in reversed(rows) for root in _subtrees(row)]
    tail.tree = CompactRange.from_edge(size, edge)
    tail._tiles = [list(row) for row in rows]
    if size % WIDTH:
        tail._entries = _read_entries(reader, size)
        tail.last_entry = tail._entries[-1]
    if size:
        tail.previous = reader.get_hash(0, size - 1) if not rows[0] else rows[0][-1]
    return tail


def _levels(size: int) -> int:
    return -(-size.bit_length() // HEIGHT)


def _read_row(reader: LogReader, level: int, size: int) -> list[bytes]:
    """Return the hashes of the partial tile of a level in a tree of this size."""
    index, width = divmod(size >> (HEIGHT * level), WIDTH)
    if not width:
        return []
    data = reader.tile(level, index, width)
    return [data[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def _read_entries(reader: LogReader, size: int) -> list[bytes]:
    index, width = divmod(size, WIDTH)
    entries = reader.bundle(index, width)[:width]
    row = _read_row(reader, 0, size)
    for at, (entry, leaf) in enumerate(zip(entries, row, strict=True)):
        if leaf_hash(entry) != leaf:
            raise TileError(bundle_path(index, width), f"entry {at} is not the one in the tree")
    return entries


def _subtrees(row: Sequence[bytes]) -> list[bytes]:
    """Return the roots of the complete subtrees that a partial tile consists of, largest first."""
    roots, start = [], 0
    for bit in reversed(range(HEIGHT)):
        if len(row) & (1 << bit):
            roots.append(subtree_root(row[start : start + (1 << bit)]))
            start += 1 << bit
    return roots


def subtree_root(hashes: Sequence[bytes]) -> bytes:
    """Return the root over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def root_at(reader: LogReader, size: int) -> bytes:
    """Return the root of the tree of the first ``size`` leaves, as the tiles have it.

    Raises:
        TileError: a tile is missing or cannot be used.
    """
    rows = [_read_row(reader, level, size) for level in range(_levels(size))]
    edge = [root for row in reversed(rows) for root in _subtrees(row)]
    return CompactRange.from_edge(size, edge).root()
