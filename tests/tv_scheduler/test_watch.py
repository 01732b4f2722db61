"""Being told by the real kernel, and knowing when it has not told all."""

from __future__ import annotations

import errno
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tv_scheduler.watch import CONTENT, NAMES, Watch


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    watch.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder


def names(watch: Watch, folder: Path) -> set[str]:
    return watch.hear().names.get(str(folder), set())


def test_it_tells_what_came_changed_and_went(watch: Watch, folder: Path) -> None:
    (folder / "old").write_text("x")
    assert watch.follow({str(folder): CONTENT}) == {str(folder)}
    assert watch.follow({str(folder): CONTENT}) == set()
    assert watch.hear().names == {}
    (folder / "new").write_text("x")
    with (folder / "old").open("r+") as stream:
        stream.write("y")
        stream.flush()
        assert names(watch, folder) == {"new", "old"}
    watch.hear()
    os.link(folder / "old", folder / "link")
    (folder / "new").rename(folder / "named")
    (folder / "old").unlink()
    assert names(watch, folder) == {"link", "new", "named", "old"}
    assert not watch.hear().has_missed


def test_of_large_files_it_tells_when_they_are_complete(watch: Watch, folder: Path) -> None:
    (folder / "clip").write_text("x")
    watch.follow({str(folder): NAMES})
    with (folder / "clip").open("a") as stream:
        stream.write("y")
        stream.flush()
        assert names(watch, folder) == set()
    assert names(watch, folder) == {"clip"}


def test_a_folder_that_is_replaced_is_watched_anew(watch: Watch, folder: Path) -> None:
    watch.follow({str(folder): NAMES})
    folder.rename(folder.parent / "away")
    folder.mkdir()
    assert watch.hear().gone == {str(folder)}
    assert watch.follow({str(folder): NAMES}) == {str(folder)}
    (folder.parent / "away" / "x").touch()
    (folder / "y").touch()
    assert names(watch, folder) == {"y"}


def test_a_folder_whose_parent_is_replaced_is_watched_anew(watch: Watch, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "loglines"
    folder.mkdir(parents=True)
    watch.follow({str(folder): NAMES})
    (tmp_path / "data").rename(tmp_path / "away")
    assert watch.hear().gone == set(), "nobody tells"
    folder.mkdir(parents=True)
    assert watch.follow({str(folder): NAMES}) == {str(folder)}
    (folder / "y").touch()
    assert names(watch, folder) == {"y"}


def test_a_folder_that_goes_and_comes_back_is_watched_again(
    watch: Watch, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    watch.follow({str(folder): NAMES})
    shutil.rmtree(folder)
    assert watch.hear().gone == {str(folder)}
    assert watch.follow({str(folder): NAMES}) == set()
    assert watch.follow({str(folder): NAMES}) == set()
    folder.mkdir()
    assert watch.follow({str(folder): NAMES}) == {str(folder)}


def test_folders_that_are_no_longer_asked_for_are_left(watch: Watch, folder: Path) -> None:
    watch.follow({str(folder): NAMES})
    watch.follow({})
    (folder / "x").touch()
    heard = watch.hear()
    assert (heard.names, heard.gone, heard.has_missed) == ({}, set(), False)


def test_too_much_at_once_is_known_to_be_missed(watch: Watch, folder: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    if most > 50_000:
        pytest.skip(f"this machine keeps {most} events")
    watch.follow({str(folder): NAMES})
    first, second = folder / "a", folder / "b"
    first.touch()
    for _ in range(most // 2 + 10):
        first.rename(second)
        second.rename(first)
    assert watch.hear().has_missed
    assert not watch.hear().has_missed
    (folder / "c").touch()
    assert names(watch, folder) == {"c"}


def test_where_nothing_can_be_watched_nothing_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("tv_scheduler.watch.INotify", refuse)
    watch = Watch()
    assert watch.descriptors == []
    assert watch.follow({str(folder): NAMES}) == set()
    (folder / "x").touch()
    assert watch.hear().names == {}
    watch.close()


def test_what_was_told_can_be_waited_for(watch: Watch, folder: Path) -> None:
    import select

    watch.follow({str(folder): NAMES})
    (descriptor,) = watch.descriptors
    assert select.select([descriptor], [], [], 0) == ([], [], [])
    began = time.monotonic()
    (folder / "x").touch()
    assert select.select([descriptor], [], [], 60)[0] == [descriptor]
    assert time.monotonic() - began < 60
