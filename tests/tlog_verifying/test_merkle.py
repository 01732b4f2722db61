from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_verifying.vectors import decode, load_cases
from vv_core.tlog.merkle import (
    EMPTY_ROOT,
    CompactRange,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

WAIVED = "additional/sizes-are-equal-one-and-proof-is-empty"
"""Its roots are 12 bytes of placeholder, not hashes."""

INCLUSION = load_cases("rfc6962/inclusion")
CONSISTENCY = load_cases("rfc6962/consistency")
SIZES = st.integers(0, 300)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(b"leaf %d" % number) for number in range(count)]


def naive_root(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, word for word."""
    if not hashes:
        return hashlib.sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return node_hash(naive_root(hashes[:split]), naive_root(hashes[split:]))


def getter(hashes: list[bytes]) -> Callable[[int, int], bytes]:
    def get(level: int, index: int) -> bytes:
        part = hashes[index << level : (index + 1) << level]
        assert len(part) == 1 << level, "only complete subtrees are asked for"
        return naive_root(part)

    return get


@pytest.mark.skipif(not INCLUSION, reason="the shared test vectors are not here: rfc6962")
def test_all_vectors_are_there() -> None:
    assert (len(INCLUSION), len(CONSISTENCY)) == (98, 98)


@pytest.mark.parametrize(("name", "case"), INCLUSION, ids=[name for name, _ in INCLUSION])
def test_inclusion_vector(name: str, case: dict[str, Any]) -> None:
    is_included = verify_inclusion(
        decode(case["leafHash"]),
        case["leafIdx"],
        case["treeSize"],
        [decode(step) for step in case["proof"] or []],
        decode(case["root"]),
    )
    assert is_included is not case["wantErr"], case["desc"]


@pytest.mark.parametrize(("name", "case"), CONSISTENCY, ids=[name for name, _ in CONSISTENCY])
def test_consistency_vector(name: str, case: dict[str, Any]) -> None:
    is_consistent = verify_consistency(
        case["size1"],
        decode(case["root1"]),
        case["size2"],
        decode(case["root2"]),
        [decode(step) for step in case["proof"] or []],
    )
    if name == WAIVED:
        assert not is_consistent, "a root that is no hash is refused"
        return
    assert is_consistent is not case["wantErr"], case["desc"]


@given(SIZES)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    hashes = leaves(size)
    assert root_hash(hashes) == naive_root(hashes)


def test_every_root_on_the_way_is_right() -> None:
    hashes = leaves(70)
    tree = CompactRange()
    assert tree.root() == EMPTY_ROOT
    for count, leaf in enumerate(hashes, start=1):
        tree.append(leaf)
        assert (tree.size, tree.root()) == (count, naive_root(hashes[:count]))
        assert len(tree.hashes) == count.bit_count()


@given(SIZES, SIZES)
def test_a_range_goes_on_from_its_edge(first: int, more: int) -> None:
    hashes = leaves(first + more)
    tree = CompactRange()
    for leaf in hashes[:first]:
        tree.append(leaf)
    again = CompactRange.from_edge(tree.size, tree.hashes)
    for leaf in hashes[first:]:
        again.append(leaf)
    assert again.root() == naive_root(hashes)
    assert tree.size == first, "the first one is untouched"


def test_subtrees_are_added_whole() -> None:
    hashes = leaves(19)
    tree = CompactRange()
    tree.append_subtree(3, naive_root(hashes[:8]))
    tree.append_subtree(3, naive_root(hashes[8:16]))
    tree.append_subtree(1, naive_root(hashes[16:18]))
    tree.append(hashes[18])
    assert (tree.size, tree.root()) == (19, naive_root(hashes))
    with pytest.raises(ValueError, match="no subtree of level 1 begins at leaf 19"):
        tree.append_subtree(1, hashes[0])


@pytest.mark.parametrize(
    ("size", "edge"), [(3, leaves(1)), (-1, []), (0, leaves(1)), (1, [b"short"])]
)
def test_a_wrong_edge_is_refused(size: int, edge: list[bytes]) -> None:
    with pytest.raises(ValueError, match="no right edge"):
        CompactRange.from_edge(size, edge)


@given(st.data())
def test_inclusion_proofs_hold_and_nothing_near_them_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 130))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    root = naive_root(hashes)
    proof = inclusion_proof(index, size, getter(hashes))
    assert verify_inclusion(hashes[index], index, size, proof, root)
    assert not verify_inclusion(hashes[index], index, size, [*proof, root], root)
    assert not verify_inclusion(hashes[index], index, size, [*proof, b""], root)
    assert not verify_inclusion(leaf_hash(b"other"), index, size, proof, root)
    assert not verify_inclusion(hashes[index], index, size, proof, hashes[index][:31])
    for other in {index ^ 1, index + 1, size - 1 - index} - {index}:
        assert not verify_inclusion(hashes[index], other, size, proof, root)
    if proof:
        assert not verify_inclusion(hashes[index], index, size, proof[:-1], root)
        step = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:step], leaf_hash(proof[step]), *proof[step + 1 :]]
        assert not verify_inclusion(hashes[index], index, size, changed, root)


@given(st.data())
def test_consistency_proofs_hold_and_nothing_near_them_does(data: st.DataObject) -> None:
    new = data.draw(st.integers(0, 130))
    old = data.draw(st.integers(0, new))
    hashes = leaves(new)
    old_root, new_root = naive_root(hashes[:old]), naive_root(hashes)
    proof = consistency_proof(old, new, getter(hashes))
    assert verify_consistency(old, old_root, new, new_root, proof)
    assert not verify_consistency(old, old_root, new, new_root, [*proof, new_root])
    assert not verify_consistency(old, leaf_hash(old_root), new, new_root, proof)
    if old:
        assert not verify_consistency(old, old_root, new, leaf_hash(new_root), proof)
    if old != new:
        assert not verify_consistency(new, new_root, old, old_root, proof)
    if proof:
        assert not verify_consistency(old, old_root, new, new_root, proof[:-1])
        assert not verify_consistency(old, old_root, new, new_root, proof[1:])


def test_the_empty_tree_has_one_root() -> None:
    other = leaf_hash(b"")
    assert verify_consistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])
    assert not verify_consistency(0, other, 0, other, [])
    assert not verify_consistency(0, other, 5, other, [])
    assert not verify_inclusion(other, 0, 0, [], EMPTY_ROOT)


def test_a_huge_claimed_size_ends_at_once() -> None:
    root = leaf_hash(b"")
    assert not verify_inclusion(root, 0, 2**63, [], root)
    assert not verify_consistency(1, root, 2**63, root, [root] * 63)


@given(st.integers(0, 200), st.integers(1, 64))
def test_the_root_of_a_part(block: int, count: int) -> None:
    size = 1 << (count - 1).bit_length()
    start = (block % 4) * size
    hashes = leaves(start + count)
    assert subtree_root(start, start + count, getter(hashes)) == naive_root(hashes[start:])


def test_proofs_of_what_is_not_there() -> None:
    get = getter(leaves(4))
    with pytest.raises(ValueError, match="leaf 4 is not in a tree of 4"):
        inclusion_proof(4, 4, get)
    with pytest.raises(ValueError, match="a tree of 5 leaves does not begin one of 4"):
        consistency_proof(5, 4, get)
