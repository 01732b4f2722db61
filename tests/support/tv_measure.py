"""What switches of a TV page cost: times of presented frames, black pictures, memory; read from outside of the page."""

from __future__ import annotations

import base64
import io
import itertools
import json
import math
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websocket
from PIL import Image, ImageStat

from tests.support.browser import Browser
from tests.support.camera import connect
from tests.support.tv_clips import COLOURS, make_tv_clip
from tests.support.tv_server import TvServer

_TIMEOUT_S = 10
_DARKEST = 12.0
_SAMPLE_EVERY = 100
_NO_SWITCH_S = 60.0
_LOOK_S = 2.0
WARM_UP = 1000
AROUND_MS = 700.0
"""A switch is what happens so long before and after it."""

# The page's own callbacks are wrapped: what they are told is written down before they run.
RECORDER = """
    window.recorded = {frames: [], switches: []};
    const ask = HTMLVideoElement.prototype.requestVideoFrameCallback;
    HTMLVideoElement.prototype.requestVideoFrameCallback = function (then) {
        return ask.call(this, (now, told) => {
            if (this.parentElement.matches('.on, .under')) recorded.frames.push(performance.now());
            then(now, told);
        });
    };
    addEventListener('DOMContentLoaded', () => {
        const before = new Map();
        new MutationObserver(changes => {
            for (const {target} of changes) {
                const on = target.classList.contains('on');
                if (on && !before.get(target)) recorded.switches.push(performance.now());
                before.set(target, on);
            }
        }).observe(document.body, {subtree: true, attributes: true, attributeFilter: ['class']});
    });
"""


@dataclass(frozen=True)
class Gaps:
    """Longest times without a new frame, milliseconds.

    Attributes:
        switches: of each switch, sorted.
        between: frames that follow each other away from any switch, sorted: what the machine does by itself.
    """

    switches: list[float]
    between: list[float]


def read_gaps(browser: Browser) -> Gaps:
    """Return the gaps since the page was opened."""
    told: dict[str, list[float]] = browser.evaluate("return recorded")
    frames, switches = told["frames"], told["switches"][1:]
    pairs = list(itertools.pairwise(frames))
    near: dict[int, float] = dict.fromkeys(range(len(switches)), 0.0)
    between, position = [], 0
    for before, after in pairs:
        while position < len(switches) and switches[position] + AROUND_MS < before:
            position += 1
        touched = [
            number
            for number in range(position, min(position + 8, len(switches)))
            if before < switches[number] + AROUND_MS and after > switches[number] - AROUND_MS
        ]
        for number in touched:
            near[number] = max(near[number], after - before)
        if not touched:
            between.append(after - before)
    return Gaps(sorted(near.values()), sorted(between))


def longest_still_s(browser: Browser) -> float:
    """Return the longest time without a new frame since the first one of the page, seconds."""
    frames: list[float] = browser.evaluate("return [...recorded.frames, performance.now()]")
    return max(after - before for before, after in itertools.pairwise(frames)) / 1000


def percentile(ordered: Sequence[float], part: float) -> float:
    """Return a percentile of sorted numbers (nearest rank); not a number where there are none."""
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else math.nan


@dataclass(frozen=True)
class Memory:
    """What a page holds after its garbage was collected.

    Attributes:
        switches: that it has made.
        heap_mb: JavaScript's, MiB.
        nodes: of the DOM.
        listeners: for events.
        resident_mb: of all of the browser's processes, shared pages split between them (PSS), MiB.
    """

    switches: int
    heap_mb: float
    nodes: float
    listeners: float
    resident_mb: float


QUANTITIES: dict[str, Callable[[Memory], float]] = {
    "JavaScript heap, MiB": lambda memory: memory.heap_mb,
    "DOM nodes": lambda memory: memory.nodes,
    "event listeners": lambda memory: memory.listeners,
    "resident, whole browser, MiB": lambda memory: memory.resident_mb,
}


def fill(box: TvServer, folder: Path, seconds: float, size: tuple[int, int]) -> None:
    """Let a box show a clip in each colour."""
    box.items = []
    for colour in COLOURS:
        data = make_tv_clip(folder / "clip.mp4", colour, seconds=seconds, size=size)
        box.items.append(box.add_clip(data))


def watch_switches(browser: Browser, box: TvServer, folder: Path, wanted: int) -> tuple[Gaps, Film]:
    """Watch so many switches between clips of 2.5 s in 1280x720, on a screen of a quarter of that.

    Shorter ones would have no frames that are away from any switch. A TV puts pictures together with its graphics
    chip; here the processor does, and would be what is measured.
    """
    browser.resize(640, 360)
    fill(box, folder, 2.5, (1280, 720))
    browser.before_each_page(f"{{{RECORDER}}}")
    browser.open(f"{box.url}/tv.html")
    with film(browser) as seen:
        wait_for_switches(browser, wanted)
    return read_gaps(browser), seen


