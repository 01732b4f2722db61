"""Merkle tree hashes and proofs of RFC 6962 (section 2.1) and RFC 9162 (section 2.1); no files here.

A hash is 32 bytes of SHA-256. "Complete subtree (level, index)" means the hash over the ``2**level`` leaves
from ``index * 2**level`` on; level 0 are the leaf hashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

_LEAF_PREFIX = b"\x00"
_NODE_PREFIX = b"\x01"

GetHash = Callable[[int, int], bytes]
"""Gives the hash of the complete subtree (level, index)."""


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf with this content."""
    return sha256(_LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node with these children."""
    return sha256(_NODE_PREFIX + left + right).digest()


class CompactRange:
    """The right edge of a growing tree: one hash for each bit of its size, O(log n) memory."""

    def __init__(self) -> None:
        self._size = 0
        self._hashes: list[bytes] = []

    @classmethod
    def from_edge(cls, size: int, hashes: Sequence[bytes]) -> Self:
        """Return the range of a tree of this size with this right edge, largest subtree first.

        Raises:
            ValueError: the number of hashes is not that of the size's bits.
        """
        if size < 0 or len(hashes) != size.bit_count() or not _are_hashes(hashes):
            raise ValueError(f"{len(hashes)} hashes are no right edge of a tree of {size} leaves")
        edge = cls()
        edge._size = size
        edge._hashes = list(hashes)
        return edge

    @property
    def size(self) -> int:
        """How many leaves the tree has."""
        return self._size

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """The right edge: the hash of each complete subtree, largest first."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf, given by its hash."""
        self.append_subtree(0, leaf)

    def append_subtree(self, level: int, root: bytes) -> None:
        """Add ``2**level`` leaves at once, given by the hash of their complete subtree.

        Raises:
            ValueError: a subtree of that level cannot begin at the current size.
        """
        if self._size & ((1 << level) - 1):
            raise ValueError(f"no subtree of level {level} begins at leaf {self._size}")
        carries = self._size >> level
        while carries & 1:
            root = sha256(_NODE_PREFIX + self._hashes.pop() + root).digest()
            carries >>= 1
        self._hashes.append(root)
        self._size += 1 << level

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        return _fold_right(self._hashes) if self._hashes else EMPTY_ROOT

    def copy(self) -> CompactRange:
        """Return an independent range of the same tree."""
        return CompactRange.from_edge(self._size, self._hashes)


def root_hash(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root of the tree over these leaf hashes."""
    row = list(leaf_hashes)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        joined = b"".join(row)
        pairs = [
            sha256(_NODE_PREFIX + joined[at : at + 2 * HASH_BYTES]).digest()
            for at in range(0, len(joined) - HASH_BYTES, 2 * HASH_BYTES)
        ]
        # An odd one goes up as it is, which gives the tree of the recursive definition.
        row = [*pairs, row[-1]] if len(row) & 1 else pairs
    return row[0]


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> bool:
    """Tell whether a leaf hash stands at ``index`` in the tree of ``size`` leaves with this root.

    RFC 9162, section 2.1.3.2. A proof with a hash too many or too few is refused.
    """
    if not 0 <= index < size or not _are_hashes([leaf, root, *proof]):
        return False
    node, last, result = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            result = node_hash(sibling, result)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, sibling)
        node >>= 1
        last >>= 1
    return last == 0 and result == root


def verify_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Tell whether the new tree begins with all leaves of the old one.

    RFC 9162, section 2.1.4.2. Every tree is consistent with the empty one, whose root must be
    `EMPTY_ROOT`; a proof is empty exactly when the old tree is empty or the sizes are equal.
    """
    if not 0 <= old_size <= new_size or not _are_hashes([old_root, new_root, *proof]):
        return False
    if old_size == new_size:
        same_root = old_root == new_root and (old_size > 0 or old_root == EMPTY_ROOT)
        return not proof and same_root
    if old_size == 0:
        return not proof and old_root == EMPTY_ROOT
    if not proof:
        return False
    return _replay_consistency(old_size, new_size, proof, old_root) == (old_root, new_root)


def _replay_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes] | None:
    """Return the roots that a consistency proof leads to, or None where its length is wrong."""
    # A power of two is itself a complete subtree: the proof then leaves its root out.
    path = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while node and not node & 1:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    return (old, new) if last == 0 else None


def inclusion_proof(index: int, size: int, get: GetHash) -> list[bytes]:
    """Return the proof that leaf ``index`` is in the tree of ``size`` leaves.

    Args:
        index: which leaf, from 0.
        size: leaves of the tree.
        get: gives the hash of a complete subtree (level, index); see the module.

    Raises:
        ValueError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size} leaves")
    return _path(index, 0, size, get)


def consistency_proof(old_size: int, new_size: int, get: GetHash) -> list[bytes]:
    """Return the proof that the tree of ``new_size`` leaves begins with that of ``old_size``.

    Raises:
        ValueError: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= new_size:
        raise ValueError(f"a tree of {old_size} leaves does not begin one of {new_size}")
    if old_size in {0, new_size}:
        return []
    return _subproof(old_size, 0, new_size, True, get)


def subtree_root(start: int, end: int, get: GetHash) -> bytes:
    """Return the hash over leaves ``start`` to ``end`` (exclusive), a node of some tree.

    ``start`` is a multiple of the smallest power of two that is not less than the number of leaves.
    """
    return _fold_right([get(level, index) for level, index in _edge(start, end)])


def _edge(start: int, end: int) -> list[tuple[int, int]]:
    """Return the complete subtrees that make up the leaves, largest first."""
    parts = []
    while start < end:
        level = (end - start).bit_length() - 1
        parts.append((level, start >> level))
        start += 1 << level
    return parts


def _path(index: int, start: int, end: int, get: GetHash) -> list[bytes]:
    """PATH of RFC 6962, section 2.1.1, for the leaves ``start`` to ``end``; from leaf to root."""
    proof = []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(subtree_root(middle, end, get))
            end = middle
        else:
            proof.append(subtree_root(start, middle, get))
            start = middle
    return proof[::-1]


def _subproof(old: int, start: int, end: int, is_whole: bool, get: GetHash) -> list[bytes]:
    """SUBPROOF of RFC 6962, section 2.1.2, for the leaves ``start`` to ``end``."""
    proof = []
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(subtree_root(middle, end, get))
            end = middle
        else:
            proof.append(subtree_root(start, middle, get))
            start, is_whole = middle, False
    if not is_whole:
        proof.append(subtree_root(start, end, get))
    return proof[::-1]


def _split(count: int) -> int:
    """Return the largest power of two that is less than ``count``."""
    return 1 << ((count - 1).bit_length() - 1)


def _fold_right(hashes: Sequence[bytes]) -> bytes:
    """Join a right edge, largest subtree first, into one node."""
    result = hashes[-1]
    for left in hashes[-2::-1]:
        result = sha256(_NODE_PREFIX + left + result).digest()
    return result


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
