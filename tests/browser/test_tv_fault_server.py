"""A box that is away, silent, slow or new: the screen goes on, and comes back by itself."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.browser.screen import (
    Screen,
    check_alive,
    seen_colours,
)
from tests.support.browser import requires_browser
from tests.support.tv_server import PAGE, Fault, TvServer

pytestmark = [pytest.mark.browser, requires_browser]


def banner(screen: Screen) -> str:
    """Return the words of the banner, "" when there is none."""
    return str(
        screen.browser.evaluate(
            "return (document.querySelector('#banner.seen') || {}).textContent || ''"
        )
    )


def test_dead_at_start(screen: Screen, folder: Path) -> None:
    kept = folder / "tv.html"
    kept.write_bytes(PAGE.read_bytes())
    screen.browser.open(kept.as_uri())
    frames = "return state.frames"
    screen.browser.wait_for(lambda: screen.browser.evaluate(frames) > 0, "a frame")
    looks = screen.watch(4)
    assert set(seen_colours(looks)) == {"dark"}
    check_alive(looks)


def test_dies_after_the_page_was_sent_then_comes_back(
    screen: Screen, box: TvServer, tv: str
) -> None:
    box.faults["/playlists/"] = Fault(delay_s=1)
    screen.browser.open(tv)
    box.down()
    looks = screen.watch(4)
    assert set(seen_colours(looks)) == {"dark"}
    check_alive(looks)
    box.faults.clear()
    box.up()
    check_alive(screen.wait_for_clip())


def test_goes_on_with_what_it_holds_while_the_box_is_down(
    screen: Screen, box: TvServer, tv: str
) -> None:
    box.valid_s, box.playlist_age = 9, "0"
    screen.browser.open(tv)
    screen.wait_for("blue")  # by then all three are here
    assert banner(screen) == ""
    box.down()
    looks = screen.watch_round(("red", "green", "blue"), 13)
    assert set(seen_colours(looks)) == {"red", "green", "blue"}
    check_alive(looks)
    assert re.search(r"Sem contato com a central há [1-9]\d* min", banner(screen))
    asked = box.asked["/playlists/tv1"]
    box.up()
    screen.browser.wait_for(lambda: box.asked["/playlists/tv1"] > asked, "a question")
    screen.browser.wait_for(lambda: banner(screen) == "", "no banner")


def test_frozen_with_connections_open(
    screen: Screen, box: TvServer, tv: str, clips: dict[str, bytes]
) -> None:
    screen.browser.open(tv)
    screen.wait_for("green")
    box.freeze()
    check_alive(screen.watch_round(("red", "green"), 11))
    box.items = [box.add_clip(clips["orange"])]
    box.thaw()
    check_alive(screen.wait_for("orange"))


def test_frozen_from_the_first_question_on(screen: Screen, box: TvServer, tv: str) -> None:
    box.faults["/playlists/"] = box.faults["/fallback/"] = Fault(hangs_after=0)
    screen.browser.open(tv)
    looks = screen.watch(5)
    assert set(seen_colours(looks)) == {"dark"}
    check_alive(looks)
    box.faults.clear()  # what hangs goes on hanging: the page has to leave it
    screen.wait_for_clip()


def test_three_restarts(screen: Screen, box: TvServer, tv: str) -> None:
    screen.browser.open(tv)
    looks = screen.wait_for_clip()
    for _ in range(3):
        box.down()
        looks += screen.watch(1.5)
        box.up()
        looks += screen.watch(2.5)
    check_alive(looks)
    assert "dark" not in seen_colours(looks)[1:]  # after the start


def test_slow_and_far(screen: Screen, tv: str) -> None:
    screen.browser.slow_network(50_000, 5_000)
    screen.browser.open(tv)
    looks = screen.wait_for_clip()
    assert "black" not in seen_colours(looks)
    check_alive(looks + screen.watch(3))


def test_new_page_comes_between_two_clips(screen: Screen, box: TvServer, tv: str) -> None:
    screen.browser.open(tv)
    screen.wait_for_clip()
    box.faults["/healthz"] = Fault(status=503)
    old = box.page_version
    box.page_extra = b"<!-- newer -->"
    new = box.page_version
    asked = box.asked["/healthz"]
    screen.browser.wait_for(lambda: box.asked["/healthz"] > asked, "a look at the box's health")
    assert screen.browser.evaluate("return PAGE_VERSION") == old  # not before the box is well
    box.faults.clear()
    looks = [screen.look()]
    while screen.browser.evaluate("return typeof PAGE_VERSION === 'string' && PAGE_VERSION") != new:
        looks.append(screen.look())
        assert looks[-1].at - looks[0].at < 90
    looks += screen.wait_for_clip()
    check_alive(looks)


def test_no_new_page_while_the_box_is_down(screen: Screen, box: TvServer, tv: str) -> None:
    screen.browser.open(tv)
    screen.wait_for("blue")
    box.faults["/healthz"] = Fault(hangs_after=0)
    box.page_extra = b"<!-- newer -->"
    screen.browser.wait_for(lambda: box.asked["/healthz"], "a look at the box's health")
    box.down()
    looks = screen.watch_round(("red", "green", "blue"), 6)
    check_alive(looks)
    assert set(seen_colours(looks)) == {"red", "green", "blue"}


def test_no_such_tv(screen: Screen, box: TvServer) -> None:
    box.faults["/playlists/"] = Fault(status=404, body=b'{"detail": "no such TV"}')
    screen.browser.open(f"{box.url}/tv.html?tv=tv9")
    words = "return document.getElementById('line').textContent"
    screen.browser.wait_for(lambda: screen.browser.evaluate(words).endswith("tv9"), "its name")
    check_alive(screen.watch(2))
