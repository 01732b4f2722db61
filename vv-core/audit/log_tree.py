"""Who is right where entries, hash tiles and the signed head of a log differ.

The head's root is what is believed. When the entries lead to it, whatever else differs is a damaged tile.
When they do not, the tiles are followed down from the root: a tile that it commits to says which entries
were changed, taken out or put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vv_core.audit.log_scan import ScannedPart
from vv_core.tlog.merkle import EMPTY_ROOT, HASH_BYTES, CompactRange, root_hash, subtree_root
from vv_core.tlog.tiles import WIDTH, LogReader, TileError

_HEIGHT = 8


@dataclass
class GrowingTree:
    """The tree over the leaves seen so far, compared level by level with the stored tiles.

    Attributes:
        reader: of the log.
        size: leaves that the head covers.
        bundles: how many are looked at; fewer than the head claims where most are gone.
        roots_at: sizes whose root is asked for, and their roots once they are known.
        different: tiles above the leaves (level, index, width) that are not what the leaves lead to.
        is_broken: some leaves could not be had in any way.
    """

    reader: LogReader
    size: int
    bundles: int
    roots_at: dict[int, bytes | None] = field(default_factory=dict)
    different: dict[tuple[int, int, int], TileError | None] = field(default_factory=dict)
    is_broken: bool = False
    _range: CompactRange = field(default_factory=CompactRange)
    _levels: list[list[bytes]] = field(default_factory=list)
    _done: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        if 0 in self.roots_at:
            self.roots_at[0] = EMPTY_ROOT

    @property
    def wanted(self) -> frozenset[int]:
        """The bundles whose single leaves are needed, for roots within them."""
        return frozenset((size - 1) // WIDTH for size in self.roots_at if size)

    @property
    def root(self) -> bytes | None:
        """The root over all leaves; None when some could not be had."""
        is_whole = not self.is_broken and self._range.size == self.size
        return self._range.root() if is_whole else None

    def add(self, part: ScannedPart) -> None:
        """Add the leaves of a part; parts come in order, without a gap."""
        for bundle, root in enumerate(part.roots, start=part.first):
            if not self.is_broken:
                self._add_bundle(bundle, root, part.leaves.get(bundle))

    def finish(self) -> None:
        """Compare the tiles at the right edge, which are not full."""
        for level, hashes in enumerate(self._levels, start=1):
            if hashes and not self.is_broken:
                self._compare(level, self._done[level - 1], hashes)

    def _add_bundle(self, bundle: int, root: bytes | None, joined: bytes | None) -> None:
        width = min(WIDTH, self.size - bundle * WIDTH)
        if root is None:
            joined = self._leaves_of_tile(bundle, width)
            root = root_hash(split_hashes(joined)) if joined else self._root_above(bundle, width)
        if root is None:
            self.is_broken = True
            return
        if joined and len(joined) == width * HASH_BYTES:
            self._note_roots(bundle * WIDTH, split_hashes(joined))
        if width == WIDTH:
            self._range.append_subtree(_HEIGHT, root)
            self._push(1, root)
        else:
            for leaf in split_hashes(joined or b""):
                self._range.append(leaf)

    def _leaves_of_tile(self, bundle: int, width: int) -> bytes | None:
        try:
            tile = self.reader.tile(0, bundle)
        except TileError:
            return None
        return tile[: width * HASH_BYTES] if len(tile) >= width * HASH_BYTES else None

    def _root_above(self, bundle: int, width: int) -> bytes | None:
        if width < WIDTH:
            return None
        try:
            return self.reader.get_hash(_HEIGHT, bundle)
        except TileError:
            return None

    def _note_roots(self, first: int, leaves: Sequence[bytes]) -> None:
        sizes = [size for size in self.roots_at if first < size <= first + len(leaves)]
        for size in sizes:
            part = self._range.copy()
            for leaf in leaves[: size - first]:
                part.append(leaf)
            self.roots_at[size] = part.root()

    def _push(self, level: int, root: bytes) -> None:
        while len(self._levels) < level:
            self._levels.append([])
            self._done.append(0)
        hashes = self._levels[level - 1]
        hashes.append(root)
        if len(hashes) == WIDTH:
            self._compare(level, self._done[level - 1], hashes)
            self._done[level - 1] += 1
            above = root_hash(hashes)
            hashes.clear()
            self._push(level + 1, above)

    def _compare(self, level: int, index: int, hashes: list[bytes]) -> None:
        place = (level, index, len(hashes))
        try:
            tile = self.reader.tile(level, index)
        except TileError as exc:
            self.different[place] = exc
            return
        if tile[: len(hashes) * HASH_BYTES] != b"".join(hashes):
            self.different[place] = None


class TileTrust:
    """Tells which tiles the head's root commits to, from the root down.

    Args:
        reader: of the log.
        size: leaves that the head covers.
        root: of the head.
    """

    def __init__(self, reader: LogReader, size: int, root: bytes) -> None:
        self._reader = reader
        self._size = size
        self._is_edge_right = self._edge_root() == root
        self._known: dict[tuple[int, int], bool] = {}

    @property
    def is_edge_right(self) -> bool:
        """The tiles at the right edge lead to the root, so that at least those are as signed."""
        return self._is_edge_right

    def is_trusted(self, level: int, index: int) -> bool:
        """Tell whether the root commits to what the tile holds."""
        place = (level, index)
        if place not in self._known:
            self._known[place] = self._look(level, index)
        return self._known[place]

    def trusted_root(self, bundle: int) -> bytes | None:
        """Return the root over the leaves of a full bundle as the head commits to it, if it can be told."""
        if not self.is_trusted(1, bundle // WIDTH):
            return None
        try:
            return self._reader.get_hash(_HEIGHT, bundle)
        except TileError:
            return None

    def trusted_leaves(self, bundle: int) -> list[bytes] | None:
        """Return the leaf hashes of a bundle as the head commits to them, if they can be told."""
        if not self.is_trusted(0, bundle):
            return None
        width = min(WIDTH, self._size - bundle * WIDTH)
        return split_hashes(self._reader.tile(0, bundle)[: width * HASH_BYTES])

    def _look(self, level: int, index: int) -> bool:
        width = min(WIDTH, (self._size >> (_HEIGHT * level)) - index * WIDTH)
        if width <= 0 or not self._is_edge_right:
            return False
        try:
            tile = self._reader.tile(level, index)
            if width < WIDTH:
                return len(tile) >= width * HASH_BYTES
            above = self._reader.get_hash(_HEIGHT * (level + 1), index)
        except TileError:
            return False
        is_hashed_so = root_hash(split_hashes(tile)) == above
        return is_hashed_so and self.is_trusted(level + 1, index // WIDTH)

    def _edge_root(self) -> bytes | None:
        if self._size == 0:
            return EMPTY_ROOT
        try:
            return subtree_root(0, self._size, self._reader.get_hash)
        except TileError:
            return None


@dataclass(frozen=True, slots=True)
class BundleDifference:
    """How the entries of a bundle differ from the leaves that the head commits to.

    Attributes:
        changed: positions whose entry is another one.
        missing: positions whose entry is gone.
        inserted: positions in the bundle of entries that the log does not have there.
        moved: positions in the bundle of entries that stand elsewhere in the log's order.
    """

    changed: tuple[int, ...] = ()
    missing: tuple[int, ...] = ()
    inserted: tuple[int, ...] = ()
    moved: tuple[int, ...] = ()


def compare_leaves(first: int, due: Sequence[bytes], found: Sequence[bytes]) -> BundleDifference:
    """Compare the leaves of a bundle with those due.

    Args:
        first: position of the bundle's first entry.
        due: leaf hashes that the head commits to.
        found: leaf hashes of the entries that are there.
    """
    place = {leaf: number for number, leaf in enumerate(due)}
    present = set(found)
    changed: list[int] = []
    inserted: list[int] = []
    moved: list[int] = []
    used: set[int] = set()
    highest = -1
    for number, leaf in enumerate(found):
        at = place.get(leaf)
        if at is None:
            is_instead = number < len(due) and due[number] not in present
            (changed if is_instead else inserted).append(first + number)
        elif at < highest or at in used:
            moved.append(first + number)
        else:
            highest = at
            used.add(at)
    gone = (first + number for number, leaf in enumerate(due) if leaf not in present)
    missing = tuple(seq for seq in gone if seq not in set(changed))
    return BundleDifference(tuple(changed), missing, tuple(inserted), tuple(moved))


def split_hashes(joined: bytes) -> list[bytes]:
    """Return the hashes that stand one after another."""
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]


def join_ranges(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of each run of numbers that follow one another; they come sorted."""
    start = last = None
    for number in numbers:
        if last is not None and start is not None and number != last + 1:
            yield start, last
            start = number
        start = number if start is None else start
        last = number
    if start is not None and last is not None:
        yield start, last
