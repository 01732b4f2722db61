"""The proof in parts: what it lets through is the content, byte by byte."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from tv_ui.chunk_table import CHUNK_BYTES, ChunkTable, TableCache, build_table
from tv_ui.ranges import Span


def chunks(data: bytes) -> Iterator[bytes]:
    return (data[start : start + CHUNK_BYTES] for start in range(0, len(data), CHUNK_BYTES))


def content_of(size: int) -> bytes:
    """Return bytes of which no two chunks are the same."""
    return hashlib.shake_128(b"%d" % size).digest(size)


def table_of(data: bytes) -> ChunkTable:
    table = build_table(chunks(data), hashlib.sha256(data).hexdigest())
    assert table is not None
    return table


sizes = st.one_of(
    st.integers(0, 3000),
    st.sampled_from([CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 700_001]),
)


@given(sizes, st.data())
def test_the_pieces_of_a_span_are_its_bytes(size: int, draw: st.DataObject) -> None:
    data = content_of(size)
    table = table_of(data)
    start = draw.draw(st.integers(0, size))
    end = draw.draw(st.integers(start, size))
    found = b""
    for piece in table.pieces(Span(start, end)):
        chunk = data[piece.offset : piece.offset + piece.length]
        assert table.is_genuine(piece.index, chunk)
        found += chunk[piece.within.start : piece.within.end]
    assert found == data[start:end]


@given(sizes.filter(bool), st.data())
def test_a_changed_cut_or_longer_chunk_is_not_genuine(size: int, draw: st.DataObject) -> None:
    data = content_of(size)
    table = table_of(data)
    pieces = list(table.pieces(Span(0, size)))
    piece = draw.draw(st.sampled_from(pieces))
    chunk = bytearray(data[piece.offset : piece.offset + piece.length])
    at = draw.draw(st.integers(0, len(chunk) - 1))
    chunk[at] ^= draw.draw(st.integers(1, 255))
    assert not table.is_genuine(piece.index, bytes(chunk))
    chunk = bytearray(data[piece.offset : piece.offset + piece.length])
    assert not table.is_genuine(piece.index, bytes(chunk[:-1]))
    assert not table.is_genuine(piece.index, bytes(chunk) + b"\0")
    other = draw.draw(st.sampled_from(pieces))
    assert table.is_genuine(other.index, bytes(chunk)) == (other.index == piece.index)


@given(sizes.filter(bool), st.data())
def test_another_content_gets_no_table(size: int, draw: st.DataObject) -> None:
    data = bytearray(content_of(size))
    sha = hashlib.sha256(data).hexdigest()
    data[draw.draw(st.integers(0, size - 1))] ^= 1
    assert build_table(chunks(bytes(data)), sha) is None


def test_chunks_beyond_the_end_are_never_genuine() -> None:
    assert not table_of(b"").is_genuine(0, b"")
    assert not table_of(b"abc").is_genuine(1, b"")
    assert list(table_of(b"").pieces(Span(0, 0))) == []


def test_the_cache_keeps_what_was_used_last() -> None:
    cache = TableCache(max_bytes=64)
    tables = {name: ChunkTable(1, name.encode() * 32) for name in "abc"}
    cache.put("a", tables["a"])
    cache.put("b", tables["b"])
    assert cache.get("a") == tables["a"]
    cache.put("c", tables["c"])
    assert [cache.get(name) for name in "abc"] == [tables["a"], None, tables["c"]]
    cache.put("c", tables["c"])
    assert cache.get("a") is not None, "the same again takes no more room"
    huge = ChunkTable(9, b"x" * 320)
    cache.put("huge", huge)
    assert cache.get("huge") == huge, "one alone is kept, whatever its size"
    assert cache.get("a") is None