def watch_memory(browser: Browser, box: TvServer, folder: Path, wanted: int) -> Iterator[Memory]:
    """Yield what the page holds after each hundred of so many switches, with short clips and fades."""
    fill(box, folder, 0.3, (320, 180))
    # More than twice as many clips as are held: each is fetched, held and let go of again and again.
    box.items = [
        box.add_clip(box.files[item["media"]].body + b"\0\0\0\x08free" * number)
        for number in range(4)
        for item in box.items
    ]
    box.shorten_fade = True
    browser.before_each_page(f"{{{RECORDER}}}")
    browser.open(f"{box.url}/tv.html")
    for count in range(_SAMPLE_EVERY, wanted + 1, _SAMPLE_EVERY):
        wait_for_switches(browser, count)
        browser.evaluate("recorded.frames.length = 0")  # the recorder's own must not be measured
        yield read_memory(browser)


def wait_for_switches(browser: Browser, wanted: int) -> None:
    """Return when the page has made so many switches.

    Raises:
        AssertionError: for a minute there was none.
    """
    made, since = -1, time.monotonic()
    while made < wanted:
        now = count_switches(browser)
        if now > made:
            made, since = now, time.monotonic()
        assert time.monotonic() - since < _NO_SWITCH_S, f"only {made} of {wanted}"
        time.sleep(_LOOK_S)


def count_switches(browser: Browser) -> int:
    """Return how many switches the page has made."""
    return int(browser.evaluate("return recorded.switches.length"))


def read_memory(browser: Browser) -> Memory:
    """Return what the page holds."""
    browser.cdp("HeapProfiler.collectGarbage")
    browser.cdp("Performance.enable")
    told = {
        each["name"]: each["value"] for each in browser.cdp("Performance.getMetrics")["metrics"]
    }
    heap, nodes, listeners = (
        told[name] for name in ("JSHeapUsedSize", "Nodes", "JSEventListeners")
    )
    return Memory(
        count_switches(browser),
        heap / 1048576,
        nodes,
        listeners,
        browser.resident_bytes() / 1048576,
    )


def slope_per_1000(samples: Sequence[tuple[float, float]]) -> float:
    """Return by how much the second numbers grow while the first grow by 1,000 (least squares)."""
    line = statistics.linear_regression([x for x, _ in samples], [y for _, y in samples])
    return line.slope * 1000


class Film:
    """Every picture that the browser composes, looked at for black ones.

    Attributes:
        pictures: how many were seen.
        black: how many of them were black.
    """

    def __init__(self) -> None:
        self.pictures = 0
        self.black = 0
        self.darkest = 255.0

    def take(self, data: str) -> None:
        """Look at one picture, JPEG in base64."""
        picture = Image.open(io.BytesIO(base64.b64decode(data))).convert("L")
        width, height = picture.size
        level = ImageStat.Stat(picture.crop((0, 0, width, height * 6 // 10))).mean[0]
        self.pictures += 1
        self.black += level < _DARKEST
        self.darkest = min(self.darkest, level)


@contextmanager
def film(browser: Browser) -> Iterator[Film]:
    """Yield what is seen of the page's pictures meanwhile (DevTools' screencast, small)."""
    address = browser.devtools
    link = connect(address, browser.driver.current_window_handle, _TIMEOUT_S)
    seen, stop, numbers = Film(), threading.Event(), itertools.count(1)

    def send(method: str, **parameters: Any) -> None:
        link.send(json.dumps({"id": next(numbers), "method": method, "params": parameters}))

    def receive() -> None:
        while not stop.is_set():
            try:
                told = json.loads(link.recv())
                is_picture = told.get("method") == "Page.screencastFrame"
                if is_picture:
                    send("Page.screencastFrameAck", sessionId=told["params"]["sessionId"])
            except websocket.WebSocketTimeoutException:
                continue
            except (websocket.WebSocketException, OSError, ValueError):
                return
            if is_picture:
                seen.take(told["params"]["data"])

    send("Page.startScreencast", format="jpeg", quality=50, maxWidth=160, maxHeight=90)
    thread = threading.Thread(target=receive)
    thread.start()
    try:
        yield seen
    finally:
        send("Page.stopScreencast")
        stop.set()
        link.shutdown()
        thread.join(timeout=_TIMEOUT_S)
