"""Folders and names."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core.paths import (
    FOLDERS,
    MAX_STEM_BYTES,
    Storage,
    output_stem,
    printable_name,
    renamed_with_hash,
    with_hash,
)

HASH = "0123456789abcdef" * 4
LONGEST_OUTPUT_SUFFIX = ".analytic.json"

# Any name that Linux allows: 1 to 255 bytes without NUL and slash.
RAW_NAMES = (
    st.binary(min_size=1, max_size=255)
    .map(lambda raw: raw.replace(b"\0", b"_").replace(b"/", b"_"))
    .map(os.fsdecode)
    .filter(lambda name: name not in {".", ".."})
)
TEXT_NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=63
).filter(lambda name: name not in {".", ".."})
NAMES = RAW_NAMES | TEXT_NAMES


def test_every_folder_has_its_property_and_is_made_once(tmp_path: Path) -> None:
    storage = Storage(tmp_path / "new" / "data")
    assert [path.name for path in storage.ensure()] == list(FOLDERS)
    assert storage.ensure() == []
    for name in FOLDERS:
        assert getattr(storage, name) == storage.root / name
        assert getattr(storage, name).is_dir()
    assert [item.name for item in fields(Storage)] == ["root"]


def test_a_file_in_a_folders_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "input").write_text("")
    with pytest.raises(FileExistsError):
        Storage(tmp_path).ensure()


@unhurried
@given(NAMES)
@example("a" * 255)
@example("\x80" * 100)
@example("ç" * 127)
@example("\udc80" * 255)
def test_an_output_stem_is_short_safe_and_stable(raw_stem: str) -> None:
    stem = output_stem(raw_stem, HASH)
    assert len(stem.encode("utf-8")) <= MAX_STEM_BYTES
    assert len(os.fsencode(stem + LONGEST_OUTPUT_SUFFIX)) <= 255 - len(".vv-tmp-0123456789ab")
    assert stem[0] not in "-."
    assert stem.strip()
    assert not any(char in "/\0" or unicodedata.category(char) == "Cc" for char in stem)
    assert output_stem(raw_stem, HASH) == stem
    assert stem == raw_stem or stem.endswith(f"-{HASH[:8]}")


@unhurried
@given(NAMES, NAMES)
def test_two_videos_never_share_a_repaired_stem(one: str, other: str) -> None:
    first, second = output_stem(one, "a" * 64), output_stem(other, "b" * 64)
    if one != other and first == second:
        # Only a name that ends in the other's hash can do that; outputs.py compares hashes then.
        assert first.endswith(("-aaaaaaaa", "-bbbbbbbb"))


@pytest.mark.parametrize(
    "stem",
    ["20261121_020304", "porta da frente", "câmera 1", "a'b\"c", "👨‍👩‍👧 família", "a;b|c", "名前"],
)
def test_good_stems_are_kept(stem: str) -> None:
    assert output_stem(stem, HASH) == stem


REPAIRED = {
    "leading dash": ("-rf", "_-rf-01234567"),
    "hidden": (".x", "_.x-01234567"),
    "dots": ("..", "_..-01234567"),
    "newline": ("a\nb", "a_b-01234567"),
    "escape": ("a\x1b[2J", "a_[2J-01234567"),
    "right to left": ("a\u202egpj", "a_gpj-01234567"),
    "line separator": ("a\u2028b", "a_b-01234567"),
    "not UTF-8": ("a\udcffb", "a_b-01234567"),
    "empty": ("", "_-01234567"),
    "spaces": ("  ", "_  -01234567"),
    "long": ("x" * 200, "x" * 171 + "-01234567"),
    "long, two bytes each": ("é" * 100, "é" * 85 + "-01234567"),
}


@pytest.mark.parametrize("name", REPAIRED)
def test_bad_stems_are_repaired_and_get_the_hash(name: str) -> None:
    raw_stem, expected = REPAIRED[name]
    assert output_stem(raw_stem, HASH) == expected


@unhurried
@given(TEXT_NAMES)
def test_a_stem_with_hash_fits(stem: str) -> None:
    assert len(with_hash(stem, HASH).encode("utf-8")) <= MAX_STEM_BYTES
    assert with_hash(stem, HASH).endswith("-01234567")


@unhurried
@given(NAMES)
@example("x" * 255)
@example("x" * 251 + ".mp4")
@example("x." + "s" * 253)
@example("\udc80" * 251 + ".mp4")
@example("é" * 125 + ".mkv")
@example("." + "é" * 127)
def test_a_renamed_video_fits_and_differs(raw_name: str) -> None:
    renamed = renamed_with_hash(raw_name, HASH)
    assert 0 < len(os.fsencode(renamed)) <= 255
    assert f"-{HASH[:8]}" in renamed
    assert "/" not in renamed
    assert "\0" not in renamed
    assert renamed != raw_name
    assert renamed != renamed_with_hash(raw_name, "f" * 64)


@unhurried
@given(TEXT_NAMES)
def test_a_renamed_video_is_still_unicode_where_it_was(name: str) -> None:
    renamed_with_hash(name, HASH).encode("utf-8")


RENAMED = {
    "short": ("a.mp4", "a-01234567.mp4"),
    "no suffix": ("a", "a-01234567"),
    "hidden": (".mp4", ".mp4-01234567"),
    "two dots": ("a.b.mp4", "a.b-01234567.mp4"),
    "long": ("x" * 251 + ".mp4", "x" * 242 + "-01234567.mp4"),
    "never cut in a letter": ("x" + "é" * 125 + ".mp4", "x" + "é" * 120 + "-01234567.mp4"),
    "long suffix": ("a." + "s" * 60, "a." + "s" * 60 + "-01234567"),
    "bytes without meaning": ("\udc80" * 250 + ".mp4", "\udc80" * 242 + "-01234567.mp4"),
}


@pytest.mark.parametrize("name", RENAMED)
def test_videos_are_renamed_before_the_suffix(name: str) -> None:
    raw_name, expected = RENAMED[name]
    assert renamed_with_hash(raw_name, HASH) == expected


@unhurried
@given(NAMES)
def test_a_printable_name_cannot_steer_a_terminal(raw_name: str) -> None:
    name = printable_name(raw_name)
    name.encode("utf-8")
    assert len(name) == len(raw_name)
    categories = {unicodedata.category(char) for char in name if char != "\u200d"}
    assert not categories & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert printable_name(name) == name


@pytest.mark.parametrize(
    ("raw_name", "expected"),
    [
        ("câmera 1.mp4", "câmera 1.mp4"),
        ("👨‍👩‍👧.mp4", "👨‍👩‍👧.mp4"),
        ("a\x1b]0;x\x07.mp4", "a\ufffd]0;x\ufffd.mp4"),
        ("a\nb", "a\ufffdb"),
        ("a\udcff", "a\ufffd"),
        ("gpj\u202e4pm", "gpj\ufffd4pm"),
    ],
)
def test_printable_names(raw_name: str, expected: str) -> None:
    assert printable_name(raw_name) == expected
