"""Small real videos, good and bad, made with ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path

SIZE = "320x240"
X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
"""Options of ffmpeg for what plays everywhere."""
_TIMEOUT_S = 120


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg; a failure raises with its message."""
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    result = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        stdin=subprocess.DEVNULL,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{command}: {result.stderr}")


def make_clip(
    path: Path, *options: str, size: str = SIZE, seconds: float = 2, rate: int = 10
) -> Path:
    """Write a test picture that moves; options are ffmpeg's for the output."""
    source = f"testsrc2=size={size}:rate={rate}:duration={seconds}"
    ffmpeg("-f", "lavfi", "-i", source, *(options or X264), path)
    return path


def make_without_moov(path: Path, good: Path) -> Path:
    """Write an MP4 whose recorder never closed it: everything before the index."""
    data = good.read_bytes()
    path.write_bytes(data[: data.index(b"moov") - 4])
    return path


def make_audio_only(path: Path) -> Path:
    """Write an MP4 with a tone and no pictures."""
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=1", "-c:a", "aac", path)
    return path


def make_without_frames(path: Path, good: Path) -> Path:
    """Write an MP4 with a video track that holds nothing."""
    ffmpeg("-i", good, "-c", "copy", "-frames:v", "0", path)
    return path


def make_variable_rate(path: Path) -> Path:
    """Write a clip whose pictures come at 10 and at 2 a second."""
    ffmpeg(
        "-f",
        "lavfi",
        "-i",
        f"testsrc2=size={SIZE}:rate=10:duration=4",
        "-vf",
        "select='lt(t,2)+not(mod(n,5))'",
        "-fps_mode",
        "vfr",
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        path,
    )
    return path
