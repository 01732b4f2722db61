"""Media records: what is written is read again, and nothing else is believed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vv_core.errors import InputDataError, InputMissingError, SchemaViolation
from vv_core.media_record import (
    Clip,
    MediaRecord,
    MediaState,
    find_clip,
    read_media_record,
    record_path,
    write_media_record,
)
from vv_core.paths import Storage

NOW = datetime(2026, 11, 21, 5, 11, tzinfo=UTC)
SOURCE, DERIVED = "a1" * 32, "c7" * 32
MADE = Clip(DERIVED, "tv_curado", f"{DERIVED}.mp4", 1000, 2000, 320, 240, "h264", None)
ITSELF = replace(MADE, sha256=SOURCE, folder="processed", path="portaria/1.mp4", audio_codec="aac")
RECORDS = [
    MediaRecord(SOURCE, NOW, MADE, MediaState.STANDARDISED),
    MediaRecord(SOURCE, NOW, MADE, MediaState.STANDARDISED, "3 of 10 s could be read"),
    MediaRecord(SOURCE, NOW, ITSELF, MediaState.AS_IS),
    MediaRecord(SOURCE, NOW, None, MediaState.UNPLAYABLE, "no picture"),
    MediaRecord(SOURCE, NOW, None, MediaState.MISSING, "it is gone"),
]


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path)
    storage.media.mkdir(parents=True)
    return storage


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: f"{record.state}-{record.reason}")
def test_what_is_written_is_read(storage: Storage, record: MediaRecord) -> None:
    write_media_record(storage, record)
    assert read_media_record(storage, SOURCE) == record


@given(path=st.binary(min_size=1, max_size=200).filter(lambda raw: b"\0" not in raw))
def test_a_clip_of_any_name_is_found_below_its_folder_or_refused(
    path: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    storage = Storage(tmp_path_factory.mktemp("box"))
    storage.media.mkdir(parents=True)
    name = os.fsdecode(path)
    record = MediaRecord(SOURCE, NOW, replace(ITSELF, path=name), MediaState.AS_IS)
    try:
        write_media_record(storage, record)
    except SchemaViolation:
        assert name.startswith("/") or ".." in name.split("/") or not name.strip("./")
        return
    assert read_media_record(storage, SOURCE) == record
    place = os.path.normpath(find_clip(storage, replace(ITSELF, path=name)))
    assert place.startswith(f"{storage.processed}/")


def test_a_video_that_was_not_looked_at_has_no_record(storage: Storage) -> None:
    assert read_media_record(storage, SOURCE) is None


@pytest.mark.parametrize(
    "record",
    [
        replace(RECORDS[0], clip=replace(MADE, path=f"{SOURCE}.mp4")),
        replace(RECORDS[0], clip=ITSELF),
        replace(RECORDS[0], clip=None),
        replace(RECORDS[2], clip=replace(ITSELF, sha256=DERIVED)),
        replace(RECORDS[2], clip=replace(ITSELF, path="/etc/passwd")),
        replace(RECORDS[2], clip=replace(ITSELF, path="a/../../secret.mp4")),
        replace(RECORDS[2], clip=replace(ITSELF, path=".")),
        replace(RECORDS[2], clip=replace(ITSELF, path="a\0b")),
        replace(RECORDS[3], clip=MADE),
        replace(RECORDS[3], reason=""),
        replace(RECORDS[3], reason="x" * 501),
    ],
    ids=repr,
)
def test_a_record_that_contradicts_itself_is_not_written(
    storage: Storage, record: MediaRecord
) -> None:
    with pytest.raises(SchemaViolation):
        write_media_record(storage, record)
    assert list(storage.media.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b'{"schema": "vv.media/2"}', b"\xff", b'{"clip": 1}'],
    ids=repr,
)
def test_a_file_that_is_no_record_is_told(storage: Storage, content: bytes) -> None:
    record_path(storage, SOURCE).write_bytes(content)
    with pytest.raises(InputDataError, match=SOURCE):
        read_media_record(storage, SOURCE)


def test_a_record_of_another_video_is_not_believed(storage: Storage) -> None:
    write_media_record(storage, RECORDS[0])
    record_path(storage, SOURCE).rename(record_path(storage, DERIVED))
    with pytest.raises(InputDataError, match="another video"):
        read_media_record(storage, DERIVED)


def test_a_day_that_does_not_exist_is_told(storage: Storage) -> None:
    write_media_record(storage, RECORDS[0])
    path = record_path(storage, SOURCE)
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "checked_at": "2026-02-30T00:00:00Z"}))
    with pytest.raises(InputDataError):
        read_media_record(storage, SOURCE)


@pytest.mark.parametrize("sha256", ["", "../../etc/passwd", "A1" * 32, "a1" * 31, "a1" * 32 + "\n"])
def test_what_is_no_hash_names_no_record(storage: Storage, sha256: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        read_media_record(storage, sha256)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError):
        write_media_record(Storage(tmp_path), RECORDS[0])
