"""Take docs/images/tv/mirror-*.webp: the mirror in Chromium, live and lost.

python docs/images/make_mirror.py
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

from tests.support.browser import Browser, start_browser  # noqa: E402
from tests.tv_mirror_ui.running import running_mirror  # noqa: E402

SIZES = ((1920, 1080), (1280, 720))
QUALITY = 80
SCENES = {
    "Portaria": "testsrc2=size=1280x720:rate=10",
    "Pátio": "mandelbrot=size=1280x720:rate=10:start_scale=0.6",
    "Doca": "gradients=size=1280x720:rate=10:c0=0x24506b:c1=0xb8863b:x0=0:y0=0:x1=1280:y1=720",
    "Corredor": "smptehdbars=size=1280x720:rate=10",
}


def main() -> None:
    """Write the pictures."""
    target = HERE / "tv"
    target.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as raw_folder, start_browser() as browser:
        folder = Path(raw_folder)
        cameras = [
            {"name": f"cam{number}", "title": title, "url": f"file://{_make_clip(folder, source)}"}
            for number, (title, source) in enumerate(SCENES.items(), 1)
        ]
        cameras.append({"name": "gone", "title": "Fundos", "url": "rtsp://127.0.0.1:9/cam"})
        with running_mirror(folder, cameras) as mirror:
            for size in SIZES:
                name = f"{size[0]}x{size[1]}.webp"
                browser.resize(*size)
                browser.open(f"{mirror.url}?camera=cam1,cam2,cam3,cam4")
                _wait(browser, "document.querySelectorAll('.tile.live').length === 4")
                _take(browser, target / f"mirror-{name}")
                browser.open(f"{mirror.url}?camera=gone")
                _wait(browser, "document.body.innerText.includes('a câmera não responde')")
                _take(browser, target / f"mirror-lost-{name}")


def _make_clip(folder: Path, source: str) -> Path:
    path = folder / f"{source.partition('=')[0]}.mp4"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        "-t",
        "10",
        "-preset",
        "veryfast",
    ]
    subprocess.run([*command, "-pix_fmt", "yuv420p", str(path)], check=True, timeout=300)
    return path


def _wait(browser: Browser, expression: str) -> None:
    browser.wait_for(lambda: browser.evaluate(f"return {expression}"), 90, expression)


def _take(browser: Browser, path: Path) -> None:
    browser.screenshot().save(path, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
