"""Photograph the TV page for docs/images/tv/: what each TV shows, an empty box and one that is away, at both sizes.

python docs/images/make_tv.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.browser import Browser, start_browser  # noqa: E402
from tests.support.clips import ffmpeg  # noqa: E402
from tests.support.tv_server import Answer, TvServer, serve_tv  # noqa: E402
from vv_core.tlog.head_pictures import draw_svg  # noqa: E402

TARGET = Path(__file__).parent / "tv"
SIZES = ((1280, 720), (1920, 1080))
FRAMES, RATE = 36, 12
WIDTH, HEIGHT = 1280, 720
HEAD = b"\n".join(
    (
        b"vv-video-ai/caixa-01",
        b"1284",
        b"u8T0bGbsmQZ1rPLuCtnSd7y9vFzXhEe5uPq0w3RkYcA=",
        b"",
        "— vv-video-ai/caixa-01 5dRcYQ8b0w3Kq1TgVnM2uXhZpJ7sLfEoA6iC9tDyBrWkNvHxUmGzS4PjQeFaO5lI1R8TcYwKdXb".encode(),
    )
)
Colour = tuple[int, int, int]


def main() -> None:
    """Write the pictures."""
    TARGET.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, serve_tv() as box:
        box.files["/log/head.svg"] = Answer(draw_svg(HEAD), "image/svg+xml")
        entrance = draw_clip(Path(folder), (24, 34, 58), (13, 20, 36), (255, 206, 120))
        yard = draw_clip(Path(folder), (146, 178, 200), (96, 118, 98), (235, 240, 240))
        for size in SIZES:
            with start_browser(size) as browser:
                for name, scene in scenes(entrance, yard).items():
                    photograph(browser, box, name, size, scene)


def scenes(entrance: bytes, yard: bytes) -> dict[str, Callable[[TvServer], str]]:
    """Return how the box is for each picture; each returns what the address says besides the TV."""

    def tv1(box: TvServer) -> str:
        text = "Duas pessoas chegam à porta da frente às 02:03 e entram. Ninguém mais passa depois."
        box.items = [box.add_clip(entrance, title="Duas pessoas na entrada", caption=text)]
        return ""

    def tv2(box: TvServer) -> str:
        text = (
            "Duas pessoas passam pela entrada fora do horário. A porta fica aberta por 40 segundos."
        )
        fields = {
            "title": "Movimento fora do horário",
            "caption": text,
            "status": "alerta",
            "camera": "entrada",
        }
        box.items = [box.add_clip(entrance, **fields)]
        return ""

    def tv3(box: TvServer) -> str:
        text = "Two people cross the yard side by side. They stop once at the path."
        fields = {
            "title": "Two people in the yard",
            "caption": text,
            "status": "experimental",
            "camera": "yard",
        }
        box.items = [box.add_clip(yard, **fields, start_local="2026-11-21T15:41:09-03:00")]
        return "&lang=en"

    def empty(box: TvServer) -> str:
        box.items = []
        return ""

    def offline(box: TvServer) -> str:
        tv1(box)
        box.valid_s = 1
        return ""

    return {"tv1": tv1, "tv2": tv2, "tv3": tv3, "empty": empty, "offline": offline}


def photograph(
    browser: Browser,
    box: TvServer,
    name: str,
    size: tuple[int, int],
    scene: Callable[[TvServer], str],
) -> None:
    """Write one picture."""
    box.valid_s = 300
    box.up_again()
    more = scene(box)
    browser.open(f"{box.url}/tv.html?tv={name if name.startswith('tv') else 'tv1'}{more}")
    wanted = "state.current && state.fadeSince === null && state.current.kind"
    kind = "loop" if name == "empty" else "clip"
    browser.wait_for(lambda: browser.evaluate(f"return {wanted}") == kind, 30, name)
    if name == "offline":
        box.down()
        browser.wait_for(
            lambda: browser.evaluate("return !!document.querySelector('#banner.seen')"), 30, name
        )
    time.sleep(1.5)
    browser.wait_for(lambda: browser.evaluate("return state.fadeSince === null"), 10, name)
    shot = browser.screenshot()
    shot.save(TARGET / f"{name}-{size[0]}x{size[1]}.webp", quality=82, method=6)
    browser.open("about:blank")


def draw_clip(folder: Path, sky: Colour, ground: Colour, light: Colour) -> bytes:
    """Return a clip of somebody who walks past a house: no real place, no real person."""
    for number in range(FRAMES):
        draw_frame(number / FRAMES, sky, ground, light).save(folder / f"{number:03}.png")
    target = folder / "scene.mp4"
    ffmpeg(
        "-framerate", str(RATE), "-i", folder / "%03d.png", "-vf", "noise=alls=7:allf=t,format=yuv420p",
        "-c:v", "libx264", "-crf", "24", "-movflags", "+faststart", target,
    )  # fmt: skip
    return target.read_bytes()


def draw_frame(part: float, sky: Colour, ground: Colour, light: Colour) -> Image.Image:
    """Return the scene when somebody has gone so much of the way."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), sky)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 430, WIDTH, HEIGHT), fill=ground)
    wall = mix(sky, ground, 0.5)
    draw.rectangle((180, 120, 760, 452), fill=mix(wall, light, 0.18))
    draw.polygon([(150, 128), (470, 20), (790, 128)], fill=mix(wall, (0, 0, 0), 0.35))
    draw.rectangle((420, 250, 520, 452), fill=mix(wall, (0, 0, 0), 0.45))
    for left in (230, 610):
        draw.rectangle((left, 210, left + 100, 300), fill=light)
        draw.line((left + 50, 210, left + 50, 300), fill=wall, width=6)
    draw.polygon(
        [(380, 460), (560, 460), (700, HEIGHT), (240, HEIGHT)], fill=mix(ground, light, 0.16)
    )
    draw.line((840, 390, WIDTH, 360), fill=mix(wall, (0, 0, 0), 0.3), width=10)
    for post in range(860, WIDTH, 60):
        draw.line((post, 365, post, 470), fill=mix(wall, (0, 0, 0), 0.3), width=10)
    for lag, tall in ((0.0, 150), (0.09, 132)):
        draw_person(draw, 1040 - (part - lag) * 420, 560, tall, mix(ground, (0, 0, 0), 0.55))
    return picture.filter(ImageFilter.GaussianBlur(1.6))


def draw_person(
    draw: ImageDraw.ImageDraw, x: float, foot: float, tall: float, colour: Colour
) -> None:
    """Draw somebody from afar."""
    head, half = tall * 0.13, tall * 0.16
    top = foot - tall
    draw.ellipse((x - head, top, x + head, top + 2 * head), fill=colour)
    draw.rounded_rectangle((x - half, top + 2 * head, x + half, foot - tall * 0.4), 12, fill=colour)
    draw.rectangle((x - half * 0.8, foot - tall * 0.45, x - half * 0.1, foot), fill=colour)
    draw.rectangle((x + half * 0.1, foot - tall * 0.45, x + half * 0.8, foot), fill=colour)


def mix(one: Colour, other: Colour, part: float) -> Colour:
    """Return the colour between two."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


if __name__ == "__main__":
    main()
