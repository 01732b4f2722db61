"""The TV page in Chromium: the longest time without a new frame at a switch, black pictures, memory over many switches,
the time to the first picture and to the first clip.

    python bench/tv_page.py [--switches 500] [--memory 5000]

The memory run shortens clips and fade, so that 5,000 switches take half an hour; it holds the same elements,
Blobs and scenes for each of them.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import machine_line

from tests.support.browser import Browser, start_browser
from tests.support.tv_clips import COLOURS, make_tv_clip
from tests.support.tv_measure import (
    RECORDER,
    film,
    percentile,
    read_gaps,
    read_memory,
    slope_per_1000,
)
from tests.support.tv_server import TvServer, serve_tv

WARM_UP = 1000
_SAMPLE_EVERY = 100
_COUNT = "return recorded.switches.length"


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--switches", type=int, default=500)
    parser.add_argument("--memory", type=int, default=5000)
    arguments = parser.parse_args()
    print(machine_line("selenium"), f"load {os.getloadavg()[0]:.1f}")
    with serve_tv() as box, tempfile.TemporaryDirectory() as folder:
        _first_pictures(box, Path(folder))
        if arguments.switches:
            _switches(box, Path(folder), arguments.switches)
        if arguments.memory:
            _memory(box, Path(folder), arguments.memory)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def _fill(box: TvServer, folder: Path, seconds: float, size: tuple[int, int]) -> None:
    box.items = []
    for colour in COLOURS:
        data = make_tv_clip(folder / "clip.mp4", colour, seconds=seconds, size=size)
        box.items.append(box.add_clip(data))


def _first_pictures(box: TvServer, folder: Path, runs: int = 10) -> None:
    _fill(box, folder, 3, (1280, 720))
    with start_browser() as browser:
        first = [_until(browser, f"{box.url}/tv.html", "state.frames") for _ in range(runs)]
        clips = [_until(browser, f"{box.url}/tv.html", "state.shownAt.size") for _ in range(runs)]
        box.freeze()
        page = Path(folder, "tv.html")
        page.write_bytes(box.page())
        dead = [_until(browser, page.as_uri(), "state.frames") for _ in range(runs)]
        box.thaw()
    print("from the beginning of the navigation, s, median and worst of", runs)
    for name, times in (
        ("first picture", first),
        ("first clip", clips),
        ("first picture, no box", dead),
    ):
        print(f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} |")


def _until(browser: Browser, url: str, what: str) -> float:
    """Return when something in the page became true, seconds since the navigation began."""
    browser.open(url)
    script = (
        f"return new Promise(done => {{ const look = setInterval(() => {{ if ({what}) {{"
        " clearInterval(look); done(performance.now()); } }, 5); })"
    )
    return float(browser.evaluate(script)) / 1000


def _switches(box: TvServer, folder: Path, wanted: int) -> None:
    _fill(box, folder, 1.0, (1280, 720))
    with start_browser() as browser:
        browser.before_each_page(f"{{{RECORDER}}}")
        browser.open(f"{box.url}/tv.html")
        with film(browser) as seen:
            _wait_for(browser, wanted)
        gaps = read_gaps(browser)
    print(f"{len(gaps.switches)} switches of 1280x720, 25 frames/s; load {os.getloadavg()[0]:.1f}")
    print("| longest time without a new frame, ms | median | p99 | worst |")
    for name, values in (
        ("at a switch", gaps.switches),
        ("floor: between frames elsewhere", gaps.between),
    ):
        row = " | ".join(f"{percentile(values, part):.0f}" for part in (0.5, 0.99, 1.0))
        print(f"| {name} | {row} |")
    print(
        f"pictures looked at {seen.pictures}, black {seen.black}, darkest mean {seen.darkest:.0f} of 255"
    )


def _memory(box: TvServer, folder: Path, wanted: int) -> None:
    _fill(box, folder, 0.3, (320, 180))
    # Twice as many clips as are held: each is fetched, held and let go of again and again.
    box.items = [
        box.add_clip(box.files[item["media"]].body + b"\0\0\0\x08free" * number)
        for number in range(4)
        for item in box.items
    ]
    box.shorten_fade = True
    samples = []
    with start_browser() as browser:
        browser.before_each_page(f"{{{RECORDER}}}")
        browser.open(f"{box.url}/tv.html")
        for count in range(_SAMPLE_EVERY, wanted + 1, _SAMPLE_EVERY):
            _wait_for(browser, count)
            browser.evaluate("recorded.frames.length = 0")
            memory = read_memory(browser)
            samples.append((_count(browser), memory, _resident_mb(browser)))
            if count % 500 == 0:
                print(samples[-1], flush=True)
    warm = [sample for sample in samples if sample[0] > min(WARM_UP, wanted / 2)]
    for name, values in (
        ("JavaScript heap, MiB", [(count, memory.heap_mb) for count, memory, _ in warm]),
        ("DOM nodes", [(count, float(memory.nodes)) for count, memory, _ in warm]),
        ("event listeners", [(count, float(memory.listeners)) for count, memory, _ in warm]),
        ("resident, whole browser, MiB", [(count, resident) for count, _, resident in warm]),
    ):
        print(
            f"| {name} | {values[0][1]:.1f} | {values[-1][1]:.1f} | {slope_per_1000(values):+.2f} per 1,000 |"
        )


def _count(browser: Browser) -> int:
    return int(browser.evaluate(_COUNT))


def _wait_for(browser: Browser, switches: int) -> None:
    while _count(browser) < switches:
        time.sleep(2)


def _resident_mb(browser: Browser) -> float:
    """Return the memory of all of the browser's processes, shared pages split (PSS), MiB."""
    total = 0
    profile = browser.driver.capabilities["chrome"]["userDataDir"]
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if profile.encode() not in (path / "cmdline").read_bytes() and not _descends(
                path, profile
            ):
                continue
            lines = (path / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total / 1024


def _descends(path: Path, profile: str) -> bool:
    """Say whether an ancestor names the profile: Chromium's helpers do not all of them."""
    number = path.name
    while int(number) > 1:
        number = Path("/proc", number, "stat").read_text().rpartition(")")[2].split()[1]
        if profile.encode() in Path("/proc", number, "cmdline").read_bytes():
            return True
    return False


if __name__ == "__main__":
    main()
