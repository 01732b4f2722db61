"""A log to write to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tlog_writing.logs import LogBox


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    """Return a box with keys and no log yet."""
    return LogBox(tmp_path)


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder in memory where there is one: for tests that end processes, not disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="vv-") as folder:
        yield Path(folder)
