"""What a browser really shows of the mirror: pixels of its canvases."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from tests.support.browser import Browser

LARGE = Path(__file__).resolve().parents[2] / "fallback" / "placeholder.png"
"""A machine under load is slow; bench/mirror.py measures how soon it really is."""
_SAME = 10.0


def canvas(browser: Browser, number: int = 0) -> Image.Image | None:
    """Return what is on one canvas; None: nothing was drawn yet."""
    data = browser.evaluate(
        "const found = document.querySelectorAll('canvas')[arguments[0]];"
        "return found ? found.toDataURL('image/png') : null;",
        number,
    )
    if not data:
        return None
    return Image.open(io.BytesIO(base64.b64decode(data.partition(",")[2]))).convert("RGB")


def shows_placeholder(browser: Browser, number: int = 0) -> bool:
    """Tell whether a canvas shows the placeholder, large or small."""
    picture = canvas(browser, number)
    if picture is None:
        return False
    expected = Image.open(LARGE).convert("RGB").resize(picture.size)
    return max(ImageStat.Stat(ImageChops.difference(picture, expected)).mean) < _SAME


def colour(browser: Browser, number: int = 0) -> tuple[int, ...]:
    """Return the colour in the middle of a canvas; black where there is nothing."""
    picture = canvas(browser, number)
    if picture is None:
        return (0, 0, 0)
    found = picture.getpixel((picture.width // 2, picture.height // 2))
    assert isinstance(found, tuple)
    return found


def wait_for_movement(browser: Browser, number: int = 0) -> None:
    """Wait until a canvas shows pictures that change."""
    seen: set[tuple[int, ...]] = set()

    def moves() -> bool:
        if shows_placeholder(browser, number):
            seen.clear()
        else:
            seen.add(colour(browser, number))
        return len(seen) >= 3

    browser.wait_for(moves, f"moving pictures on canvas {number}")


def wait_for_loss(browser: Browser, number: int = 0) -> None:
    """Wait until a canvas shows the placeholder, and its tile says so."""
    browser.wait_for(lambda: shows_placeholder(browser, number), "placeholder")


def text(browser: Browser) -> str:
    """Return the words on screen."""
    return str(browser.evaluate("return document.body.innerText"))
