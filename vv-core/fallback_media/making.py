"""Makes ``loop_silencioso.mp4`` and ``placeholder.png``: drawn here, encoded by ffmpeg."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

from vv_core.atomic import atomic_path, write_bytes_atomic
from vv_core.errors import UnavailableError, from_oserror
from vv_core.fallback_media import artwork
from vv_core.process import run_child

LOOP_NAME = "loop_silencioso.mp4"
PLACEHOLDER_NAME = "placeholder.png"
LOOP_SECONDS = 10
FRAMES_PER_SECOND = 25
_TIMEOUT_S = 600.0
_QUALITY = ["-profile:v", "main", "-level", "3.1", "-preset", "slow", "-crf", "31", "-g", "250"]
_QUALITY += ["-x264-params", "aq-mode=3:aq-strength=1.3:deblock=2,2"]
_SCALED = (1, 2)
"""Layers that are drawn smaller than they are shown."""


def make_placeholder(path: Path) -> None:
    """Draw the still picture.

    Raises:
        VvError: it cannot be written.
    """
    try:
        write_bytes_atomic(path, artwork.draw_placeholder().to_png(has_opacity=False))
    except OSError as exc:
        raise from_oserror(exc, "write the placeholder", path) from exc


def make_loop(path: Path) -> None:
    """Draw the loop's layers and have ffmpeg move and encode them.

    H.264 Main, 4:2:0, moov first: what every browser plays. No sound at all: a silent track would end some
    milliseconds after the pictures, which is a hiccup at each turn, and would need a viewer's click to start.

    Raises:
        UnavailableError: ffmpeg is missing or fails.
        VvError: it cannot be written.
    """
    try:
        with tempfile.TemporaryDirectory() as folder, atomic_path(path) as temporary:
            encode_layers(
                _write_layers(Path(folder)),
                temporary,
                rate=FRAMES_PER_SECOND,
                movement=_movement(),
                quality=_QUALITY,
            )
    except OSError as exc:
        raise from_oserror(exc, "make the loop", path) from exc


def _write_layers(folder: Path) -> list[Path]:
    pictures = {
        "ground.png": artwork.draw_background(),
        "glow1.png": artwork.draw_glow(is_second=False),
        "glow2.png": artwork.draw_glow(is_second=True),
        "mark.png": artwork.draw_mark(),
        "name.png": artwork.draw_name(),
        "dot.png": artwork.draw_dot(),
    }
    for name, picture in pictures.items():
        (folder / name).write_bytes(picture.to_png(has_opacity=name != "ground.png"))
    return [folder / name for name in pictures]


def encode_layers(
    layers: list[Path], target: Path, *, rate: int, movement: str, quality: list[str]
) -> None:
    """Have ffmpeg put layers over each other, `LOOP_SECONDS` long, and encode them for every browser.

    Args:
        layers: still pictures, the lowest first.
        target: where the MP4 goes.
        rate: frames a second.
        movement: ffmpeg's filter from the layers to ``[out]``.
        quality: x264's own options.

    Raises:
        UnavailableError: ffmpeg is missing or fails.
    """
    if shutil.which("ffmpeg") is None:
        raise UnavailableError("there is no ffmpeg", advice="Install it: apt-get install ffmpeg")
    argv = ["ffmpeg", "-nostdin", "-loglevel", "error", "-y"]
    for layer in layers:
        argv += ["-loop", "1", "-framerate", str(rate), "-i", str(layer)]
    argv += ["-filter_complex", movement, "-map", "[out]", "-an"]
    argv += ["-frames:v", str(LOOP_SECONDS * rate)]
    argv += ["-c:v", "libx264", *quality, "-pix_fmt", "yuv420p", "-threads", "2"]
    argv += ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]
    argv += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"]
    argv += ["-movflags", "+faststart", str(target)]
    result = run_child(argv, timeout_s=_TIMEOUT_S)
    if result.exit_code != 0:
        raise UnavailableError(
            f"ffmpeg could not make the loop: {' '.join(result.stderr_tail)}",
            advice="Look at its message; an ffmpeg with libx264 is needed (Debian's has it).",
        )


def _movement() -> str:
    """Return the ffmpeg filter; everything comes back to where it was after `LOOP_SECONDS`."""
    turn = f"2*PI*t/{LOOP_SECONDS}"
    half = artwork.GLOW_SIZE // 2
    dot = math.floor(artwork.DOT_SIZE / 2)
    places = (
        (f"W*0.34-{half}+80*cos({turn})", f"H*0.62-{half}+50*sin({turn})"),
        (f"W*0.66-{half}+80*cos({turn}+PI*0.7)", f"H*0.36-{half}-50*sin({turn}+PI*0.7)"),
        (f"{artwork.MARK_LEFT}", f"{artwork.MARK_TOP}"),
        ("(W-w)/2", f"{artwork.NAME_TOP}"),
        (
            f"round({artwork.RING_X}-{dot}+{artwork.RING_RADIUS}*cos({turn}-PI/2))",
            f"round({artwork.RING_Y}-{dot}+{artwork.RING_RADIUS}*sin({turn}-PI/2))",
        ),
    )
    size = artwork.GLOW_SIZE
    parts = [f"[{number}:v]scale={size}:{size}:flags=bicubic[s{number}]" for number in _SCALED]
    below = "0:v"
    for number, (x, y) in enumerate(places, 1):
        above = f"s{number}" if number in _SCALED else f"{number}:v"
        parts.append(f"[{below}][{above}]overlay=x='{x}':y='{y}':format=gbrp[l{number}]")
        below = f"l{number}"
    parts.append(f"[{below}]scale=out_color_matrix=bt709:out_range=tv,format=yuv420p[out]")
    return ";".join(parts)
