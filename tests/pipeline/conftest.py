"""A box to run cycles in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox, new_box
from vv_core.paths import Storage


@pytest.fixture
def make_box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeBox:
    """Return a function that makes the box; keywords are settings of the orchestrator.

    Texts come from the rules: the start of the model's process would be most of a cycle's time. A test that is
    about the model says ``VV_SUMMARY_MODEL=""``.
    """
    return lambda **variables: new_box(
        tmp_path, monkeypatch, **{"VV_SUMMARY_MODEL": "none", **variables}
    )


@pytest.fixture
def quick_path(tmp_path: Path) -> Iterator[Path]:
    """Yield a folder in memory where there is one: for tests that end processes, not disks."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory, prefix="vv-") as folder:
        yield Path(folder)


@pytest.fixture
def box(make_box: MakeBox) -> Box:
    """Return a box with the usual settings."""
    return make_box()


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path)
    storage.ensure()
    return storage
