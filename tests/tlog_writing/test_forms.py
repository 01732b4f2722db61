"""Frames, tiles, bundles and keys for whatever goes in, and a log against a plain list of its lines."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_writing.logs import LogBox
from vv_core.audit.canonical import MAX_BYTES
from vv_core.audit.key_chain import DerivedKeys, evolve
from vv_core.audit.keys import KeyStore, encode_key_store, new_key, parse_key_store
from vv_core.errors import ConfigError, InputDataError
from vv_core.tlog.key_rotation import evolve_store, export_key, is_rotation_due, replace_key
from vv_core.tlog.log_files import LogPlaces
from vv_core.tlog.merkle import inclusion_proof, leaf_hash, root_hash, verify_inclusion
from vv_core.tlog.position import choose_origin, default_origin, is_origin, next_epoch
from vv_core.tlog.tail import Tail, load_tail, root_at
from vv_core.tlog.tile_files import parse_pruned
from vv_core.tlog.tiles import (
    WIDTH,
    LogReader,
    TileError,
    bundle_path,
    decode_bundle,
    encode_bundle,
    tile_path,
)
from vv_core.tlog.wal import PublishedFile, Record, encode_frame, scan_frames

ENTRIES = st.binary(max_size=300)
FILES = st.builds(
    PublishedFile,
    path=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    content=ENTRIES,
)
RECORDS = st.builds(
    Record,
    seq=st.integers(0, 2**64 - 1),
    root=st.binary(min_size=32, max_size=32),
    entry=ENTRIES,
    files=st.lists(FILES, max_size=3).map(tuple),
)


@given(st.lists(RECORDS, max_size=5))
def test_frames_come_back(records: list[Record]) -> None:
    data = b"".join(map(encode_frame, records))
    scan = scan_frames(data)
    assert (scan.records, scan.good_bytes, scan.torn) == (tuple(records), len(data), b"")


@given(st.lists(RECORDS, min_size=1, max_size=3), st.data())
def test_a_cut_or_changed_frame_ends_what_is_read(
    records: list[Record], data: st.DataObject
) -> None:
    frames = [encode_frame(record) for record in records]
    whole = b"".join(frames)
    position = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[position] ^= data.draw(st.integers(1, 255))
    ends = [sum(map(len, frames[:count])) for count in range(len(frames))]
    count = max(number for number, end in enumerate(ends) if end <= position)
    before = ends[count]
    for torn in (whole[:position], bytes(changed)):
        scan = scan_frames(torn)
        assert scan.records == tuple(records[:count])
        assert (scan.good_bytes, scan.torn) == (before, torn[before:])


@given(st.binary(max_size=200))
def test_no_bytes_are_a_frame_by_chance(data: bytes) -> None:
    scan = scan_frames(data)
    assert data[: scan.good_bytes] + scan.torn == data


def test_a_record_too_large_is_refused() -> None:
    with pytest.raises(ValueError, match="too large"):
        encode_frame(Record(0, bytes(32), bytes(2**20)))


@given(st.lists(ENTRIES, max_size=WIDTH))
def test_bundles_come_back(entries: list[bytes]) -> None:
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=5), st.data())
def test_a_cut_bundle_is_refused_or_shorter(entries: list[bytes], data: st.DataObject) -> None:
    whole = encode_bundle(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))
    try:
        found = decode_bundle(whole[:cut])
    except ValueError:
        return
    assert found == entries[: len(found)]
    assert len(found) < len(entries)


def test_limits_of_bundles() -> None:
    assert decode_bundle(encode_bundle([bytes(MAX_BYTES)])) == [bytes(MAX_BYTES)]
    with pytest.raises(ValueError, match="too long"):
        encode_bundle([bytes(MAX_BYTES + 1)])
    with pytest.raises(ValueError, match="too many"):
        encode_bundle([b""] * (WIDTH + 1))
    with pytest.raises(ValueError, match="too many"):
        decode_bundle(bytes(2 * (WIDTH + 1)))


def test_paths_are_those_of_tlog_tiles() -> None:
    assert tile_path(0, 1234067) == "tile/0/x001/x234/067"
    assert tile_path(2, 0, 1) == "tile/2/000.p/1"
    assert bundle_path(273, 112) == "tile/entries/273.p/112"
    assert bundle_path(1000) == "tile/entries/x001/000"
    for arguments in [(-1, 0), (8, 0), (0, -1), (0, 0, 0), (0, 0, 257)]:
        with pytest.raises(ValueError, match="no "):
            tile_path(*arguments)


def write_tree(folder: Path, count: int) -> list[bytes]:
    """Write the files of a tree of so many small entries; return the entries."""
    tail = Tail()
    entries = [str(number).encode() for number in range(count)]
    for entry in entries:
        for path, data in tail.append(entry).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
    return entries


def test_the_tree_of_70000_entries_is_that_of_the_specification(quick_path: Path) -> None:
    entries = write_tree(quick_path, 70_000)
    reader = LogReader(quick_path)
    assert len(reader.tile(0, 273)) == 112 * 32
    assert len(reader.tile(1, 0)) == 256 * 32
    assert len(reader.tile(1, 1)) == 17 * 32
    assert len(reader.tile(2, 0)) == 32
    hashes = [leaf_hash(entry) for entry in entries]
    for size in (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000):
        root = root_hash(hashes[:size])
        assert root_at(reader, size) == root
        tail = load_tail(reader, size)
        assert (tail.size, tail.tree.root(), tail.previous) == (size, root, hashes[size - 1])
    root = root_hash(hashes)
    for seq in (0, 255, 256, 65_536, 69_999):
        proof = inclusion_proof(seq, 70_000, reader.get_hash)
        assert verify_inclusion(hashes[seq], seq, 70_000, proof, root)
        assert reader.entry(seq) == entries[seq]
    assert list(reader.entries(250, 520)) == entries[250:520]
    assert list(reader.entries(69_990, 70_000)) == entries[69_990:]


def test_a_loaded_tail_goes_on_as_the_first_one(tmp_path: Path) -> None:
    write_tree(tmp_path, 260)
    for size in (1, 100, 255, 256, 257):
        tail, whole = load_tail(LogReader(tmp_path), size), Tail()
        for number in range(size):
            whole.append(str(number).encode())
        assert tail.append(b"next") == whole.append(b"next")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("tile/0/000.p/5", bytes(31)),
        ("tile/entries/000.p/5", bytes(9)),
        ("tile/entries/000.p/5", encode_bundle([b""] * 4)),
        ("pruned", b"{}"),
        ("pruned", b'{"schema":"vv.log-pruned/1","below":-1}'),
        ("pruned", b'{"schema":"vv.log-pruned/1","below":true}'),
    ],
)
def test_files_that_are_not_what_they_say(tmp_path: Path, path: str, content: bytes) -> None:
    write_tree(tmp_path, 5)
    (tmp_path / path).write_bytes(content)
    reader = LogReader(tmp_path)
    with pytest.raises(TileError) as caught:
        reader.get_hash(0, 4) if "tile/0" in path else list(reader.entries(0, 5))
    assert not caught.value.is_missing


def test_hostile_files_are_not_read(tmp_path: Path) -> None:
    write_tree(tmp_path, 5)
    os.mkfifo(tmp_path / "checkpoint")
    (tmp_path / "pruned").symlink_to("/dev/zero")
    (tmp_path / "tile/0/000.p/6").symlink_to("5")
    reader = LogReader(tmp_path)
    for read in (reader.checkpoint_bytes, lambda: reader.pruned_below, lambda: reader.tile(0, 0)):
        with pytest.raises(TileError):
            read()


def test_names_beside_partial_tiles_are_passed_over(tmp_path: Path) -> None:
    write_tree(tmp_path, 5)
    for name in ("256", "0", "05", "x", "-1", "٣", ".vv-tmp-1"):
        (tmp_path / "tile/0/000.p" / name).write_bytes(b"")
    assert len(LogReader(tmp_path).tile(0, 0)) == 5 * 32


def test_pruned_names_an_index() -> None:
    assert parse_pruned(b'{"schema":"vv.log-pruned/1","below":512}\n') == 512


DAYS = st.integers(0, 5).map(lambda days: datetime(2026, 11, 21, tzinfo=UTC) + timedelta(days=days))


@given(DAYS, st.integers(0, 20))
def test_an_auditor_with_the_first_key_derives_all_later_ones(now: datetime, steps: int) -> None:
    key_id, secret = new_key(now)
    store = KeyStore(key_id, {key_id: secret}, {key_id: now})
    first = parse_key_store(export_key(store), "first")
    for number in range(steps):
        later = evolve_store(store, now)
        assert later.keys == {f"{key_id[:-2]}.{number + 1}": evolve(store.active_secret)}
        store = parse_key_store(encode_key_store(later), "store")
    assert DerivedKeys(first.keys)[store.active] == store.active_secret
    fresh = replace_key(store, now, drop=True)
    assert list(fresh.keys) == [fresh.active]
    assert fresh.active not in DerivedKeys(first.keys)


def test_a_key_is_due_on_the_next_day_only() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    store = KeyStore("k.0", {"k.0": bytes(range(32))}, {"k.0": noon})
    assert not is_rotation_due(store, noon + timedelta(hours=11))
    assert is_rotation_due(store, noon + timedelta(hours=12))
    assert not is_rotation_due(store, noon - timedelta(days=3))
    assert not is_rotation_due(KeyStore("trial", {"trial": bytes(range(32))}), noon)


@given(st.text(max_size=60), st.binary(min_size=32, max_size=32))
def test_every_box_gets_a_name_for_its_log(box: str, key: bytes) -> None:
    origin = default_origin(box, key)
    assert is_origin(origin)
    assert origin.endswith(hashlib.sha256(key).hexdigest()[:8])
    assert is_origin(next_epoch(origin))
    assert next_epoch(next_epoch(origin)) == f"{origin}/e3"


def test_the_name_of_a_log_that_is_there_stays() -> None:
    assert choose_origin("a/b", "", "box", bytes(32)) == "a/b"
    assert choose_origin("a/b", "a/b", "box", bytes(32)) == "a/b"
    assert choose_origin(None, "a/b", "box", bytes(32)) == "a/b"
    with pytest.raises(ConfigError):
        choose_origin("a/b", "a/c", "box", bytes(32))


def test_published_paths_do_not_climb(box: LogBox) -> None:
    places = LogPlaces.of(box.settings.storage, box.home / "key")
    assert places.relative(box.loglines / "a/b.json") == "a/b.json"
    assert places.published_path("a/b.json") == box.loglines / "a/b.json"
    assert places.relative(box.home / "x.json") == str(box.home / "x.json")
    with pytest.raises(InputDataError):
        places.published_path("../x")
