"""Clips whose pixels say which one is on screen and whether it moves."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageDraw

from tests.support.clips import ffmpeg

COLOURS = {
    "red": (205, 45, 45),
    "green": (45, 160, 70),
    "blue": (45, 75, 215),
    "yellow": (215, 190, 45),
    "purple": (175, 55, 190),
    "orange": (225, 125, 35),
}
SIZE = (320, 180)


def make_tv_clip(
    path: Path,
    colour: str,
    *options: str,
    seconds: float = 3.0,
    rate: int = 25,
    size: tuple[int, int] = SIZE,
    noise: int = 8,
) -> bytes:
    """Write a clip of one colour over which a white bar wanders, and return its bytes.

    Args:
        path: where it goes.
        colour: of `COLOURS`.
        options: ffmpeg's for the output, instead of H.264 for every browser.
        noise: in the picture; it makes a file larger, as that of a camera is.
    """
    width, height = size
    rgb = "0x{:02x}{:02x}{:02x}".format(*COLOURS[colour])
    options = options or ("-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-crf", "20")
    ffmpeg(
        "-f", "lavfi", "-i", f"color=c={rgb}:size={width}x{height}:rate={rate}:duration={seconds}",
        "-f", "lavfi", "-i", f"color=c=white:size={width // 16}x{height // 3}:rate={rate}:duration={seconds}",
        "-filter_complex",
        f"[0]noise=c0s={noise}:c0f=t[0n];"
        f"[0n][1]overlay=x='mod(t*{width / 2}+{width / 4},{width})':y={height // 3}:shortest=1,"
        "scale=out_color_matrix=bt709,format=yuv420p",
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
        *options, "-movflags", "+faststart", path,
    )  # fmt: skip
    return path.read_bytes()


def make_picture(colour: str) -> bytes:
    """Return a JPEG of one colour with a mark in it."""
    picture = Image.new("RGB", (640, 360), COLOURS[colour])
    ImageDraw.Draw(picture).ellipse((260, 120, 380, 240), fill="white")
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def name_colour(pixel: tuple[int, ...]) -> str:
    """Return which of `COLOURS` a pixel is, ``dark`` for what the page itself paints, else ``mixed``."""
    if max(pixel) < 75:
        return "dark" if max(pixel) >= 8 else "black"
    name, far = min(
        (
            (name, sum(abs(a - b) for a, b in zip(pixel, rgb, strict=True)))
            for name, rgb in COLOURS.items()
        ),
        key=lambda found: found[1],
    )
    return name if far < 60 else "mixed"
