"""Out of quarantine and back: which videos are meant, and which meta files can be believed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.places import contents, everything, put, refuse
from vv_core.errors import InputDataError, TemporaryError, UsageError
from vv_core.paths import Storage
from vv_core.pipeline.quarantine import (
    Quarantined,
    find_quarantined,
    meta_path,
    put_back,
    quarantined,
)


def test_all_or_by_name_or_by_hash(storage: Storage) -> None:
    first = refuse(storage, "cam/a.mp4", b"one")
    second = refuse(storage, "b.mp4", b"two")
    sha256 = hashlib.sha256(b"two").hexdigest()

    def chosen(*names: str) -> list[Path]:
        return [entry.video for entry in find_quarantined(storage, names)]

    assert chosen() == [second, first] or chosen() == [first, second]
    assert chosen("cam/a.mp4") == chosen("a.mp4") == [first]
    assert chosen(sha256) == chosen(sha256[:8]) == chosen("b.mp4") == [second]
    assert chosen("b.mp4", sha256, "a.mp4") == [second, first]
    for name in ("none.mp4", sha256[:7], "", "0" * 64):
        with pytest.raises(UsageError) as caught:
            chosen("a.mp4", name)
        assert "--quarantine" in caught.value.advice


def test_it_does_not_replace_a_new_video_of_the_same_name(storage: Storage) -> None:
    refuse(storage, "a.mp4", b"old")
    put(storage.input, "a.mp4", b"new")
    (entry,) = quarantined(storage)
    assert put_back(storage, entry).startswith("a-")
    assert contents(storage.input) == [b"new", b"old"]


def test_a_video_that_was_exchanged_meanwhile_is_not_moved(storage: Storage) -> None:
    target = refuse(storage, "a.mp4", b"old")
    target.write_bytes(b"something else")
    put(storage.input, "a.mp4", b"old")
    (entry,) = quarantined(storage)
    with pytest.raises(InputDataError):
        put_back(storage, entry)
    assert everything(storage) == {b"something else", b"old"}


def test_a_folder_that_is_in_the_way_is_an_error_with_advice(storage: Storage) -> None:
    refuse(storage, "cam/a.mp4", b"old")
    (storage.input / "cam").rmdir()
    (storage.input / "cam").write_bytes(b"a file")
    (entry,) = quarantined(storage)
    with pytest.raises(TemporaryError) as caught:
        put_back(storage, entry)
    assert caught.value.advice
    assert entry.video.exists()
    assert entry.meta.exists()


Change = Callable[[dict[str, Any]], object]


def hexed(name: bytes) -> str:
    return name.hex()


@pytest.mark.parametrize(
    "change",
    [
        lambda meta: "{",
        lambda meta: [],
        lambda meta: "text",
        lambda meta: {},
        lambda meta: {**meta, "sha256": "../../../etc"},
        lambda meta: {**meta, "sha256": meta["sha256"].upper()},
        lambda meta: {**meta, "sha256": None},
        lambda meta: {**meta, "file_bytes": "zz"},
        lambda meta: {**meta, "file_bytes": ""},
        lambda meta: {**meta, "file_bytes": hexed(b".")},
        lambda meta: {**meta, "file_bytes": hexed(b"..")},
        lambda meta: {**meta, "file_bytes": hexed(b"../input/other.mp4")},
        lambda meta: {**meta, "file_bytes": hexed(b"/etc/hostname")},
        lambda meta: {**meta, "file_bytes": hexed(b"a.mp4\0")},
        lambda meta: {**meta, "file_bytes": hexed(b"link.mp4")},
        lambda meta: {**meta, "original_bytes": hexed(b"/etc/a.mp4")},
        lambda meta: {**meta, "original_bytes": hexed(b"../a.mp4")},
        lambda meta: {**meta, "original_bytes": hexed(b"cam/../../a.mp4")},
        lambda meta: {**meta, "original_bytes": hexed(b"a\0.mp4")},
        lambda meta: {**meta, "original_bytes": ""},
        lambda meta: {**meta, "original_bytes": hexed(b".")},
        lambda meta: {**meta, "stage": 5},
        lambda meta: {**meta, "exit_code": "65"},
        lambda meta: {key: value for key, value in meta.items() if key != "reason"},
    ],
)
def test_a_meta_file_that_cannot_be_believed_is_left_out(storage: Storage, change: Change) -> None:
    target = refuse(storage, "a.mp4", b"bad")
    put(storage.input, "other.mp4", b"other")
    (storage.corrupted / "link.mp4").symlink_to(target)
    refuse(storage, "good.mp4", b"good")
    changed = change(json.loads(meta_path(target).read_text()))
    meta_path(target).write_text(changed if isinstance(changed, str) else json.dumps(changed))
    assert [entry.video.name for entry in quarantined(storage)] == ["good.mp4"]
    assert everything(storage) == {b"bad", b"good", b"other"}


def test_a_meta_file_that_vanishes_meanwhile(storage: Storage) -> None:
    target = refuse(storage, "a.mp4", b"bad")
    entry = next(quarantined(storage))
    target.unlink()
    assert list(quarantined(storage)) == []
    with pytest.raises(InputDataError):
        put_back(storage, Quarantined(*entry))
