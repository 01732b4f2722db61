"""JPEGs for the tests of the mirror."""

from __future__ import annotations

import io
from functools import cache

from PIL import Image

GREEN = (20, 180, 60)


@cache
def make_jpeg(
    width: int = 320, height: int = 180, colour: tuple[int, int, int] = GREEN, quality: int = 85
) -> bytes:
    """Return a picture of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def read_size(jpeg: bytes) -> tuple[int, int]:
    """Decode a JPEG wholly and return its width and height."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        picture.load()
        return picture.size


def read_colour(jpeg: bytes, place: tuple[int, int] = (5, 5)) -> tuple[int, ...]:
    """Return the colour of one pixel."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        found = picture.convert("RGB").getpixel(place)
    assert isinstance(found, tuple)
    return found
