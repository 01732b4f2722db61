"""A browser for each module, a box for each test, and clips for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.screen import Screen
from tests.support.browser import Browser, start_browser
from tests.support.tv_clips import COLOURS, make_tv_clip
from tests.support.tv_server import TvServer, serve_tv


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return a good clip of 3 s in each colour."""
    folder = tmp_path_factory.mktemp("clips")
    return {colour: make_tv_clip(folder / f"{colour}.mp4", colour) for colour in COLOURS}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield the module's browser."""
    with start_browser() as started:
        yield started


@pytest.fixture
def screen(browser: Browser) -> Iterator[Screen]:
    """Yield the browser's screen; the page is left afterwards, whatever was done to it."""
    yield Screen(browser)
    browser.slow_network(-1, 0)
    browser.resize(1280, 720)
    browser.open("about:blank")


@pytest.fixture
def box() -> Iterator[TvServer]:
    """Yield a box without anything to show."""
    with serve_tv() as server:
        yield server


@pytest.fixture
def tv(box: TvServer, clips: dict[str, bytes]) -> str:
    """Return the page's address; the box shows red, green and blue."""
    box.items = [box.add_clip(clips[colour], title=colour) for colour in ("red", "green", "blue")]
    return f"{box.url}/tv.html?tv=tv1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for odd clips."""
    return tmp_path
