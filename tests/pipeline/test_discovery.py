"""What lies in ``input/``: videos, and what only looks like one."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest

from vv_core.video_files import Candidate, FileSignature, discover

PATTERNS = ("*.mp4", "*.AVI")


def names(found: list[Candidate]) -> list[str]:
    return [candidate.relative_name for candidate in found]


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


def test_videos_of_all_folders_sorted_by_path(tmp_path: Path) -> None:
    for name in ("b.mp4", "cam 2/a.mp4", "cam1/sub/z.avi", "a.MP4", "A.Mp4"):
        touch(tmp_path / name)
    found, ignored = discover(tmp_path, PATTERNS)
    assert names(found) == ["A.Mp4", "a.MP4", "b.mp4", "cam 2/a.mp4", "cam1/sub/z.avi"]
    assert ignored == []


def test_other_names_and_hidden_ones_are_left_out(tmp_path: Path) -> None:
    for name in ("a.txt", "mp4", ".mp4", ".a.mp4", ".cam/a.mp4", ".vv-tmp-1.mp4", "a.mp4.part"):
        touch(tmp_path / name)
    assert discover(tmp_path, PATTERNS) == ([], [])


def test_what_only_looks_like_a_video_is_named_with_advice(tmp_path: Path) -> None:
    touch(tmp_path / "folder.mp4/inside.mp4")
    (tmp_path / "link.mp4").symlink_to(touch(tmp_path / "a.mp4"))
    (tmp_path / "dangling.mp4").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.mp4")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "socket.mp4"))
    listener.close()
    found, ignored = discover(tmp_path, PATTERNS)
    assert names(found) == ["a.mp4"]
    assert {item.path.name: item.reason for item in ignored} == {
        "dangling.mp4": "is a symbolic link",
        "folder.mp4": "is a folder named like a video",
        "link.mp4": "is a symbolic link",
        "pipe.mp4": "is not a regular file",
        "socket.mp4": "is not a regular file",
    }
    assert all(item.advice.endswith(".") for item in ignored)


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "input").mkdir()
    touch(tmp_path / "elsewhere/a.mp4")
    (tmp_path / "input/cam").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "input/loop").symlink_to(".")
    assert discover(tmp_path / "input", PATTERNS) == ([], [])


def test_input_itself_may_be_a_link(tmp_path: Path) -> None:
    touch(tmp_path / "volume/cam/a.mp4")
    (tmp_path / "input").symlink_to("volume")
    found, _ = discover(tmp_path / "input", PATTERNS)
    assert names(found) == ["cam/a.mp4"]


def test_names_may_be_any_bytes(tmp_path: Path) -> None:
    raw_names = [b"-dash.mp4", b"new\nline.mp4", b"quo\"te'.mp4", b"\xff\xfe.mp4", b"a b.mp4"]
    raw_names += ["🎥 ação.mp4".encode(), b"x" * 251 + b".mp4"]
    for raw_name in raw_names:
        touch(tmp_path / os.fsdecode(raw_name))
    found, _ = discover(tmp_path, PATTERNS)
    assert [os.fsencode(name) for name in names(found)] == sorted(raw_names)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        discover(tmp_path / "none", PATTERNS)


def test_what_vanishes_while_it_is_listed_was_never_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4", "cam/c.mp4"):
        touch(tmp_path / name)
    scan = os.scandir

    def scan_and_lose(folder: Path) -> list[os.DirEntry[str]]:
        with scan(folder) as entries:
            found = list(entries)
        (tmp_path / "a.mp4").unlink(missing_ok=True)
        if (tmp_path / "cam").exists():
            (tmp_path / "cam/c.mp4").unlink()
            (tmp_path / "cam").rmdir()
        return found

    monkeypatch.setattr(os, "scandir", scan_and_lose)
    found, ignored = discover(tmp_path, PATTERNS)
    assert names(found) == ["b.mp4"]
    assert ignored == []


@pytest.mark.parametrize("error", [errno.EIO, errno.EACCES])
def test_what_cannot_be_looked_at_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """A disk that fails, in the words of the kernel."""
    touch(tmp_path / "a.mp4")

    class Broken:
        name = "a.mp4"
        path = str(tmp_path / "a.mp4")

        def stat(self, *, follow_symlinks: bool) -> os.stat_result:
            raise OSError(error, os.strerror(error))

    monkeypatch.setattr(os, "scandir", lambda _folder: [Broken()])
    found, (item,) = discover(tmp_path, PATTERNS)
    assert found == []
    assert item.reason == f"cannot be looked at: {os.strerror(error)}"


def test_a_deep_tree_is_no_problem(tmp_path: Path) -> None:
    folder = tmp_path
    for _ in range(300):
        folder /= "d"
    touch(folder / "a.mp4")
    found, _ = discover(tmp_path, PATTERNS)
    assert names(found) == ["d/" * 300 + "a.mp4"]


def test_the_signature_changes_with_the_content(tmp_path: Path) -> None:
    path = touch(tmp_path / "a.mp4")
    before = FileSignature.of(path.stat())
    assert FileSignature.of(path.stat()) == before
    status = path.stat()
    path.write_text("other")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert FileSignature.of(path.stat()) != before
