"""The mirror: 50 viewers and what they cost, how old pictures are on screen, how soon loss and return are seen.

    python bench/mirror.py [viewers] [latency] [faults]

Viewers: 1280x720 at 5 pictures a second, beside the usual MJPEG forwarder with a thread for each viewer. Latency: an
RTSP camera writes the time into its pictures; Chromium reads it from the canvas. Faults: cameras, readers and the hub
fail and come back; what Chromium draws when is noted.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from measure import machine_line  # noqa: E402

from tests.support.browser import Browser, start_browser  # noqa: E402
from tests.tv_mirror_ui.mjpeg_camera import mjpeg_camera  # noqa: E402
from tests.tv_mirror_ui.rtsp import RtspCamera, start_camera  # noqa: E402
from tests.tv_mirror_ui.running import Running, running_mirror  # noqa: E402

VIEWERS, FPS, SECONDS = 50, 5, 20
SAMPLES, ROUNDS = 300, 3
_TICKS = os.sysconf("SC_CLK_TCK")
_HOOK = """
window.drawn = {live: 0, lost: 0, back: 0, ages: []};
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (picture, ...rest) {
  draw.call(this, picture, ...rest);
  if (!(picture instanceof ImageBitmap)) { drawn.lost = Date.now(); return; }
  if (drawn.lost >= drawn.live) { drawn.back = Date.now(); }
  drawn.live = Date.now();
  if (picture.width !== 1280 || !location.search.includes('stamp')) { return; }
  const row = this.getImageData(0, 20, 1280, 1).data;
  let stamp = 0;
  for (let bit = 0; bit < 32; bit += 1) { stamp = stamp * 2 + (row[(bit * 40 + 20) * 4] > 127 ? 1 : 0); }
  drawn.ages.push((Date.now() % 4294967296) - stamp);
};
"""


def main() -> None:
    """Print the tables."""
    wanted = sys.argv[1:] or ["viewers", "latency", "faults"]
    print(machine_line("av", "uvicorn", "starlette"), f"load {os.getloadavg()[0]:.1f}", end="\n\n")
    for name in wanted:
        {"viewers": _viewers, "latency": _latency, "faults": _faults}[name]()
        print(f"\nload {os.getloadavg()[0]:.1f}\n")


def _viewers() -> None:
    print(
        "| 50 viewers, 5 pictures/s | CPU of a core | readers | pictures a viewer a second | MiB |"
    )
    print("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
        size = _make_pictures(Path(folder))
        with _child("mirror_camera.py", str(FPS), folder) as (port, _):
            url = f"http://127.0.0.1:{port}/"
            home = Path(folder)
            mirrors, peers = [], []
            for _ in range(ROUNDS):
                with running_mirror(home, [{"name": "cam", "url": url}]) as mirror:
                    mirrors.append(_watch(mirror.port, "/stream/cam", mirror.pid, mirror))
                with _child("mirror_peer.py", str(port)) as (peer_port, pid):
                    peers.append(_watch(peer_port, "/", pid, None))
    for name, rows in (("a thread for each viewer", peers), ("vv-tv-mirror", mirrors)):
        cpu, reader, rate, memory = (
            statistics.median(column) for column in zip(*rows, strict=True)
        )
        print(f"| {name} | {cpu:.1%} | {reader:.1%} | {rate:.2f} | {memory:.0f} |")
    ratio = statistics.median(row[0] for row in mirrors) / statistics.median(
        row[0] for row in peers
    )
    print(f"\npictures of {size // 1000} kB on average; ratio of CPU {ratio:.2f}")


def _make_pictures(folder: Path) -> int:
    """Make noisy pictures as cameras do, and return their size on average."""
    source = "testsrc2=size=1280x720:rate=5:duration=5,noise=alls=12:allf=t"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-q:v", "7"]
    subprocess.run([*command, str(folder / "%03d.jpg")], check=True, timeout=120)
    sizes = [path.stat().st_size for path in folder.glob("*.jpg")]
    return sum(sizes) // len(sizes)


@contextmanager
def _child(program: str, *arguments: str) -> Iterator[tuple[int, int]]:
    """Yield port and number of a program that prints its port first."""
    command = [sys.executable, str(ROOT / "bench" / program), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            yield int(child.stdout.readline()), child.pid
        finally:
            child.kill()


def _watch(port: int, path: str, pid: int, mirror: Running | None) -> tuple[float, ...]:
    """Return processor time of the hub and of its readers, pictures a second of a viewer, MiB."""
    watch = [str(ROOT / "bench" / "mirror_viewers.py"), str(port), path, str(VIEWERS)]
    with subprocess.Popen(
        [sys.executable, *watch, str(SECONDS)], stdout=subprocess.PIPE, text=True
    ) as viewers:
        assert viewers.stdout is not None
        viewers.stdout.readline()
        readers = mirror.readers() if mirror else []
        memory = sum(map(_peak_mb, [pid, *readers]))
        before, began = (_cpu_s(pid), sum(map(_cpu_s, readers))), time.monotonic()
        pictures = int(viewers.communicate(timeout=SECONDS + 60)[0].split()[0])
        wall = time.monotonic() - began
        cpu = (_cpu_s(pid) - before[0]) / wall
        reader = (sum(map(_cpu_s, readers)) - before[1]) / wall
    return cpu, reader, pictures / VIEWERS / SECONDS, memory


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _peak_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _latency() -> None:
    print("| camera (RTSP, H.264, 1280x720, 10/s) to canvas | p50 ms | p95 ms | most ms |")
    print("|---|---|---|---|")
    with (
        start_camera() as camera,
        tempfile.TemporaryDirectory() as folder,
        running_mirror(Path(folder), [{"name": "cam", "url": camera.url}]) as mirror,
        start_browser() as browser,
    ):
        browser.before_each_page(_HOOK)
        browser.open(f"{mirror.url}?camera=cam&stamp=1")
        _row("Chromium alone", _ages(browser))
        watch = [str(ROOT / "bench" / "mirror_viewers.py"), str(mirror.port), "/stream/cam"]
        with subprocess.Popen([sys.executable, *watch, str(VIEWERS), "600"]) as viewers:
            time.sleep(3)
            _row(f"beside {VIEWERS} other viewers", _ages(browser))
            viewers.kill()


def _ages(browser: Browser) -> list[float]:
    browser.evaluate("drawn.ages = []")
    look = "return drawn.ages.length >= arguments[0] ? drawn.ages : null"
    ages: list[float] = browser.wait_for(lambda: browser.evaluate(look, SAMPLES), "pictures")
    return ages


def _row(name: str, ages: list[float]) -> None:
    cuts = statistics.quantiles(ages, n=100)
    print(f"| {name} | {cuts[49]:.0f} | {cuts[94]:.0f} | {max(ages):.0f} |", flush=True)


def _faults() -> None:
    print("| what fails | loss shown after s | picture back after s |\n|---|---|---|")
    with (
        mjpeg_camera() as camera,
        start_camera() as rtsp,
        tempfile.TemporaryDirectory() as folder,
        start_browser() as browser,
    ):
        cameras: list[dict[str, object]] = [
            {"name": "http", "url": camera.url},
            {"name": "rtsp", "url": rtsp.url},
        ]
        browser.before_each_page(_HOOK)
        with running_mirror(Path(folder), cameras) as mirror:
            told = camera.behaviour
            faults = {
                "HTTP camera off": ("http", camera.switch_off, camera.switch_on),
                "HTTP camera silent": (
                    "http",
                    lambda: setattr(told, "is_stalled", True),
                    lambda: setattr(told, "is_stalled", False),
                ),
                "RTSP camera killed": ("rtsp", rtsp.kill, rtsp.start),
                "RTSP camera hangs": ("rtsp", *_freezer(rtsp)),
                "hub killed": ("http", mirror.kill, mirror.start),
            }
            for name, (shown, break_it, repair) in faults.items():
                rounds = [
                    _fault(browser, f"{mirror.url}?camera={shown}", break_it, repair)
                    for _ in range(ROUNDS)
                ]
                losses, returns = zip(*rounds, strict=True)
                print(f"| {name} | {_list(losses)} | {_list(returns)} |", flush=True)


def _freezer(camera: RtspCamera) -> tuple[object, object]:
    return lambda: camera.freeze(frozen=True), lambda: camera.freeze(frozen=False)


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


def _fault(browser: Browser, url: str, break_it: object, repair: object) -> tuple[float, float]:
    """Break something, repair it, and return after how long the page showed either."""
    assert callable(break_it)
    assert callable(repair)
    browser.open(url)
    _wait(browser, "drawn.live > drawn.lost && drawn.live > Date.now() - 500")
    # As it mostly is: it has been well for a while.
    time.sleep(4)
    broken = time.time()
    break_it()
    lost_s = _wait(browser, "drawn.lost > drawn.live && drawn.lost / 1000") - broken
    time.sleep(8)
    repair()
    repaired = time.time()
    back_s = _wait(browser, "drawn.live > drawn.lost && drawn.back / 1000") - repaired
    return lost_s, back_s


def _wait(browser: Browser, expression: str) -> float:
    found = browser.wait_for(lambda: browser.evaluate(f"return {expression}"), expression)
    return float(found)


if __name__ == "__main__":
    main()
