"""Is a file finished? Times, looks, and the kernel's word on writers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.pipeline.users import needs_root, other_user
from vv_core import stability
from vv_core.stability import (
    Observation,
    Writing,
    file_system_of,
    is_open_for_writing,
    is_unchanged_long_enough,
)
from vv_core.video_files import FileSignature

NOW = 1_000_000.0


def signature(mtime: float, ctime: float | None = None, size: int = 1) -> FileSignature:
    return FileSignature(size, int(mtime * 1e9), int((ctime or mtime) * 1e9), 7)


@pytest.mark.parametrize(
    ("now_signature", "earlier", "expected"),
    [
        (signature(NOW - 10), None, True),
        (signature(NOW - 9.9), None, False),
        # Copied with its old times: only the kernel's change time is recent.
        (signature(NOW - 9999, NOW - 1), None, False),
        (signature(NOW + 9999), None, False),
        (signature(NOW + 9999), Observation(signature(NOW + 9999), NOW - 10), True),
        (signature(NOW + 9999), Observation(signature(NOW + 9999), NOW - 9), False),
        (signature(NOW + 9999), Observation(signature(NOW + 9999, size=2), NOW - 99), False),
        # The clock was set back: the look lies in the future and counts for nothing.
        (signature(NOW + 9999), Observation(signature(NOW + 9999), NOW + 50), False),
    ],
)
def test_left_alone_for_ten_seconds(
    now_signature: FileSignature, earlier: Observation | None, expected: bool
) -> None:
    assert is_unchanged_long_enough(now_signature, earlier, NOW, 10) is expected


@given(st.floats(0, 2e9), st.floats(0, 2e9), st.floats(0, 1e6))
def test_a_file_that_is_looked_at_long_enough_is_always_finished(
    touched: float, seen: float, wait: float
) -> None:
    now_signature = signature(touched)
    now = seen + wait + 1
    assert is_unchanged_long_enough(now_signature, Observation(now_signature, seen), now, wait)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (os.O_WRONLY, Writing.YES),
        (os.O_RDWR, Writing.YES),
        (os.O_WRONLY | os.O_APPEND, Writing.YES),
        (os.O_RDONLY, Writing.NO),
    ],
)
def test_the_kernel_knows_who_has_a_file_open(
    tmp_path: Path, flags: int, expected: Writing
) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    descriptor = os.open(path, flags)
    assert is_open_for_writing(path) is expected
    os.close(descriptor)
    assert is_open_for_writing(path) is Writing.NO


def test_a_vanished_file_and_a_link_are_errors(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        is_open_for_writing(tmp_path / "none")
    (tmp_path / "link").symlink_to("/etc/hostname")
    with pytest.raises(OSError):
        is_open_for_writing(tmp_path / "link")


@needs_root
def test_where_leases_are_not_given_it_is_unknown(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.touch()
    with path.open("a"), other_user(tmp_path) as do:
        assert do(lambda: is_open_for_writing(path) is Writing.UNKNOWN)


def test_where_a_refused_lease_means_nothing_it_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.mp4"
    with path.open("w"):
        assert is_open_for_writing(path) is Writing.YES
        here = file_system_of(path.stat().st_dev, Path("/proc/self/mountinfo").read_text())
        monkeypatch.setattr(stability, "_NETWORK_FILE_SYSTEMS", {here})
        assert is_open_for_writing(path) is Writing.UNKNOWN


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
90 22 0:45 / /mnt/nas\\040box rw,relatime shared:9 master:3 - nfs4 nas:/export rw,vers=4.2
91 22 0:46 / /mnt/dvr rw - cifs //dvr/rec rw
92 22 0:47 / /mnt/plain rw - tmpfs tmpfs rw
"""


@pytest.mark.parametrize(
    ("device", "expected"),
    [
        ((254, 0), "ext4"),
        ((0, 45), "nfs4"),
        ((0, 46), "cifs"),
        ((0, 47), "tmpfs"),
        ((0, 4), None),
    ],
)
def test_the_file_system_by_device(device: tuple[int, int], expected: str | None) -> None:
    assert file_system_of(os.makedev(*device), MOUNTS) == expected


def test_the_file_system_here_is_found() -> None:
    mounts = Path("/proc/self/mountinfo").read_text()
    assert file_system_of(Path("/proc").stat().st_dev, mounts) == "proc"
