"""The small parts of the verifier."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vv_core.audit.key_chain import LABEL, DerivedKeys, evolve, split_key_id
from vv_core.audit.log_events import LogFacts
from vv_core.audit.log_files import (
    Place,
    TileName,
    list_tile_files,
    parse_tile_path,
    place_of,
)
from vv_core.audit.log_heads import parse_bare_head
from vv_core.audit.log_position import look_at_position, position_prefix
from vv_core.audit.log_tree import compare_leaves, join_ranges
from vv_core.audit.parallel import Workers
from vv_core.audit.published import is_own_name
from vv_core.audit.seq_set import SeqSet
from vv_core.paths import printable_name
from vv_core.pipeline.outputs import choose_stem
from vv_core.tlog.tiles import bundle_path, tile_path

SECRET = bytes(range(32))


class TestKeyChain:
    def test_the_label_and_the_way_are_fixed(self) -> None:
        assert LABEL == b"vv.hmac-key-evolve/1"
        assert evolve(SECRET).hex() == (
            "4c3a5fd58f4d17bbcee54269fa9885b8a83aa81106a41cfdea2e9cd90c4a4f00"
        )

    @pytest.mark.parametrize(
        ("key_id", "place"),
        [
            ("k20261121-0a.0", ("k20261121-0a", 0)),
            ("a.b.12", ("a.b", 12)),
            ("k.01", None),
            ("k", None),
            ("k.", None),
            (".1", None),
            ("k.-1", None),
            ("k.1x", None),
            ("k.9999999999", None),
        ],
    )
    def test_ids(self, key_id: str, place: tuple[str, int] | None) -> None:
        assert split_key_id(key_id) == place

    def test_later_keys_follow_and_earlier_ones_do_not(self) -> None:
        keys = DerivedKeys({"k.2": SECRET, "other": b"x" * 32})
        assert keys["k.2"] == SECRET
        assert keys["k.4"] == evolve(evolve(SECRET))
        assert keys["k.3"] == evolve(SECRET)
        assert keys["k.9"] == evolve(evolve(evolve(evolve(evolve(keys["k.4"])))))
        for key_id in ("k.1", "k.0", "j.3", "k", "other.1"):
            assert key_id not in keys
            assert keys.get(key_id) is None
        assert (sorted(keys), len(keys)) == (["k.2", "other"], 2)

    def test_an_absurd_step_is_not_walked_to(self) -> None:
        assert "k.999999999" not in DerivedKeys({"k.0": SECRET})


class TestSeqSet:
    @given(st.integers(0, 80), st.lists(st.tuples(st.integers(-5, 90), st.integers(0, 60))))
    def test_as_a_set(self, size: int, ranges: list[tuple[int, int]]) -> None:
        seen = SeqSet(size)
        expected: set[int] = set()
        for first, length in ranges:
            seen.add_range(first, first + length - 1)
            expected |= {seq for seq in range(first, first + length) if 0 <= seq < size}
        assert {seq for seq in range(-2, size + 9) if seq in seen} == expected
        absent = [seq for first, last in seen.absent() for seq in range(first, last + 1)]
        assert absent == [seq for seq in range(size) if seq not in expected]
        runs = list(seen.absent())
        assert all(after[0] > before[1] + 1 for before, after in pairwise(runs))

    def test_long_ranges(self) -> None:
        seen = SeqSet(1_000_000)
        seen.add_range(3, 999_000)
        seen.add(-1)
        seen.add(1_000_000)
        assert list(seen.absent()) == [(0, 2), (999_001, 999_999)]


class TestTileFiles:
    @given(st.integers(0, 10**9), st.integers(1, 256), st.integers(-1, 7))
    def test_paths_are_read_back(self, index: int, width: int, level: int) -> None:
        path = bundle_path(index, width) if level < 0 else tile_path(level, index, width)
        assert parse_tile_path(path) == TileName(level, index, width)

    @pytest.mark.parametrize(
        "path",
        [
            "tile/0/1",
            "tile/0/0001",
            "tile/00/001",
            "tile/8/001",
            "tile/0/x000/001",
            "tile/0/001.p/0",
            "tile/0/001.p/256",
            "tile/0/001.p/01",
            "tile/0/001.p",
            "tile/0/x001",
            "tile/entries/../../x",
            "tile/0/" + "x999/" * 200 + "999",
            "checkpoint",
            "tile/0/٠٠١",
        ],
    )
    def test_other_names_are_none(self, path: str) -> None:
        assert parse_tile_path(path) is None

    def test_the_place_of_a_file(self) -> None:
        size = 600
        cases = {
            TileName(-1, 1, 256): Place.DUE,
            TileName(-1, 2, 88): Place.DUE,
            TileName(-1, 2, 89): Place.NEXT,
            TileName(-1, 2, 90): Place.STRAY,
            TileName(-1, 2, 3): Place.NARROWER,
            TileName(0, 1, 7): Place.NARROWER,
            TileName(0, 3, 1): Place.STRAY,
            TileName(1, 0, 2): Place.DUE,
            TileName(1, 0, 3): Place.STRAY,
            TileName(2, 0, 1): Place.STRAY,
        }
        assert {name: place_of(name, size) for name in cases} == cases
        assert place_of(TileName(1, 0, 1), 255) is Place.NEXT
        assert place_of(TileName(-1, 0, 1), 0) is Place.NEXT

    def test_left_overs_are_passed_over(self, tmp_path: Path) -> None:
        for name in ("tile/0/000", "tile/0/.vv-tmp-00", "tile/entries/000.p/2"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        os.mkfifo(tmp_path / "tile/0/001")
        found = dict(list_tile_files(str(tmp_path)))
        assert found == {"tile/0/000": True, "tile/0/001": False, "tile/entries/000.p/2": True}
        assert list(list_tile_files(str(tmp_path / "none"))) == []


class TestCompareLeaves:
    @pytest.mark.parametrize(
        ("found", "expected"),
        [
            ("abcd", ((), (), (), ())),
            ("abXd", ((2,), (), (), ())),
            ("abd", ((), (2,), (), ())),
            ("abXcd", ((), (), (2,), ())),
            ("bacd", ((), (), (), (1,))),
            ("abcdd", ((), (), (), (4,))),
            ("", ((), (0, 1, 2, 3), (), ())),
        ],
    )
    def test_cases(self, found: str, expected: tuple[tuple[int, ...], ...]) -> None:
        difference = compare_leaves(
            0, [char.encode() for char in "abcd"], [char.encode() for char in found]
        )
        got = (difference.changed, difference.missing, difference.inserted, difference.moved)
        assert got == expected

    @given(st.lists(st.sampled_from("abcdeXYZ"), max_size=8))
    def test_every_difference_is_told(self, found: list[str]) -> None:
        due = [char.encode() for char in "abcde"]
        difference = compare_leaves(10, due, [char.encode() for char in found])
        is_same = found == list("abcde")
        told = difference.changed + difference.missing + difference.inserted + difference.moved
        assert bool(told) is not is_same


def test_ranges_are_joined() -> None:
    assert list(join_ranges([])) == []
    assert list(join_ranges([1])) == [(1, 1)]
    assert list(join_ranges([1, 2, 3, 7, 9, 10])) == [(1, 3), (7, 7), (9, 10)]


class TestKeysByPosition:
    @given(
        st.lists(st.integers(1, 30), unique=True, max_size=4).map(sorted),
        st.integers(0, 30),
        st.integers(0, 15),
        st.sampled_from(["k.0", "k.1", "k.2", "k.9"]),
    )
    def test_ranges_agree_with_single_lines(
        self, rotations: list[int], first: int, length: int, key_id: str
    ) -> None:
        facts = LogFacts()
        for number, seq in enumerate(rotations):
            facts.rotations.append((seq, f"k.{number + 1}"))
        facts.first_key = "k.0" if rotations else None
        last = first + length
        ranges = facts.find_wrong_ranges(first, last, key_id)
        found = {seq for start, end in ranges for seq in range(start, end + 1)}
        single = {
            seq for seq in range(first, last + 1) if facts.find_key_problem(seq, key_id) is not None
        }
        assert found == single


class TestPosition:
    PREFIX = position_prefix("o")

    def test_a_text_that_looks_like_a_position_is_none(self) -> None:
        entry = (
            b'{"did":"\\"log\\":{\\"origin\\":\\"o\\",\\"previous\\":null,\\"seq\\":0},'
            b'\\"logged_at\\":\\"2026-11-21T05:10:30Z\\"","log":{"origin":"o","previous":null,"seq":1},'
            b'"logged_at":"2026-11-21T05:10:30Z"}'
        )
        assert look_at_position(entry, self.PREFIX, 0, None, 0)[0] == -1
        place, when, is_event = look_at_position(entry, self.PREFIX, 1, None, 0)
        assert entry[place : place + 6] == b'"log":'
        assert (when, is_event) == (b"2026-11-21T05:10:30", False)

    def test_fractions_of_a_second(self) -> None:
        entry = (
            b'{"log":{"origin":"o","previous":null,"seq":0},'
            b'"logged_at":"2026-11-21T05:10:30.25Z","schema":"vv.logevent/1"}'
        )
        assert look_at_position(entry, self.PREFIX, 0, None, 0)[1:] == (
            b"2026-11-21T05:10:30",
            True,
        )


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1)


@example("é" * 81 + "\x1f", 1)
@example("é" * 81 + "\x1f", 3)
@given(NAMES.map(lambda text: text[:80]), st.integers(0, 3))
def test_every_name_that_the_pipeline_gives_is_accepted(raw_stem: str, taken: int) -> None:
    digest = "0123456789abcdef" * 4
    raw_stem = os.path.splitext(f"{raw_stem}.mp4")[0]
    used: list[str] = []
    for _ in range(taken + 1):
        stem = choose_stem(raw_stem, digest, lambda stem: "other" if stem in used else None)
        used.append(stem)
    source = printable_name(f"cam/{raw_stem}.mp4")
    document = {"source": source, "evidence": {"video_sha256": digest}}
    assert is_own_name(f"{used[-1]}.logline.json", document)


@pytest.mark.parametrize(
    "name",
    [
        "other.logline.json",
        "clip-00000000.logline.json",
        "clipx-01234567.logline.json",
        "x-01234567.logline.json",
        "clip.logevent.json",
        "clip-01234567-deadbeef.logline.json",
        "Clip.logline.json",
    ],
)
def test_other_names_are_not(name: str) -> None:
    document = {
        "source": "cam/clip.mp4",
        "evidence": {"video_sha256": "0123456789abcdef" * 4},
        "log": {"seq": 3},
        "kind": "start",
    }
    assert not is_own_name(name, document)
    assert is_own_name("clip.logline.json", document)
    assert is_own_name("clip-01234567-89abcdef.logline.json", document)
    assert is_own_name("0000000003-start.logevent.json", document)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        (f"12:{'ab' * 32}", 12),
        (f" 12 {'ab' * 32}\n", 12),
        (f"0+{'A' * 43}=", 0),
        (f"012:{'ab' * 32}", None),
        (f"12:{'ab' * 31}", None),
        (f"{2**63}:{'ab' * 32}", None),
        ("12:", None),
        ("", None),
    ],
)
def test_size_and_root_as_text(text: str, size: int | None) -> None:
    head = parse_bare_head(text)
    assert (head.size if head else None) == size


def double(number: int) -> int:
    return 2 * number


@pytest.mark.parametrize("jobs", [1, 2])
def test_workers_keep_the_order_and_take_no_more_than_they_need(jobs: int) -> None:
    taken = []

    def numbers(count: int) -> Iterator[int]:
        for number in range(count):
            taken.append(number)
            yield number

    with Workers(jobs) as workers:
        results = workers.map(double, numbers(1000), 5)
        assert next(results) == 0
        assert len(taken) <= 50
        assert list(results) == [2 * number for number in range(1, 1000)]
