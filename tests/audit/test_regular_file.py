from __future__ import annotations

import os
from pathlib import Path

import pytest

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_regular_file(path, 5) == b"12345"
    with pytest.raises(MalformedError) as caught:
        read_regular_file(path, 4)
    assert caught.value.reason is Reason.TOO_LARGE


def test_a_file_that_tells_no_size_is_still_limited() -> None:
    path = Path("/proc/self/status")
    if not path.exists():
        pytest.skip("no /proc here")
    assert len(read_regular_file(path, 10)) == 11


def test_a_name_that_becomes_a_fifo_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    before = os.lstat(path)
    path.unlink()
    os.mkfifo(path)
    monkeypatch.setattr(os, "lstat", lambda _path: before)
    with pytest.raises(MalformedError) as caught:
        read_regular_file(path, 10)
    assert caught.value.reason is Reason.NOT_A_REGULAR_FILE


def test_a_name_that_becomes_a_link_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x")
    before = os.lstat(path)
    path.rename(tmp_path / "b")
    path.symlink_to("b")
    monkeypatch.setattr(os, "lstat", lambda _path: before)
    with pytest.raises(OSError, match="symbolic links"):
        read_regular_file(path, 10)
