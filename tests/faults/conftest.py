"""The boxes and clips of tests/containers, and small file systems to fill."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.containers.conftest import images, live
from tests.support.clips import make_clip

__all__ = ["images", "live"]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return four clips of a second each, no two alike."""
    folder = tmp_path_factory.mktemp("clips")
    return [
        make_clip(folder / f"20261121-02030{number}.mp4", seconds=1, rate=5 + number)
        for number in range(4)
    ]


MountSmall = Callable[[Path], None]


@pytest.fixture
def mount_small() -> Iterator[MountSmall]:
    """Return a function that mounts a small file system, open to all, on an empty folder."""
    mounted: list[Path] = []

    def do(folder: Path) -> None:
        owner = folder.stat()
        options = f"size=256k,nr_inodes=200,mode=755,uid={owner.st_uid},gid={owner.st_gid}"
        argv = ["mount", "-t", "tmpfs", "-o", options, "vv-test", str(folder)]
        result = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
        if result.returncode:
            pytest.skip(f"mounting is not permitted: {result.stderr.strip()}")
        mounted.append(folder)

    yield do
    for folder in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], timeout=30, check=True)
