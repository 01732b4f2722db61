"""Drawing with round strokes, and PNG files: enough for a logo, with the standard library alone.

A shape is a list of strokes; how dark a pixel is follows from its distance to the nearest one, which gives smooth
edges without a font or an imaging library.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Line:
    """A straight stroke from one point to another, in pixels."""

    x0: float
    y0: float
    x1: float
    y1: float

    def distance(self, x: float, y: float) -> float:
        """Return how far a point is from the middle of the stroke, pixels."""
        dx, dy = self.x1 - self.x0, self.y1 - self.y0
        along = ((x - self.x0) * dx + (y - self.y0) * dy) / (dx * dx + dy * dy)
        along = min(1.0, max(0.0, along))
        return math.hypot(x - self.x0 - along * dx, y - self.y0 - along * dy)

    def bounds(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom."""
        xs, ys = (self.x0, self.x1), (self.y0, self.y1)
        return min(xs), min(ys), max(xs), max(ys)


@dataclass(frozen=True)
class Arc:
    """A round stroke about a centre, from one angle to another (degrees, clockwise, 0: to the right)."""

    x: float
    y: float
    radius: float
    start: float = 0.0
    end: float = 360.0

    def distance(self, x: float, y: float) -> float:
        """Return how far a point is from the middle of the stroke, pixels."""
        angle = math.degrees(math.atan2(y - self.y, x - self.x))
        if (angle - self.start) % 360 <= self.end - self.start:
            return abs(math.hypot(x - self.x, y - self.y) - self.radius)
        return min(math.dist((x, y), self._point(degrees)) for degrees in (self.start, self.end))

    def _point(self, degrees: float) -> tuple[float, float]:
        angle = math.radians(degrees)
        return self.x + self.radius * math.cos(angle), self.y + self.radius * math.sin(angle)

    def bounds(self) -> tuple[float, float, float, float]:
        """Return left, top, right and bottom of the whole circle."""
        radius = self.radius
        return self.x - radius, self.y - radius, self.x + radius, self.y + radius


class Picture:
    """Pixels with red, green, blue and opacity."""

    def __init__(self, width: int, height: int) -> None:
        """Make a picture that is fully transparent."""
        self.width, self.height = width, height
        self._pixels = bytearray(4 * width * height)

    def fill_rows(self, colour_of: Callable[[int], Colour]) -> None:
        """Give each row one opaque colour."""
        for y in range(self.height):
            row = bytes((*colour_of(y), 255)) * self.width
            self._pixels[4 * y * self.width : 4 * (y + 1) * self.width] = row

    def fill_disc(self, colour: Colour, opacity_of: Callable[[float], float]) -> None:
        """Fill the picture with a colour whose opacity (0 to 1) follows from the distance to its middle."""
        middle_x, middle_y = (self.width - 1) / 2, (self.height - 1) / 2
        for y in range(self.height):
            for x in range(self.width):
                opacity = opacity_of(math.hypot(x - middle_x, y - middle_y))
                self._blend(x, y, colour, opacity)

    def draw(
        self, strokes: Sequence[Line | Arc], width: float, colour: Colour, opacity: float = 1.0
    ) -> None:
        """Draw strokes of one width; where they cross nothing is drawn twice."""
        half = width / 2
        boxes = [stroke.bounds() for stroke in strokes]
        left = max(0, math.floor(min(box[0] for box in boxes) - half - 1))
        top = max(0, math.floor(min(box[1] for box in boxes) - half - 1))
        right = min(self.width, math.ceil(max(box[2] for box in boxes) + half + 2))
        bottom = min(self.height, math.ceil(max(box[3] for box in boxes) + half + 2))
        for y in range(top, bottom):
            for x in range(left, right):
                distance = min(stroke.distance(x, y) for stroke in strokes)
                self._blend(x, y, colour, opacity * (half + 0.5 - distance))

    def paste(self, other: Picture, left: int, top: int) -> None:
        """Lay another picture, which must fit, over this one."""
        for y in range(other.height):
            for x in range(other.width):
                at = 4 * (y * other.width + x)
                red, green, blue, alpha = other._pixels[at : at + 4]
                if alpha:
                    self._blend(left + x, top + y, (red, green, blue), alpha / 255)

    def _blend(self, x: int, y: int, colour: Colour, opacity: float) -> None:
        if opacity <= 0:
            return
        at = 4 * (y * self.width + x)
        over = min(1.0, opacity)
        under = self._pixels[at + 3] / 255 * (1 - over)
        total = over + under
        for channel in range(3):
            mixed = (colour[channel] * over + self._pixels[at + channel] * under) / total
            self._pixels[at + channel] = round(mixed)
        self._pixels[at + 3] = round(255 * total)

    def to_png(self, *, has_opacity: bool) -> bytes:
        """Return the picture as a PNG file; the same picture gives the same bytes."""
        step = 4 if has_opacity else 3
        rows, before = bytearray(), bytes(step * self.width)
        for y in range(self.height):
            row = self._row(y, step)
            # Filter "up": a row that equals the one above becomes zeros.
            rows += b"\2" + bytes((a - b) & 255 for a, b in zip(row, before, strict=True))
            before = row
        kind = 6 if has_opacity else 2
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, kind, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 9)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)

    def _row(self, y: int, step: int) -> bytes:
        row = self._pixels[4 * y * self.width : 4 * (y + 1) * self.width]
        if step == 4:  # noqa: PLR2004 - bytes of a pixel
            return bytes(row)
        del row[3::4]
        return bytes(row)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
