"""Clips that are not what they should be: the screen goes on with the others, by itself."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest

from tests.browser.screen import (
    MOVING_AGAIN_S,
    Screen,
    check_alive,
    seen_colours,
)
from tests.support.browser import requires_browser
from tests.support.tv_clips import make_tv_clip
from tests.support.tv_faults import ANSWERS, NOT_OF_BROWSERS, SPOILT, spoil
from tests.support.tv_server import Fault, TvServer

pytestmark = [pytest.mark.browser, requires_browser]


def test_bad_answers_between_good_ones(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    box.items = [box.add_clip(clips["red"])]
    bad = {}
    for name, fault in ANSWERS.items():
        # The same pictures under another name each: bytes after the last box of an MP4 do not matter.
        item = box.add_clip(clips["purple"] + b"\0\0\0\x08free" * (len(bad) + 1))
        box.faults[item["media"]] = fault
        bad[name] = item["media"]
        box.items.append(item)
    box.items.append(box.add_clip(clips["green"]))
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip() + screen.wait_for("green")
    before, begun = box.asked.copy(), time.monotonic()
    looks += screen.watch(10)
    screen.browser.wait_for(lambda: all(box.asked[path] for path in bad.values()), "each is tried")
    asked = {name: box.asked[path] - before[path] for name, path in bad.items()}
    # Each is remembered: it waits 5 s the first time, and twice as long each time.
    most = 1 + math.log2((time.monotonic() - begun) / 5 + 1)
    assert max(asked.values()) <= most, asked
    assert set(seen_colours(looks)) - {"dark"} == {"red", "green"}
    check_alive(looks)


@pytest.mark.parametrize("name", ["404", "noise"])
def test_all_bad_then_repaired(
    screen: Screen, box: TvServer, clips: dict[str, bytes], name: str
) -> None:
    box.items = [box.add_clip(clips[colour]) for colour in ("red", "green")]
    box.faults["/media/"] = ANSWERS[name]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.watch(MOVING_AGAIN_S + 1)
    assert set(seen_colours(looks)) == {"dark"}
    check_alive(looks)  # the loop moves
    del box.faults["/media/"]
    screen.wait_for_clip()


def test_decoding_fails_in_the_middle(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    spoilt = [box.add_clip(spoil(clips["purple"], kind)) for kind in SPOILT]
    good = [box.add_clip(clips[colour]) for colour in ("red", "green", "blue")]
    box.items = [item for pair in zip(good, spoilt, strict=True) for item in pair]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip() + screen.watch_round(("red", "green", "blue"), 16)
    check_alive(looks)
    assert seen_colours(looks).count("purple") <= 3  # each at most once: it is remembered


def test_codecs_that_no_browser_has(
    screen: Screen, box: TvServer, clips: dict[str, bytes], folder: Path
) -> None:
    strange = [
        make_tv_clip(folder / f"{codec}.mp4", "purple", "-c:v", codec, "-q:v", "5")
        for codec in NOT_OF_BROWSERS
    ]
    box.items = [box.add_clip(each) for each in (clips["red"], *strange, clips["green"])]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip() + screen.watch_round(("red", "green"), 7)
    assert set(seen_colours(looks)) - {"dark"} == {"red", "green"}
    check_alive(looks)


def test_one_frame_and_very_short_clips(screen: Screen, box: TvServer, folder: Path) -> None:
    short = make_tv_clip(folder / "short.mp4", "orange", seconds=0.4)
    single = make_tv_clip(folder / "single.mp4", "purple", seconds=0.04)
    box.items = [box.add_clip(short), box.add_clip(single)]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip() + screen.watch_round(("orange", "purple"), 5)
    check_alive(looks)


def test_stream_that_stops_is_left(
    screen: Screen, box: TvServer, clips: dict[str, bytes], folder: Path
) -> None:
    # Large enough that a browser does not fetch all of it ahead.
    large = make_tv_clip(folder / "large.mp4", "purple", seconds=12, size=(640, 360), noise=25)
    assert len(large) > 4_000_000
    item = {**box.add_clip(large), "bytes": 10**10}
    box.faults[item["media"]] = Fault(hangs_after=len(large) // 4)
    box.items = [box.add_clip(clips["red"]), item, box.add_clip(clips["green"])]
    screen.browser.open(f"{box.url}/tv.html")
    check_alive(screen.wait_for_clip() + screen.watch_round(("red", "green"), 12))


# As on a device that is busy for a while: no frame comes, and the clip is none the worse for it.
STALL = """const scene = state.current;
    if (!scene || scene.kind !== 'clip' || scene.remainingMs < 1500) return '';
    scene.slot.video.playbackRate = 0;
    return scene.file"""
NO_BACKOFF = "state.bad.forEach(bad => { bad.until = 0; })"


def stall(screen: Screen) -> str:
    """Have a clip stall while it is shown; return its address."""
    stalled = str(screen.browser.wait_for(lambda: screen.browser.evaluate(STALL), "a clip"))
    is_bad = "return state.bad.has(arguments[0])"
    screen.browser.wait_for(lambda: screen.browser.evaluate(is_bad, stalled), "it is told")
    return stalled


def test_what_stalled_while_the_box_is_away_comes_again(
    screen: Screen, box: TvServer, tv: str
) -> None:
    screen.browser.open(tv)
    screen.wait_for("blue")  # by then all three are here
    stalled = stall(screen)
    box.down()
    screen.browser.wait_for(
        lambda: not screen.browser.evaluate("return isReached()"), "the box is missed"
    )
    screen.browser.evaluate(NO_BACKOFF)
    check_alive(screen.watch_round(("red", "blue", "green")))
    # It plays: nothing is held against it any more.
    screen.browser.wait_for(
        lambda: (
            not screen.browser.evaluate(
                "const url = arguments[0]; return state.bad.has(url) || state.held.get(url).suspect",
                stalled,
            )
        ),
        "it is good again",
    )


def test_what_stalled_is_fetched_anew_and_not_shown_when_the_box_no_longer_gives_it(
    screen: Screen, box: TvServer, tv: str
) -> None:
    screen.browser.open(tv)
    screen.wait_for("blue")
    stalled = stall(screen)
    asked = box.asked[stalled]
    box.faults[stalled] = ANSWERS["404"]
    screen.browser.evaluate(NO_BACKOFF)
    screen.browser.wait_for(lambda: box.asked[stalled] > asked, "a question")
    screen.browser.evaluate(NO_BACKOFF)
    box.down()
    (gone,) = {item["title"] for item in box.items if item["media"] == stalled}
    looks = screen.watch_round({"red", "green", "blue"} - {gone}, 10)
    check_alive(looks)
    # What is on screen just now may be its last picture.
    assert gone not in seen_colours(looks)[1:]
