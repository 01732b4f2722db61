"""Moving a file: it is never lost, and none is ever replaced."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.core.test_atomic import names_in
from vv_core.atomic import move_no_replace


def test_a_move_takes_the_file_along(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    move_no_replace(tmp_path / "a", tmp_path / "b")
    assert names_in(tmp_path) == ["b"]


def test_a_move_never_replaces(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("mine")
    (tmp_path / "b").write_text("yours")
    with pytest.raises(FileExistsError):
        move_no_replace(tmp_path / "a", tmp_path / "b")
    assert [(tmp_path / name).read_text() for name in "ab"] == ["mine", "yours"]


def test_a_move_onto_itself_keeps_the_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "other-way").symlink_to(tmp_path)
    move_no_replace(tmp_path / "a", tmp_path / "other-way" / "a")
    assert (tmp_path / "a").read_text() == "x"


def test_a_link_that_leads_back_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(FileExistsError):
        move_no_replace(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "a").read_text() == "x"


def test_a_move_that_was_cut_in_the_middle_is_finished(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    move_no_replace(tmp_path / "a", tmp_path / "b")
    assert names_in(tmp_path) == ["b"]
    assert (tmp_path / "b").read_text() == "x"


@pytest.mark.parametrize("name", ["source", "folder"])
def test_a_move_from_or_to_nowhere_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / "a").write_text("x")
    source = tmp_path / ("gone" if name == "source" else "a")
    target = tmp_path / ("b" if name == "source" else "gone/b")
    with pytest.raises(FileNotFoundError):
        move_no_replace(source, target)
    assert names_in(tmp_path) == ["a"]


def test_a_move_to_another_file_system_keeps_content_mode_and_time(
    tmp_path: Path, small_disk: Path
) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"video")
    source.chmod(0o640)
    os.utime(source, ns=(1_000_000_000, 2_000_000_007))
    move_no_replace(source, small_disk / "b.mp4")
    moved = small_disk / "b.mp4"
    assert not source.exists()
    assert moved.read_bytes() == b"video"
    assert stat.S_IMODE(moved.stat().st_mode) == 0o640
    assert moved.stat().st_mtime_ns == 2_000_000_007
    assert names_in(small_disk) == ["b.mp4"]


def test_a_move_to_a_full_file_system_keeps_the_source(tmp_path: Path, small_disk: Path) -> None:
    source = tmp_path / "a.mp4"
    source.write_bytes(b"v" * 1_000_000)
    with pytest.raises(OSError) as caught:
        move_no_replace(source, small_disk / "a.mp4")
    assert caught.value.errno == errno.ENOSPC
    assert source.stat().st_size == 1_000_000
    assert names_in(small_disk) == []


@pytest.mark.parametrize("in_the_way", ["file", "dangling link"])
def test_a_move_to_another_file_system_never_replaces(
    tmp_path: Path, small_disk: Path, in_the_way: str
) -> None:
    (tmp_path / "a").write_text("mine")
    target = small_disk / "a"
    if in_the_way == "file":
        target.write_text("yours")
    else:
        target.symlink_to("nowhere")
    with pytest.raises(FileExistsError):
        move_no_replace(tmp_path / "a", target)
    assert (tmp_path / "a").read_text() == "mine"
    assert os.path.lexists(target)


def test_what_changes_while_it_is_copied_stays(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "a"
    source.write_text("begun")
    real = shutil.copyfile

    def copy(one: Path, other: Path) -> None:
        real(one, other)
        with source.open("a") as stream:
            stream.write(" and gone on")

    monkeypatch.setattr(shutil, "copyfile", copy)
    with pytest.raises(OSError, match="changed while it was copied"):
        move_no_replace(source, small_disk / "a")
    assert source.read_text() == "begun and gone on"
    assert names_in(small_disk) == []


def test_what_appears_while_it_is_copied_is_not_replaced(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("mine")
    real = shutil.copyfile

    def copy(one: Path, other: Path) -> None:
        real(one, other)
        (small_disk / "a").write_text("yours")

    monkeypatch.setattr(shutil, "copyfile", copy)
    with pytest.raises(FileExistsError):
        move_no_replace(tmp_path / "a", small_disk / "a")
    assert (tmp_path / "a").read_text() == "mine"
    assert (small_disk / "a").read_text() == "yours"
    assert names_in(small_disk) == ["a"]


def test_where_there_are_no_hard_links_a_copy_is_moved(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_text("x")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    move_no_replace(tmp_path / "a", small_disk / "a")
    assert names_in(small_disk) == ["a"]
    assert not (tmp_path / "a").exists()
