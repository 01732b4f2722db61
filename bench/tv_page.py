"""The TV page in Chromium: the longest time without a new frame at a switch, black pictures, memory over many switches,
the time to the first picture and to the first clip, and how long it stands still for each fault.

    python bench/tv_page.py [--switches 500] [--memory 5000] [--faults 3]

The memory run shortens clips and fade, so that 5,000 switches take half an hour; it holds the same elements,
Blobs and scenes for each of them.
"""

from __future__ import annotations

import argparse
import itertools
import os
import signal
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measure import machine_line

from tests.support.browser import Browser, start_browser
from tests.support.tv_measure import (
    QUANTITIES,
    WARM_UP,
    fill,
    percentile,
    slope_per_1000,
    watch_memory,
    watch_switches,
)
from tests.support.tv_recovery import Stage, measure_repairs, measure_stills
from tests.support.tv_server import TvServer, serve_tv


def main() -> None:
    """Measure, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--switches", type=int, default=500)
    parser.add_argument("--memory", type=int, default=5000)
    parser.add_argument("--faults", type=int, default=3, help="how often to meet each fault")
    arguments = parser.parse_args()
    # Told to end, it takes its browser with it.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(1))
    print(machine_line("selenium"), f"load {os.getloadavg()[0]:.1f}")
    with serve_tv() as box, tempfile.TemporaryDirectory() as folder:
        _first_pictures(box, Path(folder))
        if arguments.switches:
            _switches(box, Path(folder), arguments.switches)
        if arguments.memory:
            _memory(box, Path(folder), arguments.memory)
        if arguments.faults:
            _faults(box, Path(folder), arguments.faults)
    print(f"load at the end {os.getloadavg()[0]:.1f}")


def _first_pictures(box: TvServer, folder: Path, runs: int = 10) -> None:
    fill(box, folder, 3, (1280, 720))
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
    with start_browser() as browser:
        gaps, seen = watch_switches(browser, box, folder, wanted)
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


def _faults(box: TvServer, folder: Path, runs: int) -> None:
    with start_browser() as browser:
        browser.resize(640, 360)
        stage = Stage(browser, box, folder)
        for title, measure in (
            ("longest time without a new frame, s", measure_stills),
            ("fallback left after the repair, s", measure_repairs),
        ):
            found: dict[str, list[float]] = {}
            for name, seconds in itertools.chain.from_iterable(measure(stage) for _ in range(runs)):
                found.setdefault(name, []).append(seconds)
                print(name, f"{seconds:.2f}", file=sys.stderr, flush=True)
            print(f"| {title} | median of {runs} | worst |")
            for name, times in found.items():
                print(f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} |")


def _memory(box: TvServer, folder: Path, wanted: int) -> None:
    samples = []
    with start_browser() as browser:
        for sample in watch_memory(browser, box, folder, wanted):
            samples.append(sample)
            print(sample, file=sys.stderr, flush=True)
    warm = [sample for sample in samples if sample.switches > min(WARM_UP, wanted // 2)]
    for name, read in QUANTITIES.items():
        values = [(sample.switches, read(sample)) for sample in warm]
        slope = slope_per_1000(values)
        print(f"| {name} | {values[0][1]:.1f} | {values[-1][1]:.1f} | {slope:+.2f} per 1,000 |")


if __name__ == "__main__":
    main()
