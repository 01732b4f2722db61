"""Playlists that are wrong, or never the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.browser.screen import (
    Screen,
    check_alive,
    seen_colours,
)
from tests.support.browser import requires_browser
from tests.support.tv_clips import make_tv_clip
from tests.support.tv_server import Fault, TvServer

pytestmark = [pytest.mark.browser, requires_browser]

BAD = {
    "half-written": b'{"schema": "vv.playlist/2", "items": [{"logline_id": "a", "med',
    "nothing": b"",
    "null": b"null",
    "a word": b'"items"',
    "no items": b'{"schema": "vv.playlist/2"}',
    "items that are none": b'{"items": [1, null, "x", {}, {"verified": true}]}',
    "not text": b"\xff\xfe\x00",
}


def test_empty_shows_the_loop_and_comes_back(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.watch(4)
    assert set(seen_colours(looks)) == {"dark"}
    check_alive(looks)
    assert "Nada de novo" in screen.browser.evaluate(
        "return document.getElementById('line').textContent"
    )
    box.items = [box.add_clip(clips["red"])]
    looks = screen.wait_for("red")
    box.items = []
    looks += screen.wait_for("dark")
    check_alive(looks + screen.watch(2))


def test_bad_playlists_change_nothing(screen: Screen, box: TvServer, tv: str) -> None:
    screen.browser.open(tv)
    looks = screen.wait_for("green")
    box.items = []  # else the tag would say that nothing has changed
    for name, body in BAD.items():
        box.faults["/playlists/"] = Fault(body=body)
        asked = box.asked["/playlists/tv1"]
        screen.browser.evaluate("net.pollAt = 0")  # asked every 5 s otherwise
        screen.browser.wait_for(lambda old=asked: box.asked["/playlists/tv1"] > old, name)
        looks += screen.watch(1.0)
    looks += screen.watch(2)
    assert {"red", "green", "blue"} >= set(seen_colours(looks)[1:])
    check_alive(looks)


def test_five_thousand_items(screen: Screen, box: TvServer, folder: Path) -> None:
    # Long enough that none is over before a busy machine has looked.
    some = [
        box.add_clip(make_tv_clip(folder / "clip.mp4", colour, seconds=8))
        for colour in ("red", "green", "blue")
    ]
    box.items = [{**some[n % 3], "logline_id": f"id-{n}"} for n in range(5000)]
    assert len(json.dumps(box.items)) > 2_000_000
    looks = screen.watch_undisturbed(
        f"{box.url}/tv.html",
        lambda: screen.wait_for_clip() + screen.watch_round(("red", "green", "blue"), 8),
    )
    assert [colour for colour in seen_colours(looks) if colour != "dark"][:3] == [
        "red",
        "green",
        "blue",
    ]
    check_alive(looks)


def test_changing_all_the_time(screen: Screen, box: TvServer, clips: dict[str, bytes]) -> None:
    """Each answer is another list: items come, go and change places under the one that is on screen."""
    items = {colour: box.add_clip(clips[colour]) for colour in ("red", "green", "blue", "yellow")}
    orders: list[tuple[str, ...]] = [
        ("red", "green", "blue"),
        ("blue", "red"),
        ("green", "yellow", "blue"),
        ("yellow",),
        ("red", "yellow", "green", "blue"),
    ]

    def turn(number: int) -> list[dict[str, Any]]:
        return [items[colour] for colour in orders[number % len(orders)]]

    box.items = turn(0)
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip()
    # Asked every 5 s; here the page is made to ask every second.
    screen.browser.evaluate("setInterval(() => { net.pollAt = 0; }, 250)")
    for number in range(1, 15):
        box.items = turn(number)
        looks += screen.watch(1.0)
    check_alive(looks)
    assert len(set(seen_colours(looks)) - {"dark"}) >= 3


def test_removed_while_it_is_shown(
    screen: Screen, box: TvServer, tv: str, clips: dict[str, bytes]
) -> None:
    screen.browser.open(tv)
    looks = screen.wait_for("red")
    box.items = [box.add_clip(clips["yellow"])]
    looks += screen.wait_for("yellow")
    after = screen.watch(5)
    check_alive(looks + after)
    assert set(seen_colours(after)) == {"yellow"}
