"""Make the clip of ``make simulate``: a camera looking over photographs of people.

The photographs come with the installed package ``ultralytics`` (``assets/bus.jpg``, ``zidane.jpg``); only its files are
read, the package itself is not imported. Nothing of them is kept in this repository.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from vv_core.atomic import atomic_path
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ConfigError, ExitCode, from_oserror

PROG = "demo_clip"
WIDTH, HEIGHT, FPS = 1280, 720, 15
SECONDS_EMPTY, SECONDS_A_PHOTOGRAPH = 2, 9
ZOOM = 1.12
"""How much more of the photograph there is than the camera sees: room to pan."""

Picture = npt.NDArray[np.uint8]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Make a short clip with people in it, from installed photographs.")
    parser.add_argument("output", type=Path, help="the .mp4 to write")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    photographs = [_load(path) for path in find_photographs()]
    try:
        write_clip(arguments.output, photographs)
    except OSError as exc:
        raise from_oserror(exc, "write the demo clip", arguments.output) from exc
    return ExitCode.OK


def find_photographs() -> list[Path]:
    """Return the photographs that the installed package ``ultralytics`` ships.

    Raises:
        ConfigError: it is not installed, or no longer ships them.
    """
    spec = importlib.util.find_spec("ultralytics")
    folders = list(spec.submodule_search_locations or []) if spec else []
    paths = [
        Path(folder) / "assets" / name for folder in folders for name in ("bus.jpg", "zidane.jpg")
    ]
    if not paths or not all(path.is_file() for path in paths):
        raise ConfigError(
            "the photographs for the demo clip are not installed",
            advice="Run bootstrap.py again, or use a clip of your own: make simulate VIDEO=path.",
        )
    return paths


def _load(path: Path) -> Picture:
    picture = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f"{path.name} cannot be decoded", advice="Run bootstrap.py again.")
    return np.asarray(picture, np.uint8)


def write_clip(path: Path, photographs: Sequence[Picture]) -> None:
    """Write the clip: an empty wall, then a slow pan over each photograph.

    Args:
        path: the .mp4 to write, atomically.
        photographs: BGR, uint8, of any size.

    Raises:
        OSError: from the file system.
    """
    with atomic_path(path) as temporary, av.open(str(temporary), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast", "g": str(FPS * 2)}
        for number, picture in enumerate(_frames(photographs)):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frames(photographs: Sequence[Picture]) -> Iterator[Picture]:
    wall: Picture = np.full((HEIGHT, WIDTH, 3), 96, np.uint8)
    for _ in range(SECONDS_EMPTY * FPS):
        yield wall
    for photograph in photographs:
        scene = _fit(photograph)
        room_x, room_y = scene.shape[1] - WIDTH, scene.shape[0] - HEIGHT
        count = SECONDS_A_PHOTOGRAPH * FPS
        for number in range(count):
            left, top = (room * number // count for room in (room_x, room_y))
            yield np.ascontiguousarray(scene[top : top + HEIGHT, left : left + WIDTH])


def _fit(photograph: Picture) -> Picture:
    """Return the whole photograph on a canvas a little larger than the frame, its sides filled in."""
    height, width = round(HEIGHT * ZOOM), round(WIDTH * ZOOM)
    scale = min(height / photograph.shape[0], width / photograph.shape[1])
    inner = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    canvas: Picture = np.full((height, width, 3), 96, np.uint8)
    top, left = (height - inner.shape[0]) // 2, (width - inner.shape[1]) // 2
    canvas[top : top + inner.shape[0], left : left + inner.shape[1]] = inner
    return canvas


if __name__ == "__main__":
    sys.exit(main())
