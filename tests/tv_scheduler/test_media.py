"""Which clips can be played now."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tv_scheduler.media import Clips
from tv_scheduler.playlist import Playable
from vv_core.media_record import Clip, MediaRecord, MediaState, record_path, write_media_record
from vv_core.paths import Storage

SOURCE = "a1" * 32
MADE = "c7" * 32
NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path)
    storage.ensure()
    storage.media.mkdir()
    return storage


def record(storage: Storage, size: int = 5, sha256: str = MADE) -> Path:
    """Write a record of a file that was made, and return where that is to lie."""
    clip = Clip(sha256, "tv_curado", f"{sha256}.mp4", size, 1500, 640, 360, "h264", None)
    write_media_record(storage, MediaRecord(SOURCE, NOW, clip, MediaState.STANDARDISED))
    return storage.tv_curado / clip.path


def test_a_clip_plays_when_it_is_there_as_it_was_recorded(storage: Storage) -> None:
    clips = Clips(storage)
    assert clips.find({SOURCE}) == {}
    path = record(storage)
    assert clips.find({SOURCE}) == {}
    path.write_bytes(b"12345")
    playing = {SOURCE: Playable(MADE, 5, 1500)}
    assert clips.find({SOURCE, "b2" * 32}) == playing
    assert clips.paths == {str(path)}
    path.write_bytes(b"123456")
    assert clips.find({SOURCE}) == {}
    path.write_bytes(b"54321")
    assert clips.find({SOURCE}) == playing
    path.unlink()
    assert clips.find({SOURCE}) == {}
    assert clips.find(set()) == {}
    assert clips.paths == set()


def test_a_link_or_folder_does_not_play(storage: Storage, tmp_path: Path) -> None:
    path = record(storage)
    (tmp_path / "real").write_bytes(b"12345")
    path.symlink_to(tmp_path / "real")
    assert Clips(storage).find({SOURCE}) == {}
    path.unlink()
    path.mkdir()
    assert Clips(storage).find({SOURCE}) == {}


def test_a_record_is_read_again_only_when_it_changes(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(storage).write_bytes(b"12345")
    clips = Clips(storage)
    clips.find({SOURCE})
    with monkeypatch.context() as patch:
        patch.setattr("tv_scheduler.media.read_media_record", None)
        assert clips.find({SOURCE})[SOURCE].sha256 == MADE
    record(storage, sha256="d8" * 32).write_bytes(b"12345")
    assert clips.find({SOURCE})[SOURCE].sha256 == "d8" * 32


def test_what_does_not_play_and_what_is_damaged_is_left_out(storage: Storage) -> None:
    write_media_record(storage, MediaRecord(SOURCE, NOW, None, MediaState.UNPLAYABLE, "broken"))
    clips = Clips(storage)
    assert clips.find({SOURCE}) == {}
    record_path(storage, SOURCE).write_text("{")
    assert clips.find({SOURCE}) == {}
    assert clips.find({SOURCE}) == {}


def test_a_record_that_goes_while_it_is_looked_at_is_none(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(storage)
    real = os.stat

    def look(path: str) -> os.stat_result:
        status = real(path)
        record_path(storage, SOURCE).unlink()
        return status

    monkeypatch.setattr("tv_scheduler.media.os.stat", look)
    assert Clips(storage).find({SOURCE}) == {}
