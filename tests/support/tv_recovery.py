"""How long a screen stands still when something fails, and how long it stays with the fallback when that is mended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.browser import Browser
from tests.support.tv_clips import make_tv_clip
from tests.support.tv_faults import ANSWERS, NOT_OF_BROWSERS, SPOILT, spoil
from tests.support.tv_measure import RECORDER, longest_still_s, wait_for_switches
from tests.support.tv_server import Fault, TvServer
from tests.support.waiting import wait_for

_ROUNDS = 2
_BROKEN_S = 8.0
_GONE_S = 15.0


@dataclass
class Stage:
    """A box with two good clips of 3 s, and a browser that shows them.

    Attributes:
        clips: by colour.
    """

    browser: Browser
    box: TvServer
    folder: Path
    clips: dict[str, bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.clips = {colour: self.make(colour) for colour in ("red", "green", "purple")}
        self.browser.before_each_page(f"{{{RECORDER}}}")

    def make(self, colour: str, *options: str, seconds: float = 3.0, noise: int = 8) -> bytes:
        """Return a clip of 640x360."""
        path = self.folder / "clip.mp4"
        return make_tv_clip(path, colour, *options, seconds=seconds, size=(640, 360), noise=noise)

    def show(self, *bad: bytes) -> None:
        """Put bad clips between two good ones, and let all else be well."""
        box = self.box
        box.up_again()
        box.thaw()
        box.faults.clear()
        data = (self.clips["red"], *bad, self.clips["green"])
        box.items = [box.add_clip(each) for each in data]

    def open(self) -> None:
        """Open the page."""
        self.browser.open(f"{self.box.url}/tv.html")

    def play(self) -> None:
        """Open the page and wait until all clips should have come, twice."""
        self.open()
        wait_for_switches(self.browser, 1 + 2 * _ROUNDS)

    def seconds_to_clip(self, since: float) -> float:
        """Return when a clip is on screen, seconds after a moment of the monotonic clock.

        Raises:
            AssertionError: it did not come.
        """
        look = "return Boolean(state.current && state.current.kind === 'clip')"
        wait_for(lambda: self.browser.evaluate(look), "a clip")
        return time.monotonic() - since


def measure_stills(stage: Stage) -> Iterator[tuple[str, float]]:
    """Yield each fault, and the longest time without a new frame while the screen meets it, seconds."""
    for name, prepare in _clip_faults(stage).items():
        prepare()
        stage.play()
        yield name, longest_still_s(stage.browser)
    for name, strike in _box_faults(stage).items():
        stage.show()
        stage.play()
        strike()
        time.sleep(_GONE_S)
        yield name, longest_still_s(stage.browser)
    stage.show()


def _clip_faults(stage: Stage) -> dict[str, Callable[[], None]]:
    def answer(fault: Fault) -> Callable[[], None]:
        def prepare() -> None:
            stage.show(stage.clips["purple"])
            stage.box.faults[stage.box.items[1]["media"]] = fault

        return prepare

    def file(data: bytes) -> Callable[[], None]:
        return lambda: stage.show(data)

    def stream() -> None:
        # Larger than what is held, and than what a browser fetches ahead.
        large = stage.make("purple", seconds=12, noise=25)
        stage.show(large)
        item = stage.box.items[1]
        item["bytes"] = 10**10
        stage.box.faults[item["media"]] = Fault(hangs_after=len(large) // 4)

    faults = {f"answer: {name}": answer(fault) for name, fault in ANSWERS.items()}
    faults |= {
        f"decoding: {kind} after a third": file(spoil(stage.clips["purple"], kind))
        for kind in SPOILT
    }
    faults |= {
        f"codec: {codec}": file(stage.make("purple", "-c:v", codec, "-q:v", "5"))
        for codec in NOT_OF_BROWSERS
    }
    return {"none": stage.show, **faults, "stream that stops": stream}


def _box_faults(stage: Stage) -> dict[str, Callable[[], None]]:
    def half_written() -> None:
        stage.box.items = []
        stage.box.faults["/playlists/"] = Fault(body=b'{"schema": "vv.playlist/2", "items": [{')

    def removed() -> None:
        stage.box.items = [stage.box.add_clip(stage.clips["purple"])]

    return {
        "box down": stage.box.down,
        "box frozen": stage.box.freeze,
        "playlist half-written": half_written,
        "item removed": removed,
    }


def measure_repairs(stage: Stage) -> Iterator[tuple[str, float]]:
    """Yield each way to have nothing but the fallback, and the seconds from its end to a clip on screen."""
    for name, (spoil_box, mend) in _repairs(stage).items():
        stage.show()
        spoil_box()
        time.sleep(_BROKEN_S)
        assert not stage.browser.evaluate("return state.shownAt.size"), name
        since = time.monotonic()
        mend()
        yield name, stage.seconds_to_clip(since)


def _repairs(stage: Stage) -> dict[str, tuple[Callable[[], None], Callable[[], None]]]:
    box = stage.box

    def fault(path: str, what: Fault) -> Callable[[], None]:
        def strike() -> None:
            box.faults[path] = what
            stage.open()

        return strike

    def down() -> None:
        box.faults["/playlists/"] = Fault(delay_s=1)
        stage.open()
        box.down()
        box.faults.clear()

    def empty() -> None:
        box.items = []
        stage.open()

    clips = {f"clips: {name}": fault("/media/", ANSWERS[name]) for name in ("404", "noise")}
    hung = {"answers that never end": fault("/playlists/", Fault(hangs_after=0))}
    return {
        "box down": (down, box.up),
        **{name: (strike, box.faults.clear) for name, strike in (hung | clips).items()},
        "empty playlist": (empty, stage.show),
    }
