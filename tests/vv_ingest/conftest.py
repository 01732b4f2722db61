"""Videos of many kinds, made once, and an empty box."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.vv_ingest.boxes import ClipBox
from tests.vv_ingest.videos import VIDEOS

GetVideo = Callable[[str], Path]


@pytest.fixture(scope="session")
def video_of(tmp_path_factory: pytest.TempPathFactory) -> GetVideo:
    """Return a function that returns the video of a name in `VIDEOS`, made when it is first asked for."""

    @cache
    def get(name: str) -> Path:
        return VIDEOS[name].make(tmp_path_factory.mktemp("videos"))

    return get


@pytest.fixture
def box(tmp_path: Path) -> ClipBox:
    return ClipBox(tmp_path / "box").prepare()
