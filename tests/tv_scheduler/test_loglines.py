"""Only LogLines that the signed log has are shown, told without a secret."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audit.samples import old_signed_bytes
from tests.tv_scheduler.conftest import TvBox
from tv_scheduler.index import FileIndex, NoIndex, SqliteIndex
from tv_scheduler.known_lines import MAX_REFUSED, RETRY_REFUSED_S, Found
from tv_scheduler.loglines import (
    KEEP_S,
    NO_LOG,
    NO_LOGLINE,
    NOT_PROVEN,
    RESCAN_S,
    STILL_WRITTEN,
    LogLines,
)
from vv_core.errors import VvError
from vv_core.tlog.events import FOLDER

DAY_S = 24 * 3600
Make = Callable[[TvBox], LogLines]


def with_sqlite(box: TvBox) -> LogLines:
    return make(box, SqliteIndex(index_path(box)))


def without_index(box: TvBox) -> LogLines:
    return make(box, NoIndex(box.settings.storage.loglines))


def make(box: TvBox, index: FileIndex) -> LogLines:
    storage = box.settings.storage
    return LogLines(storage.loglines, storage.log, index, box.log.clock)


def index_path(box: TvBox) -> Path:
    return box.log.home / "index.sqlite"


# One suite for both.
each_index = pytest.mark.parametrize("make_lines", [with_sqlite, without_index])


def poll(lines: LogLines, reach_s: int = DAY_S, has_heard: bool = False) -> Found:
    lines.poll(has_heard)
    lines.work(reach_s, 60.0)
    while lines.wait_s == 0.0:
        lines.work(reach_s, 60.0)
    assert lines.is_whole
    return lines.known.found


def look(box: TvBox, make_lines: Make = with_sqlite) -> Found:
    """Look from scratch, when nothing is being written any more."""
    box.log.clock.step(seconds=10)
    return poll(make_lines(box))


def sources(found: Found) -> list[str]:
    return sorted(line.title for line in found.lines)


@each_index
def test_what_the_writer_has_signed_is_there_without_any_key(box: TvBox, make_lines: Make) -> None:
    for name in ("a", "b", "c"):
        box.add(name)
    shutil.rmtree(box.log.home / "secrets")
    found = look(box, make_lines)
    assert sources(found) == ["a", "b", "c"]
    assert not found.refused
    assert not found.unreadable


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
    deadline=None,
)
@given(st.data())
def test_one_bit_flipped_anywhere_is_never_shown(box: TvBox, data: st.DataObject) -> None:
    path = box.settings.storage.loglines / "a.logline.json"
    whole = path.read_bytes() if path.exists() else box.add("a").read_bytes()
    at = data.draw(st.integers(0, len(whole) - 1))
    bit = data.draw(st.integers(0, 7))
    path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
    try:
        found = look(box)
        assert found.lines == ()
        assert found.refused == {"a.logline.json": NOT_PROVEN}
    finally:
        path.write_bytes(whole)


def test_what_is_made_of_parts_of_the_log_is_not_shown(box: TvBox) -> None:
    first = box.add("a").read_bytes()
    folder = box.settings.storage.loglines
    (folder / "signed-only.logline.json").write_bytes(old_signed_bytes())
    (folder / "two.logline.json").write_bytes(first + first)
    (folder / "no-newline.logline.json").write_bytes(first[:-1])
    (folder / "empty.logline.json").touch()
    (folder / "ahead.logline.json").write_bytes(first.replace(b'"seq":0', b'"seq":9'))
    (folder / "other.logline.json").write_bytes(first.replace(b"vv-log/", b"vv-lag/"))
    found = look(box)
    assert sources(found) == ["a"]
    assert len(found.refused) == 6


def test_an_event_of_the_log_is_no_logline(box: TvBox) -> None:
    box.add("a")
    box.log.clock.step(days=2)
    box.add("b")
    box.log.clock.step(days=-2)
    box.add("c")  # The clock went back: the log says so in a line of its own.
    folder = box.settings.storage.loglines
    event = next((folder / FOLDER).glob("*.json"))
    shutil.copy(event, folder / "event.logline.json")
    found = look(box)
    assert found.refused == {"event.logline.json": NO_LOGLINE}
    assert "a" in sources(found)


def test_links_pipes_and_giants_are_not_read(box: TvBox) -> None:
    real = box.add("a")
    folder = real.parent
    (folder / "link.logline.json").symlink_to(real)
    os.mkfifo(folder / "pipe.logline.json")
    (folder / "giant.logline.json").write_bytes(b"x" * 70_000)
    (folder / "folder.logline.json").mkdir()
    found = look(box)
    assert sources(found) == ["a"]
    assert len(found.unreadable) == 4


@each_index
def test_what_was_judged_is_read_again_only_when_it_changes(
    box: TvBox, make_lines: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.add("a")
    lines = make_lines(box)
    box.log.clock.step(seconds=10)
    assert sources(poll(lines)) == ["a"]
    version = lines.known.version
    monkeypatch.setattr("tv_scheduler.loglines.read_regular_file", None)
    assert sources(poll(lines)) == ["a"]
    assert lines.known.version == version
    monkeypatch.undo()
    path.write_bytes(path.read_bytes().replace(b"title", b"titlf"))
    assert poll(lines).refused == {path.name: NOT_PROVEN}
    assert lines.known.version > version
    path.unlink()
    assert poll(lines) == Found()


@each_index
def test_old_files_are_not_opened(box: TvBox, make_lines: Make) -> None:
    path = box.add("a")
    past = box.now.timestamp() - 3 * 86400
    os.utime(path, (past, past))
    assert look(box, make_lines) == Found()


def test_what_is_proven_to_be_old_is_not_opened_again(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add("old", ago=timedelta(hours=40))
    box.add("new")
    assert sources(look(box)) == ["new"]
    real = os.lstat
    looked: list[str] = []
    monkeypatch.setattr(os, "lstat", lambda path: looked.append(Path(path).name) or real(path))
    lines = with_sqlite(box)
    assert sources(poll(lines)) == ["new"]
    assert "new.logline.json" in looked
    assert "old.logline.json" not in looked


@each_index
def test_a_log_that_cannot_be_read_now_refuses_nothing_for_good(
    box: TvBox, make_lines: Make
) -> None:
    box.add("a")
    box.add("b")
    storage = box.settings.storage
    lines = make_lines(box)
    tiles = storage.log / "tile/0"
    tiles.rename(storage.log / "away")
    found = poll(lines)
    assert not found.lines
    assert not found.refused
    assert len(found.unreadable) == 2
    assert lines.wait_s == 1.0
    (storage.log / "away").rename(tiles)
    box.log.clock.step(seconds=1)
    lines.work(DAY_S, 60.0)
    assert sources(lines.known.found) == ["a", "b"]
    assert lines.wait_s is None


def test_a_head_that_the_log_did_not_sign_proves_nothing(box: TvBox) -> None:
    box.add("a")
    checkpoint = box.settings.storage.log / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"\n1\n", b"\n2\n"))
    with pytest.raises(VvError):
        look(box)


def test_without_a_log_nothing_is_proven_until_there_is_one(box: TvBox) -> None:
    box.add("a")
    storage = box.settings.storage
    storage.log.rename(storage.root / "away")
    box.log.clock.step(seconds=10)
    lines = with_sqlite(box)
    assert poll(lines).unreadable == {"a.logline.json": NO_LOG}
    (storage.root / "away").rename(storage.log)
    box.log.clock.step(seconds=10)
    assert sources(poll(lines)) == ["a"]


@each_index
def test_a_folder_that_is_gone_is_told(box: TvBox, make_lines: Make) -> None:
    shutil.rmtree(box.settings.storage.loglines)
    with pytest.raises(VvError, match="list the LogLines"):
        look(box, make_lines)


@each_index
def test_a_look_that_fails_in_the_middle_is_begun_again(box: TvBox, make_lines: Make) -> None:
    """Else what was not looked at would be taken for looked at."""
    box.add("a")
    storage = box.settings.storage
    for place in (storage.loglines, storage.log / "checkpoint"):
        box.log.clock.step(seconds=10)
        lines = make_lines(box)
        lines.poll(has_heard=False)
        content = place.read_bytes() if place.is_file() else None
        place.rename(storage.root / "away")
        if content is not None:
            place.write_bytes(content.replace(b"\n1\n", b"\n2\n"))
        with pytest.raises(VvError):
            lines.work(DAY_S, 60.0)
        assert not lines.is_whole
        (storage.root / "away").rename(place)
        lines.poll(has_heard=False)
        lines.work(DAY_S, 60.0)
        assert lines.is_whole
        assert sources(lines.known.found) == ["a"]


@each_index
def test_what_is_still_written_is_waited_for(box: TvBox, make_lines: Make) -> None:
    path = box.add("a")
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    lines = make_lines(box)
    found = poll(lines)
    assert (found.refused, found.unreadable) == ({}, {path.name: STILL_WRITTEN})
    path.write_bytes(whole)
    box.log.clock.step(seconds=1)
    lines.work(DAY_S, 60.0)
    assert lines.known.found.unreadable == {}
    assert sources(lines.known.found) == ["a"]


def test_half_a_file_that_stays_so_is_refused(box: TvBox) -> None:
    path = box.add("a")
    path.write_bytes(path.read_bytes()[:100])
    lines = with_sqlite(box)
    assert not poll(lines).refused
    box.log.clock.step(seconds=10)
    lines.work(DAY_S, 60.0)
    assert lines.known.found == Found(refused={path.name: NOT_PROVEN})
    assert lines.wait_s is None


def test_what_is_told_is_looked_at_without_a_poll(box: TvBox) -> None:
    lines = with_sqlite(box)
    poll(lines)
    path = box.add("a")
    lines.touch([path.name, ".vv-tmp-1.logline.json", "a.logline.md"])
    lines.work(DAY_S, 60.0)
    assert sources(lines.known.found) == ["a"]
    path.unlink()
    lines.touch([path.name])
    lines.work(DAY_S, 60.0)
    assert lines.known.found == Found()


def test_what_changed_while_nobody_looked_is_found_by_the_folders_mark(box: TvBox) -> None:
    gone = box.add("gone")
    flipped = box.add("flipped")
    box.add("same")
    assert len(look(box).lines) == 3
    box.log.clock.step(seconds=10)
    poll(with_sqlite(box))
    gone.unlink()
    box.add("new")
    data = flipped.read_bytes()
    flipped.write_bytes(data.replace(b"flipped", b"flippex"))
    found = look(box)
    assert sources(found) == ["new", "same"]
    assert found.refused == {flipped.name: NOT_PROVEN}


def test_a_folder_as_it_was_is_not_listed(box: TvBox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.add("a")
    look(box)
    look(box)
    monkeypatch.setattr("tv_scheduler.folder_scan.scan_folder", None)
    lines = with_sqlite(box)
    assert sources(poll(lines)) == ["a"]
    # What the kernel told of need not be looked for.
    box.add("b")
    lines.touch(["b.logline.json"])
    assert sources(poll(lines, has_heard=True)) == ["a", "b"]
    monkeypatch.undo()
    box.add("c")
    assert sources(poll(lines, has_heard=True)) == ["a", "b"], "another machine wrote it"
    box.log.clock.step(seconds=RESCAN_S)
    assert sources(poll(lines, has_heard=True)) == ["a", "b", "c"]


def test_a_folder_that_was_replaced_is_listed(box: TvBox) -> None:
    folder = box.settings.storage.loglines
    box.add("a")
    lines = with_sqlite(box)
    box.log.clock.step(seconds=10)
    poll(lines)
    shutil.copytree(folder, folder.parent / "copy")
    folder.rename(folder.parent / "away")
    (folder.parent / "copy").rename(folder)
    box.log.clock.step(seconds=10)
    box.add("b")
    assert sources(poll(lines, has_heard=True)) == ["a", "b"]
    lines.poll(has_heard=True, has_missed=True)
    assert lines.wait_s == 0.0


def test_what_is_missed_while_the_folder_is_listed_is_listed_again(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tv_scheduler.folder_scan._STEP", 1)
    for name in "ab":
        box.add(name)
    box.log.clock.step(seconds=10)
    lines = with_sqlite(box)
    lines.poll(has_heard=False)
    with monkeypatch.context() as patch:
        # Each look at the clock takes a second: the folder is listed in part.
        patch.setattr(box.log.clock, "monotonic", itertools.count(box.now.timestamp()).__next__)
        lines.work(DAY_S, 3.0)
    assert (lines.is_whole, lines.wait_s) == (False, 0.0)
    box.add("c")
    lines.poll(has_heard=True, has_missed=True)
    box.log.clock.step(seconds=10)
    lines.work(DAY_S, 60.0)
    assert sources(lines.known.found) == ["a", "b", "c"]


def test_a_window_that_grows_shows_what_was_too_old(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=30))
    lines = with_sqlite(box)
    box.log.clock.step(seconds=10)
    assert poll(lines).lines == ()
    assert sources(poll(lines, reach_s=48 * 3600)) == ["a"]
    assert sources(poll(lines, reach_s=3600)) == []


def test_what_has_left_the_window_is_known_for_a_while(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=23))
    lines = with_sqlite(box)
    box.log.clock.step(hours=2)
    assert sources(poll(lines)) == ["a"]
    box.log.clock.step(seconds=KEEP_S)
    assert sources(poll(lines)) == []


def test_of_too_many_the_newest_are_kept(box: TvBox, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(5):
        box.add(f"h{hour}", ago=timedelta(hours=hour + 1))
    monkeypatch.setattr("tv_scheduler.loglines.MAX_LINES", 3)
    assert sources(look(box)) == ["h0", "h1", "h2"]


def test_a_refused_file_is_looked_at_again_since_the_log_may_have_been_at_fault(box: TvBox) -> None:
    box.add("a")
    log = box.settings.storage.log
    shutil.copytree(log, box.log.home / "older")
    path = box.add("b")
    shutil.copytree(log, box.log.home / "newer")
    shutil.rmtree(log)
    (box.log.home / "older").rename(log)
    box.log.clock.step(seconds=10)
    lines = with_sqlite(box)
    assert poll(lines).refused == {path.name: NOT_PROVEN}
    shutil.rmtree(log)
    (box.log.home / "newer").rename(log)
    assert poll(lines).refused
    box.log.clock.step(seconds=RETRY_REFUSED_S)
    assert sources(poll(lines)) == ["a", "b"]


def test_of_refused_files_not_all_are_remembered(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_REFUSED > 2
    monkeypatch.setattr("tv_scheduler.known_lines.MAX_REFUSED", 2)
    for number in range(4):
        (box.settings.storage.loglines / f"{number}.logline.json").write_bytes(b"x\n")
    box.add("a")
    found = look(box)
    assert len(found.refused) == 2
    assert sources(found) == ["a"]


def test_work_is_done_in_portions(box: TvBox) -> None:
    for name in "abc":
        box.add(name)
    box.log.clock.step(seconds=10)
    lines = with_sqlite(box)
    lines.poll(has_heard=False)
    lines.work(DAY_S, 0.0)
    assert not lines.is_whole
    assert lines.wait_s == 0.0
    assert len(poll(lines).lines) == 3


def test_a_file_that_may_not_be_read_is_tried_again(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.add("a")

    def refuse(*_: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tv_scheduler.loglines.read_regular_file", refuse)
    lines = with_sqlite(box)
    box.log.clock.step(seconds=10)
    assert "Permission denied" in poll(lines).unreadable["a.logline.json"]
    monkeypatch.undo()
    monkeypatch.setattr(os, "lstat", refuse)
    box.log.clock.step(seconds=60)
    assert "look at" in poll(lines).unreadable["a.logline.json"]
    monkeypatch.undo()
    box.log.clock.step(seconds=60)
    assert sources(poll(lines)) == ["a"]
