"""The loop that lies within the TV page itself: small enough for a ``data:`` URI, so that it needs no server."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.errors import InputDataError, from_oserror
from vv_core.fallback_media import artwork
from vv_core.fallback_media.making import LOOP_SECONDS, encode_layers

FRAMES_PER_SECOND = 12
"""83 ms a frame: slower would be seen as standing still by who looks for a new frame every 100 ms."""
WIDTH, HEIGHT = 640, 360
MAX_BYTES = 10_000
_QUALITY = ["-profile:v", "baseline", "-preset", "veryslow", "-crf", "34", "-g", "999"]
_PLACE = re.compile(rb"data:video/mp4;base64,[A-Za-z0-9+/=]*")


def put_into_page(page: Path) -> int:
    """Make the small loop and put it where the page holds its ``data:video/mp4`` URI.

    Returns:
        The bytes of the loop, before base64.

    Raises:
        InputDataError: the page has not exactly one such place, or the loop comes out too large.
        UnavailableError: ffmpeg is missing or fails.
        VvError: the page cannot be read or written.
    """
    try:
        text = page.read_bytes()
        if len(_PLACE.findall(text)) != 1:
            raise InputDataError(
                f"{page.name} has no single place for the loop",
                advice="It must hold data:video/mp4;base64, exactly once.",
            )
        loop = make_small_loop()
        write_bytes_atomic(
            page, _PLACE.sub(b"data:video/mp4;base64," + base64.b64encode(loop), text)
        )
    except OSError as exc:
        raise from_oserror(exc, "put the loop into the page", page) from exc
    return len(loop)


def make_small_loop() -> bytes:
    """Return an MP4 of the still picture with its dot running around the ring.

    Raises:
        InputDataError: it is larger than `MAX_BYTES`.
        UnavailableError: ffmpeg is missing or fails.
        OSError: there is no room for it.
    """
    with tempfile.TemporaryDirectory() as folder:
        ground, dot, made = (Path(folder, name) for name in ("ground.png", "dot.png", "loop.mp4"))
        ground.write_bytes(artwork.draw_placeholder().to_png(has_opacity=False))
        dot.write_bytes(artwork.draw_dot().to_png(has_opacity=True))
        encode_layers(
            [ground, dot], made, rate=FRAMES_PER_SECOND, movement=_movement(), quality=_QUALITY
        )
        loop = made.read_bytes()
    if len(loop) > MAX_BYTES:
        raise InputDataError(
            f"the small loop has {len(loop)} bytes, more than {MAX_BYTES}",
            advice="Try another build of ffmpeg.",
        )
    return loop


def _movement() -> str:
    turn, dot = f"2*PI*t/{LOOP_SECONDS}-PI/2", artwork.DOT_SIZE // 2
    x = f"round({artwork.RING_X}-{dot}+{artwork.RING_RADIUS}*cos({turn}))"
    y = f"round({artwork.RING_Y}-{dot}+{artwork.RING_RADIUS}*sin({turn}))"
    return (
        f"[0:v][1:v]overlay=x='{x}':y='{y}':format=gbrp,"
        f"scale={WIDTH}:{HEIGHT}:flags=area:out_color_matrix=bt709:out_range=tv,format=yuv420p[out]"
    )
