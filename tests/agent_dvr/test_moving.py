"""Finished recordings go from raw/ into input/: never torn, never lost, never over another."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_dvr.moving import LEFTOVER_AGE_S, Mover, Round, remove_leftovers
from vv_core.atomic import TEMP_PREFIX
from vv_core.errors import VvError
from vv_core.paths import Storage
from vv_core.settings import DEFAULT_PATTERNS

STABLE_S = 10.0


def never() -> bool:
    return False


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path)
    storage.ensure()
    return storage


def put(storage: Storage, name: str, content: str = "video", folder: str = "raw") -> Path:
    path = storage.root / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def later(seconds: float = STABLE_S + 1) -> float:
    return datetime.now(UTC).timestamp() + seconds


def move(storage: Storage, now_s: float | None = None) -> Round:
    mover = Mover(storage, DEFAULT_PATTERNS, STABLE_S)
    return mover.move_finished(later() if now_s is None else now_s, never)


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_finished_goes_to_its_camera(storage: Storage) -> None:
    put(storage, "gate/20261121-020304.mp4")
    put(storage, "yard/deep/b.MKV")
    put(storage, "c.avi")
    assert move(storage).moved == ["c.avi", "gate/20261121-020304.mp4", "yard/deep/b.MKV"]
    assert names(storage.input) == ["c.avi", "gate/20261121-020304.mp4", "yard/deep/b.MKV"]
    assert names(storage.raw) == []


def test_what_is_young_or_hidden_or_no_video_stays(storage: Storage) -> None:
    put(storage, "gate/young.mp4")
    put(storage, "gate/.upload.mp4")
    put(storage, "gate/list.txt")
    (storage.raw / "gate/link.mp4").symlink_to("young.mp4")
    result = move(storage, later(1))
    assert (result.moved, result.growing) == ([], 1)
    assert names(storage.input) == []


def test_a_file_that_grows_stays(storage: Storage) -> None:
    path = put(storage, "a.mp4")
    with path.open("a") as stream:
        stream.write("more")
        stream.flush()
        result = move(storage)
        assert (result.moved, result.growing) == ([], 1)
    assert move(storage).moved == ["a.mp4"]


def test_a_file_from_the_future_goes_once_it_was_seen_unchanged(storage: Storage) -> None:
    path = put(storage, "a.mp4")
    future = later(10**6)
    os.utime(path, (future, future))
    mover = Mover(storage, DEFAULT_PATTERNS, STABLE_S)
    assert mover.move_finished(later(0), never).growing == 1
    assert mover.move_finished(later(STABLE_S - 1), never).growing == 1
    os.utime(path, (future + 1, future + 1))
    assert mover.move_finished(later(STABLE_S + 1), never).growing == 1
    assert mover.move_finished(later(2 * STABLE_S + 2), never).moved == ["a.mp4"]


def test_another_one_of_that_name_is_never_replaced(storage: Storage) -> None:
    put(storage, "gate/a.mp4", "first", "input")
    put(storage, "gate/a.mp4", "second")
    (name,) = move(storage).moved
    assert name.startswith("gate/a-")
    assert (storage.input / "gate/a.mp4").read_text() == "first"
    assert (storage.input / name).read_text() == "second"


def test_a_move_that_was_cut_is_finished(storage: Storage) -> None:
    put(storage, "a.mp4", "same", "input")
    put(storage, "a.mp4", "same")
    assert move(storage).moved == ["a.mp4"]
    assert names(storage.raw) == []
    assert names(storage.input) == ["a.mp4"]


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_what_is_in_the_way_stays(storage: Storage, kind: str) -> None:
    put(storage, "a.mp4")
    target = storage.input / "a.mp4"
    if kind == "link":
        target.symlink_to("nowhere")
    else:
        target.mkdir()
    (name,) = move(storage).moved
    assert name != "a.mp4"
    assert (storage.input / name).read_text() == "video"
    assert os.path.lexists(target)


def test_one_that_cannot_be_moved_stops_none_of_the_others(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        put(storage, name)
    real = os.link

    def link(source: Path, target: Path, **more: bool) -> None:
        if source.name == "b.mp4":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if source.name == "c.mp4":
            source.unlink()
        real(source, target, **more)

    monkeypatch.setattr(os, "link", link)
    result = move(storage)
    assert result.moved == ["a.mp4"]
    assert list(result.failed) == ["b.mp4"], "what its writer took back is no failure"
    assert "No space" in result.failed["b.mp4"].message


def test_it_leaves_off_when_asked_to(storage: Storage) -> None:
    put(storage, "a.mp4")
    mover = Mover(storage, DEFAULT_PATTERNS, STABLE_S)
    assert mover.move_finished(later(), lambda: True) == Round()


def test_a_folder_that_is_gone_is_told(storage: Storage) -> None:
    shutil.rmtree(storage.raw)
    with pytest.raises(VvError, match="list the recordings"):
        move(storage)


@pytest.fixture
def other_disk(storage: Storage) -> Callable[[], None]:
    if os.geteuid() != 0:
        pytest.skip("only root may mount")

    def mount() -> None:
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=1m", "vv", str(storage.input)],
            check=True,
            timeout=30,
        )

    return mount


def test_to_another_disk_the_content_goes_and_a_full_one_keeps_the_recording(
    storage: Storage, other_disk: Callable[[], None]
) -> None:
    other_disk()
    try:
        put(storage, "gate/a.mp4")
        put(storage, "gate/big.mp4", "x" * 2_000_000)
        result = move(storage)
        assert result.moved == ["gate/a.mp4"]
        assert list(result.failed) == ["gate/big.mp4"]
        assert names(storage.input) == ["gate/a.mp4"], "nothing half-written is left"
        assert names(storage.raw) == ["gate/big.mp4"]
    finally:
        subprocess.run(["umount", str(storage.input)], check=True, timeout=30)


def test_what_a_killed_move_left_goes_after_a_while(storage: Storage) -> None:
    put(storage, f"gate/{TEMP_PREFIX}abc.mp4", folder="input")
    put(storage, "gate/a.mp4", folder="input")
    assert remove_leftovers(storage.input, later(LEFTOVER_AGE_S - 100)) == 0
    assert remove_leftovers(storage.input, later(LEFTOVER_AGE_S + 100)) == 1
    assert names(storage.input) == ["gate/a.mp4"]
