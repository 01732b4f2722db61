"""Only LogLines that the signed log has are shown, told without a secret."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.audit.samples import old_signed_bytes
from tests.tv_scheduler.conftest import TvBox
from tv_scheduler.loglines import NOT_PROVEN, Found, LogLines
from vv_core.errors import VvError
from vv_core.tlog.events import FOLDER

DAY = timedelta(hours=24)


def look(box: TvBox) -> Found:
    storage = box.settings.storage
    return LogLines(storage.loglines, storage.log).look(box.now - DAY)


def sources(found: Found) -> list[str]:
    return sorted(line["source"] for line in found.loglines)


def test_what_the_writer_has_signed_is_there_without_any_key(box: TvBox) -> None:
    for name in ("a", "b", "c"):
        box.add(name)
    shutil.rmtree(box.log.home / "secrets")
    found = look(box)
    assert sources(found) == ["a.mp4", "b.mp4", "c.mp4"]
    assert not found.refused
    assert not found.unreadable


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
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
        assert found.loglines == []
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
    assert sources(found) == ["a.mp4"]
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
    assert "event.logline.json" in found.refused
    assert "a.mp4" in sources(found)


def test_links_pipes_and_giants_are_not_read(box: TvBox) -> None:
    real = box.add("a")
    folder = real.parent
    (folder / "link.logline.json").symlink_to(real)
    os.mkfifo(folder / "pipe.logline.json")
    (folder / "giant.logline.json").write_bytes(b"x" * 70_000)
    (folder / "folder.logline.json").mkdir()
    found = look(box)
    assert sources(found) == ["a.mp4"]
    assert len(found.unreadable) == 4


def test_what_was_judged_is_read_again_only_when_it_changes(
    box: TvBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = box.add("a")
    storage = box.settings.storage
    lines = LogLines(storage.loglines, storage.log)
    assert sources(lines.look(box.now - DAY)) == ["a.mp4"]
    monkeypatch.setattr("tv_scheduler.loglines.read_regular_file", None)
    assert sources(lines.look(box.now - DAY)) == ["a.mp4"]
    monkeypatch.undo()
    path.write_bytes(path.read_bytes().replace(b"a.mp4", b"z.mp4"))
    assert lines.look(box.now - DAY).refused == {path.name: NOT_PROVEN}
    path.unlink()
    assert lines.look(box.now - DAY) == Found()


def test_old_files_are_not_opened(box: TvBox) -> None:
    path = box.add("a")
    past = box.now.timestamp() - 3 * 86400
    os.utime(path, (past, past))
    assert look(box) == Found()


def test_a_log_that_cannot_be_read_now_refuses_nothing_for_good(box: TvBox) -> None:
    box.add("a")
    box.add("b")
    storage = box.settings.storage
    lines = LogLines(storage.loglines, storage.log)
    tiles = storage.log / "tile/0"
    tiles.rename(storage.log / "away")
    found = lines.look(box.now - DAY)
    assert not found.loglines
    assert not found.refused
    assert len(found.unreadable) == 2
    (storage.log / "away").rename(tiles)
    assert sources(lines.look(box.now - DAY)) == ["a.mp4", "b.mp4"]


def test_a_head_that_the_log_did_not_sign_proves_nothing(box: TvBox) -> None:
    box.add("a")
    checkpoint = box.settings.storage.log / "checkpoint"
    checkpoint.write_bytes(checkpoint.read_bytes().replace(b"\n1\n", b"\n2\n"))
    with pytest.raises(VvError):
        look(box)


def test_without_a_log_nothing_is_proven(box: TvBox) -> None:
    box.add("a")
    shutil.rmtree(box.settings.storage.log)
    assert look(box).refused == {"a.logline.json": NOT_PROVEN}


def test_a_folder_that_is_gone_is_told(box: TvBox) -> None:
    shutil.rmtree(box.settings.storage.loglines)
    with pytest.raises(VvError, match="list the LogLines"):
        look(box)
