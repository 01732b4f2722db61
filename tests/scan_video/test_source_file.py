"""Hash and analytic speak of the same bytes, or nothing is written."""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scan_video.source_file import hash_source
from vv_core.errors import InputMissingError, TemporaryError


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"content")
    return path


def test_the_hash_is_of_the_content(video: Path) -> None:
    os.utime(video, (1000, 1700000000))
    source = hash_source(video)
    assert source.sha256 == hashlib.sha256(b"content").hexdigest()
    assert source.state.size == 7
    assert source.state.modified == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    source.require_unchanged()


def test_a_file_that_grows_is_left_for_later(video: Path) -> None:
    source = hash_source(video)
    with video.open("ab") as stream:
        stream.write(b"more")
    with pytest.raises(TemporaryError, match="changed while it was read"):
        source.require_unchanged()


def test_a_file_that_was_replaced_is_left_for_later(video: Path) -> None:
    source = hash_source(video)
    other = video.with_name("b.mp4")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(source.state.mtime_ns, source.state.mtime_ns))
    other.replace(video)
    with pytest.raises(TemporaryError):
        source.require_unchanged()


def test_a_file_that_vanished(video: Path) -> None:
    source = hash_source(video)
    video.unlink()
    with pytest.raises(InputMissingError):
        source.require_unchanged()
    with pytest.raises(InputMissingError):
        hash_source(video)
