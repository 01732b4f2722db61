"""The mark of the product, as layers of a picture of 1280 x 720."""

from __future__ import annotations

import math
from collections.abc import Callable

from vv_core.fallback_media.strokes import Arc, Colour, Line, Picture

WIDTH, HEIGHT = 1280, 720
MARK_SIZE = 400
RING_RADIUS = 168
GLOW_SIZE = 720
GLOW_SCALE = 3
"""Glows are drawn so many times smaller than they are shown: nothing in them is sharp."""
DOT_SIZE = 33
MARK_LEFT, MARK_TOP = (WIDTH - MARK_SIZE) // 2, 128
NAME_TOP = MARK_TOP + MARK_SIZE + 16
RING_X, RING_Y = WIDTH / 2, MARK_TOP + MARK_SIZE / 2

_TOP: Colour = (13, 21, 38)
_BOTTOM: Colour = (9, 40, 52)
_WHITE: Colour = (236, 243, 246)
_TEAL: Colour = (56, 196, 182)
_BLUE: Colour = (74, 118, 214)
_GREY: Colour = (150, 172, 184)


def draw_background() -> Picture:
    """Return the ground: dark blue that turns to teal towards the bottom."""
    picture = Picture(WIDTH, HEIGHT)

    def colour_of(y: int) -> Colour:
        part = y / (HEIGHT - 1)
        red, green, blue = (round(a + (b - a) * part) for a, b in zip(_TOP, _BOTTOM, strict=True))
        return red, green, blue

    picture.fill_rows(colour_of)
    return picture


def draw_mark() -> Picture:
    """Return ring and letters."""
    picture = Picture(MARK_SIZE, MARK_SIZE)
    middle = MARK_SIZE / 2
    picture.draw([Arc(middle, middle, RING_RADIUS)], 3, _GREY, 0.45)
    left, right = _letter_v(middle - 42), _letter_v(middle + 42)
    picture.draw(right, 17, _TEAL)
    picture.draw(left, 17, _WHITE)
    return picture


def _letter_v(x: float) -> list[Line | Arc]:
    top, bottom, half = MARK_SIZE / 2 - 58, MARK_SIZE / 2 + 62, 50
    return [Line(x - half, top, x, bottom), Line(x, bottom, x + half, top)]


def draw_name() -> Picture:
    """Return the name below the ring: V V  V I D E O, in thin capitals."""
    height, gap = 30.0, 27.0
    letters: list[Line | Arc] = []
    x = 4.0
    for letter in "VV VIDEO":
        strokes, width = _LETTERS[letter](x, 4.0, height)
        letters += strokes
        x += width + gap
    picture = Picture(math.ceil(x - gap + 4), math.ceil(height + 9))
    picture.draw(letters, 3.6, _GREY)
    return picture


_Letter = tuple[list[Line | Arc], float]


def _v(x: float, y: float, h: float) -> _Letter:
    half = 0.42 * h
    return [Line(x, y, x + half, y + h), Line(x + half, y + h, x + 2 * half, y)], 2 * half


def _i(x: float, y: float, h: float) -> _Letter:
    return [Line(x, y, x, y + h)], 0.0


def _d(x: float, y: float, h: float) -> _Letter:
    r, stem = h / 2, 0.28 * h
    sides = [Line(x, y, x, y + h), Line(x, y, x + stem, y), Line(x, y + h, x + stem, y + h)]
    return [*sides, Arc(x + stem, y + r, r, -90, 90)], stem + r


def _e(x: float, y: float, h: float) -> _Letter:
    w = 0.62 * h
    bars = [
        Line(x, y + part * h, x + reach * w, y + part * h)
        for part, reach in ((0.0, 1.0), (0.5, 0.88), (1.0, 1.0))
    ]
    return [Line(x, y, x, y + h), *bars], w


def _o(x: float, y: float, h: float) -> _Letter:
    return [Arc(x + h / 2, y + h / 2, h / 2)], h


def _space(_x: float, _y: float, h: float) -> _Letter:
    return [], 0.25 * h


_LETTERS: dict[str, Callable[[float, float, float], _Letter]] = {
    "V": _v,
    "I": _i,
    "D": _d,
    "E": _e,
    "O": _o,
    " ": _space,
}


def draw_glow(*, is_second: bool) -> Picture:
    """Return one of the two soft lights that wander over the ground."""
    size = GLOW_SIZE // GLOW_SCALE
    picture, radius = Picture(size, size), size / 2

    def opacity_of(distance: float) -> float:
        part = max(0.0, 1 - distance / radius)
        return 0.34 * part * part * (3 - 2 * part)

    picture.fill_disc(_BLUE if is_second else _TEAL, opacity_of)
    return picture


def draw_dot() -> Picture:
    """Return the dot that runs around the ring."""
    picture = Picture(DOT_SIZE, DOT_SIZE)

    def opacity_of(distance: float) -> float:
        return max(min(1.0, 6.5 - distance), 0.35 * max(0.0, 1 - distance / (DOT_SIZE / 2)))

    picture.fill_disc(_WHITE, opacity_of)
    return picture


def draw_placeholder() -> Picture:
    """Return the still picture: ground, mark and name."""
    picture, name = draw_background(), draw_name()
    picture.paste(draw_mark(), MARK_LEFT, MARK_TOP)
    picture.paste(name, (WIDTH - name.width) // 2, NAME_TOP)
    return picture
