"""Ways in which a clip of a TV can be wrong."""

from __future__ import annotations

import random

from tests.support.tv_server import Fault

ANSWERS = {
    "404": Fault(status=404, body=b"{}"),
    "server error": Fault(status=500, body=b"{}"),
    "truncated": Fault(cut=8192),
    "zero bytes": Fault(body=b""),
    "wrong type": Fault(body=b"<html>log in first</html>", content_type="text/html"),
    "a page that says it is a clip": Fault(body=b"<html>log in first</html>" * 50),
    "noise": Fault(body=random.Random(1).randbytes(60_000)),
    "hangs in the middle": Fault(hangs_after=8192),
}
"""Answers to the question for a clip."""
SPOILT = ("cut file", "noise", "zeros")
"""How a file goes wrong in its middle (`spoil`)."""
NOT_OF_BROWSERS = ("mpeg4", "mjpeg")
"""Codecs, as ffmpeg names them."""


def spoil(data: bytes, kind: str) -> bytes:
    """Return a clip that goes wrong in its middle, in one of the ways of `SPOILT`."""
    begin = data.index(b"mdat") + 4
    middle = begin + (len(data) - begin) // 3
    if kind == "cut file":
        return data[:middle]
    noise = random.Random(2).randbytes(len(data) - middle)
    return data[:middle] + (noise if kind == "noise" else b"\0" * len(noise))
