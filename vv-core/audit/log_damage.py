"""From what a scan of a log saw to findings: which entries and tiles are damaged, missing, or too many."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from vv_core.audit.canonical import MalformedError
from vv_core.audit.finding import Finding
from vv_core.audit.log_files import Place, TileName, list_tile_files, parse_tile_path, place_of
from vv_core.audit.log_scan import ScannedPart
from vv_core.audit.log_tree import GrowingTree, TileTrust, compare_leaves, join_ranges, split_hashes
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.tlog.merkle import HASH_BYTES, leaf_hash, root_hash
from vv_core.tlog.tile_files import MAX_BUNDLE_BYTES
from vv_core.tlog.tiles import WIDTH, TileError, encode_bundle, tile_path

_KEPT_BUNDLES = 256


@dataclass
class Damage:
    """What a scan saw that is not as it should be, gathered over all parts.

    Attributes:
        damaged: bundles that cannot be used, and why.
        found: leaf hashes, joined, of bundles that do not agree with their tile or are cut.
        tiles: tiles of leaf hashes that cannot be used, and why.
        beyond: entries that the head does not cover.
    """

    damaged: dict[int, TileError] = field(default_factory=dict)
    found: dict[int, bytes] = field(default_factory=dict)
    tiles: dict[int, TileError] = field(default_factory=dict)
    beyond: int = 0

    def add(self, part: ScannedPart) -> None:
        """Keep what has to be looked at when the whole log was seen."""
        self.damaged.update(part.damaged)
        self.tiles.update(part.tiles)
        self.beyond += part.beyond
        for bundle in (*part.unequal, *part.tiles):
            self.found[bundle] = part.leaves[bundle]


class DamageReport:
    """Says what the damage is, once the root over the whole log is known.

    Args:
        path: what to call the log's folder.
        tree: the tree over what was found.
        damage: what the scan saw.
        root: of the signed head.
        pruned_below: entries below may have been deleted.
    """

    def __init__(
        self, path: str, tree: GrowingTree, damage: Damage, root: bytes, pruned_below: int
    ) -> None:
        self._path = path
        self.reader = tree.reader
        self._size = tree.size
        self._tree = tree
        self._damage = damage
        self._pruned_below = pruned_below
        self._leaves: dict[int, bytes | None] = {}
        self.is_root_right = tree.root == root
        self.trust = TileTrust(tree.reader, tree.size, root)

    @property
    def is_proven(self) -> bool:
        """Whatever is not reported is what the head commits to."""
        return self.is_root_right or self.trust.is_edge_right

    def findings(self) -> Iterator[Finding]:
        """Yield what is wrong with entries, then with tiles, then with names."""
        told = False
        for finding in self._entry_findings():
            told = True
            yield finding
        if not self.is_root_right and not (self.trust.is_edge_right and told):
            verdict = Verdict(Status.FORKED, Reason.OTHER_ROOT_THAN_SIGNED)
            yield Finding(f"{self._path}/checkpoint", verdict, 0, self._size - 1)
        yield from self._tile_findings()
        yield from self._file_findings()

    def leaves(self, bundle: int) -> bytes | None:
        """Return the leaf hashes of a bundle that the head commits to, joined, if they can be told."""
        if bundle not in self._leaves:
            if len(self._leaves) >= _KEPT_BUNDLES:
                self._leaves.clear()
            self._leaves[bundle] = self._find_leaves(bundle)
        return self._leaves[bundle]

    def _find_leaves(self, bundle: int) -> bytes | None:
        width = min(WIDTH, self._size - bundle * WIDTH)
        found = self._damage.found.get(bundle)
        if self.is_root_right and found is not None and len(found) == width * HASH_BYTES:
            return found
        if not self.is_root_right and not self.trust.is_trusted(0, bundle):
            return None
        try:
            return self.reader.tile(0, bundle)[: width * HASH_BYTES]
        except TileError:
            return found

    def _entry_findings(self) -> Iterator[Finding]:
        yield from self._gone_findings()
        suspects = set(self._damage.found) - set(self._damage.damaged)
        if not self.is_root_right and self.trust.is_edge_right:
            suspects |= set(self._untrusted_bundles())
        for bundle in sorted(suspects):
            yield from self._bundle_findings(bundle)

    def _gone_findings(self) -> Iterator[Finding]:
        """Yield what is to say of bundles that are not there or cannot be read."""
        missing = [bundle for bundle, exc in self._damage.damaged.items() if exc.is_missing]
        pruned = [bundle for bundle in missing if (bundle + 1) * WIDTH <= self._pruned_below]
        for first, last in join_ranges(sorted(pruned)):
            yield self._range(Status.PRUNED, Reason.PRUNED_BY_RULE, first, last)
        for first, last in join_ranges(sorted(set(missing) - set(pruned))):
            yield self._range(Status.MISSING, Reason.ENTRY_MISSING, first, last)
        if self._tree.bundles * WIDTH < self._size:
            last = -(-self._size // WIDTH) - 1
            yield self._range(Status.MISSING, Reason.ENTRY_MISSING, self._tree.bundles, last)
        for bundle, exc in sorted(self._damage.damaged.items()):
            if not exc.is_missing:
                detail = f"{exc.path}: {exc.problem}"
                yield self._range(Status.MALFORMED, Reason.NOT_A_BUNDLE, bundle, bundle, detail)

    def _range(
        self, status: Status, reason: Reason, first: int, last: int, detail: str = ""
    ) -> Finding:
        """Return a finding on all entries of the bundles from ``first`` to ``last``."""
        end = min((last + 1) * WIDTH, self._size) - 1
        return Finding(self._path, Verdict(status, reason, detail), first * WIDTH, end)

    def _untrusted_bundles(self) -> Iterator[int]:
        for bundle in range(self._tree.bundles):
            if bundle not in self._damage.damaged and not self.trust.is_trusted(0, bundle):
                yield bundle

    def _bundle_findings(self, bundle: int) -> Iterator[Finding]:
        width = min(WIDTH, self._size - bundle * WIDTH)
        joined = self._damage.found.get(bundle)
        found = self._leaves_found(bundle) if joined is None else split_hashes(joined)
        if self.is_root_right and len(found) == width:
            return
        due = self.trust.trusted_leaves(bundle)
        if due is not None:
            yield from self._compare(bundle * WIDTH, due, found)
        elif len(found) < width or self.trust.trusted_root(bundle) != root_hash(found):
            yield self._range(Status.INVALID, Reason.ENTRY_CHANGED, bundle, bundle)

    def _leaves_found(self, bundle: int) -> list[bytes]:
        width = min(WIDTH, self._size - bundle * WIDTH)
        return [leaf_hash(entry) for entry in self.reader.bundle(bundle)[:width]]

    def _compare(self, first: int, due: list[bytes], found: list[bytes]) -> Iterator[Finding]:
        difference = compare_leaves(first, due, found)
        kinds = (
            (difference.changed, Status.INVALID, Reason.ENTRY_CHANGED),
            (difference.missing, Status.MISSING, Reason.ENTRY_MISSING),
            (difference.inserted, Status.UNLOGGED, Reason.NOT_IN_LOG),
            (difference.moved, Status.REORDERED, Reason.WRONG_POSITION),
        )
        for seqs, status, reason in kinds:
            for start, end in join_ranges(seqs):
                yield Finding(self._path, Verdict(status, reason), start, end)

    def _tile_findings(self) -> Iterator[Finding]:
        for bundle, exc in sorted(self._damage.tiles.items()):
            width = min(WIDTH, self._size - bundle * WIDTH)
            yield self._tile_finding(tile_path(0, bundle, width), exc)
        for bundle in sorted(self._damage.found):
            width = min(WIDTH, self._size - bundle * WIDTH)
            if bundle not in self._damage.tiles and not self._is_tile_right(0, bundle):
                yield self._tile_finding(tile_path(0, bundle, width), None)
        for (level, index, width), problem in sorted(self._tree.different.items()):
            if problem is not None or not self._is_tile_right(level, index):
                yield self._tile_finding(tile_path(level, index, width), problem)

    def _is_tile_right(self, level: int, index: int) -> bool:
        """Tell whether a tile that differs from the entries is nevertheless what was signed."""
        if not self.is_root_right or level == 0:
            return self.trust.is_trusted(level, index)
        return False

    def _tile_finding(self, path: str, exc: TileError | None) -> Finding:
        if exc is None:
            verdict = Verdict(Status.INVALID, Reason.TILE_CHANGED)
        elif exc.is_missing:
            verdict = Verdict(Status.MISSING, Reason.TILE_MISSING)
        else:
            verdict = Verdict(Status.MALFORMED, Reason.NOT_A_TILE, exc.problem)
        return Finding(f"{self._path}/{path}", verdict)

    def _file_findings(self) -> Iterator[Finding]:
        """Yield what is wrong with names below ``tile/``, and with tiles of earlier heads."""
        is_interrupted = False
        for path, is_regular in list_tile_files(str(self.reader.folder)):
            name = parse_tile_path(path)
            place = Place.STRAY if name is None else place_of(name, self._size)
            label = f"{self._path}/{path}"
            if not is_regular:
                yield Finding(label, Verdict(Status.MALFORMED, Reason.NOT_A_REGULAR_FILE))
            elif name is None or place is Place.STRAY:
                yield Finding(label, Verdict(Status.UNLOGGED, Reason.STRAY_FILE))
            elif place is Place.NEXT:
                is_interrupted = True
            elif place is Place.NARROWER and not self._is_prefix(name, path):
                yield Finding(label, Verdict(Status.INVALID, Reason.TILE_CHANGED))
        if is_interrupted:
            yield Finding(self._path, Verdict(Status.UNVERIFIABLE, Reason.INTERRUPTED))

    def _is_prefix(self, name: TileName, path: str) -> bool:
        """Tell whether a tile of an earlier, smaller head begins what the tile is now."""
        try:
            stored = read_regular_file(self.reader.folder / path, MAX_BUNDLE_BYTES)
            if name.level < 0:
                return stored == encode_bundle(self.reader.bundle(name.index)[: name.width])
            whole = self.reader.tile(name.level, name.index)
            if name.level == 0:
                whole = self.leaves(name.index) or whole
        except (MalformedError, TileError, OSError):
            return False
        return stored == whole[: name.width * HASH_BYTES]
