"""``processed/`` and ``corrupted/``: nothing is replaced, everything can come back."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pipeline.places import FAILURE, contents, everything, put, refuse
from tests.pipeline.users import needs_root, other_user
from vv_core.paths import Storage
from vv_core.pipeline.quarantine import (
    meta_path,
    move_video,
    plan_place,
    put_back,
    quarantine,
    quarantined,
)

NAMES = [
    b"a.mp4",
    b"cam 1/sub/a.mp4",
    b"-dash.mp4",
    b"new\nline.mp4",
    b"quo\"te'.mp4",
    "🎥 ação.mp4".encode(),
    b"\xff\xfe.mp4",
    b"x" * 251 + b".mp4",
    "é".encode() * 125 + b".mp4",
    b"\xff" * 251 + b".mp4",
    b"x" * 246 + b".mp4",
    b"x" * 242 + b".mp4",
]


# ── Places ──


def test_a_free_place_keeps_name_and_camera(storage: Storage) -> None:
    assert plan_place(storage.processed, "cam/a.mp4", "a" * 64) == storage.processed / "cam/a.mp4"


def test_a_different_file_of_the_same_name_stays(storage: Storage) -> None:
    put(storage.processed, "a.mp4", b"old")
    path, sha256 = put(storage.input, "a.mp4", b"new")
    target = plan_place(storage.processed, "a.mp4", sha256)
    assert target.name == f"a-{sha256[:8]}.mp4"
    move_video(path, target, sha256)
    assert contents(storage.processed) == [b"new", b"old"]


def test_even_the_marked_name_may_be_taken(storage: Storage) -> None:
    path, sha256 = put(storage.input, "a.mp4", b"new")
    put(storage.processed, "a.mp4", b"old")
    put(storage.processed, f"a-{sha256[:8]}.mp4", b"squatter")
    target = plan_place(storage.processed, "a.mp4", sha256)
    assert target.name == f"a-{sha256[:8]}-{sha256[8:16]}.mp4"
    move_video(path, target, sha256)
    assert contents(storage.processed) == [b"new", b"old", b"squatter"]


@needs_root
def test_a_file_that_cannot_be_read_is_taken_for_another(storage: Storage, tmp_path: Path) -> None:
    _, sha256 = put(storage.processed, "a.mp4", b"same")
    (storage.processed / "a.mp4").chmod(0o000)
    expected = f"a-{sha256[:8]}.mp4"
    with other_user(tmp_path) as do:
        assert do(lambda: plan_place(storage.processed, "a.mp4", sha256).name == expected)


@pytest.mark.parametrize("kind", ["folder", "dangling link", "link to the same content", "fifo"])
def test_a_name_taken_by_something_else_is_left_alone(storage: Storage, kind: str) -> None:
    path, sha256 = put(storage.input, "a.mp4", b"new")
    taken = storage.processed / "a.mp4"
    if kind == "folder":
        taken.mkdir()
    elif kind == "dangling link":
        taken.symlink_to("nowhere")
    elif kind == "fifo":
        os.mkfifo(taken)
    else:
        taken.symlink_to(path)
    target = plan_place(storage.processed, "a.mp4", sha256)
    assert target != taken
    move_video(path, target, sha256)
    assert target.read_bytes() == b"new"
    assert os.path.lexists(taken)


def test_the_same_content_at_its_place_is_kept_once(storage: Storage) -> None:
    put(storage.processed, "a.mp4", b"same")
    path, sha256 = put(storage.input, "a.mp4", b"same")
    target = plan_place(storage.processed, "a.mp4", sha256)
    move_video(path, target, sha256)
    assert contents(storage.processed) == [b"same"]
    assert contents(storage.input) == []


def test_a_move_cut_off_between_link_and_unlink_is_finished(storage: Storage) -> None:
    path, sha256 = put(storage.input, "a.mp4", b"same")
    os.link(path, storage.processed / "a.mp4")
    move_video(path, plan_place(storage.processed, "a.mp4", sha256), sha256)
    assert contents(storage.processed) == [b"same"]
    assert contents(storage.input) == []


# ── Quarantine ──


@pytest.mark.parametrize("raw_name", NAMES)
def test_any_name_goes_in_and_comes_back_under_its_own(storage: Storage, raw_name: bytes) -> None:
    name = os.fsdecode(raw_name)
    target = refuse(storage, name, b"bad")
    (entry,) = quarantined(storage)
    assert entry.video == target
    assert entry.meta.name.endswith(".meta.json")
    assert put_back(storage, entry) == name
    assert (storage.input / name).read_bytes() == b"bad"
    assert list(quarantined(storage)) == []
    assert not [path for path in storage.corrupted.rglob("*") if path.is_file()]


def test_the_meta_file_says_everything(storage: Storage) -> None:
    target = refuse(storage, "cam/café\n.mp4", b"bad")
    meta = json.loads(meta_path(target).read_text("utf-8"))
    assert meta == {
        "schema": "vv.quarantine/1",
        "file": "café\ufffd.mp4",
        "file_bytes": "café\n.mp4".encode().hex(),
        "original": "cam/café\ufffd.mp4",
        "original_bytes": "cam/café\n.mp4".encode().hex(),
        "sha256": hashlib.sha256(b"bad").hexdigest(),
        "bytes": 3,
        "stage": "scan_video",
        "exit_code": 65,
        "timed_out": False,
        "reason": "no video\\x1b[31m in caf\\udce9.mp4",
        "advice": "record it again",
        "stderr": ["moov atom not found"],
        "attempts": 1,
        "when": "2026-11-21T02:03:04Z",
    }


def test_same_name_twice_keeps_both(storage: Storage) -> None:
    refuse(storage, "a.mp4", b"one")
    second = refuse(storage, "a.mp4", b"two")
    assert second.name.startswith("a-")
    assert contents(storage.corrupted) == [b"one", b"two"]
    entries = list(quarantined(storage))
    assert len(entries) == 2
    back = sorted(put_back(storage, entry) for entry in entries)
    assert "a.mp4" in back
    assert len(set(back)) == 2
    assert contents(storage.input) == [b"one", b"two"]


def test_same_content_twice_under_two_names_keeps_both(storage: Storage) -> None:
    refuse(storage, "a.mp4", b"same")
    refuse(storage, "b.mp4", b"same")
    assert [entry.video.name for entry in quarantined(storage)] == ["a.mp4", "b.mp4"]


def test_same_content_and_long_names_that_begin_alike_keep_both(storage: Storage) -> None:
    names = [f"{'x' * 250}{number}.mp4" for number in range(3)]
    for name in names:
        refuse(storage, name, b"same")
    assert sorted(entry.video.name for entry in quarantined(storage)) == names


def test_the_same_video_again_is_kept_once_with_the_latest_reason(storage: Storage) -> None:
    refuse(storage, "a.mp4", b"same")
    refuse(storage, "a.mp4", b"same")
    assert contents(storage.corrupted) == [b"same"]
    assert len(list(quarantined(storage))) == 1


def test_cut_off_before_the_move_the_video_is_where_it_was(storage: Storage) -> None:
    path, sha256 = put(storage.input, "a.mp4", b"bad")
    quarantine(storage, path, "a.mp4", sha256, FAILURE)
    (storage.corrupted / "a.mp4").rename(path)
    assert list(quarantined(storage)) == []
    quarantine(storage, path, "a.mp4", sha256, FAILURE)
    assert len(list(quarantined(storage))) == 1


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.mp4", "b.mp4", "c/a.mp4", "x" * 251 + ".mp4"]),
            st.sampled_from([b"1", b"2", b"3"]),
            st.sampled_from(["processed", "corrupted", "back"]),
        ),
        max_size=12,
    )
)
def test_no_sequence_of_moves_loses_content(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, bytes, str]]
) -> None:
    storage = Storage(tmp_path_factory.mktemp("box"))
    storage.ensure()
    for name, content, way in moves:
        path = storage.input / name
        if not path.exists():
            put(storage.input, name, content)
        expected = everything(storage)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        if way == "processed":
            move_video(path, plan_place(storage.processed, name, sha256), sha256)
        else:
            quarantine(storage, path, name, sha256, FAILURE)
        if way == "back":
            put_back(storage, next(quarantined(storage)))
        assert everything(storage) == expected
