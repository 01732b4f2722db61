"""Devices that are odd: one decoder, no clock, no room, a tab that sleeps, a browser that refuses to play."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.screen import MOVING_AGAIN_S, Screen, check_alive, seen_colours
from tests.support.browser import STRICT_AUTOPLAY, Browser, requires_browser, start_browser
from tests.support.tv_server import TvServer

pytestmark = [pytest.mark.browser, requires_browser]

# What Samsung's and LG's browsers do (shaka-player, issue 2331): one element has the decoder until its source goes.
ONE_DECODER = """
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
        const other = [...document.querySelectorAll('video')].find(v => v !== this && v.hasAttribute('src') && v.has);
        if (other) return new Promise(() => {});
        this.has = true;
        return play.call(this);
    };
    const remove = Element.prototype.removeAttribute;
    Element.prototype.removeAttribute = function (name) {
        if (name === 'src') this.has = false;
        return remove.call(this, name);
    };
"""
YEAR_1970 = """
    const Real = Date;
    window.Date = class extends Real {
        constructor(...told) { if (told.length) super(...told); else super(12345); }
        static now() { return 12345; }
    };
"""
NO_ROOM = """
    const full = () => { throw new DOMException('full', 'QuotaExceededError'); };
    Storage.prototype.setItem = full;
    Object.defineProperty(window, 'indexedDB', {get: full});
    Blob.prototype.arrayBuffer = () => Promise.reject(new DOMException('full', 'NotReadableError'));
"""
FILL_STORAGE = """
    let room = 1 << 22;
    for (let number = 0; room; number += 1) {
        try { localStorage.setItem(String(number), 'x'.repeat(room)); } catch (error) { room >>= 1; }
    }
    return JSON.stringify(localStorage).length;
"""
REFUSES = """
    HTMLMediaElement.prototype.play = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
"""
OLD_BROWSER = """
    delete HTMLVideoElement.prototype.requestVideoFrameCallback;
    delete Navigator.prototype.wakeLock;
    delete Response.prototype.body;
"""


@contextmanager
def device(browser: Browser, script: str) -> Iterator[None]:
    """Make the browser an odd one for a while."""
    identifier = browser.before_each_page(f"{{{script}}}")
    try:
        yield
    finally:
        browser.forget_script(identifier)


def check_round(screen: Screen, tv: str) -> None:
    """Check that all clips come, that no black is seen and nothing stands still."""
    screen.browser.open(tv)
    check_alive(screen.wait_for_clip() + screen.watch_round(("red", "green", "blue"), 8))


def test_one_decoder(screen: Screen, box: TvServer, tv: str) -> None:
    with device(screen.browser, ONE_DECODER):
        check_round(screen, tv)
        screen.browser.wait_for(lambda: box.heartbeats, "a heartbeat")
        assert box.heartbeats[-1]["decoder"] == "single"


def test_one_decoder_by_setting(screen: Screen, tv: str) -> None:
    check_round(screen, f"{tv}&single=1")


@pytest.mark.parametrize("script", [YEAR_1970, NO_ROOM, OLD_BROWSER], ids=["1970", "full", "old"])
def test_odd_device(screen: Screen, tv: str, script: str) -> None:
    with device(screen.browser, script):
        check_round(screen, tv)


def test_a_storage_that_is_really_full(screen: Screen, tv: str) -> None:
    screen.browser.open(tv)
    assert screen.browser.evaluate(f"localStorage.clear();{FILL_STORAGE}") > 5_000_000
    try:
        check_round(screen, tv)
        assert screen.browser.evaluate("return localStorage.getItem('vv-screen')") is None
    finally:
        screen.browser.evaluate("localStorage.clear()")


def test_play_is_refused_even_without_sound(screen: Screen, tv: str) -> None:
    with device(screen.browser, REFUSES):
        screen.browser.open(tv)
        check_alive(screen.wait_for_clip() + screen.watch_round(("red", "green"), 10))


def test_strict_autoplay(box: TvServer, tv: str) -> None:
    with start_browser(flags=[STRICT_AUTOPLAY]) as strict:
        check_round(Screen(strict), tv)


def test_hidden_and_back(screen: Screen, tv: str) -> None:
    screen.browser.open(tv)
    screen.wait_for_clip()
    with screen.browser.hidden():
        looks = Screen(screen.browser).watch(5)
        assert len(looks) > 1
    screen.look()  # a tab that comes to the front is drawn once without its video
    looks = screen.watch(MOVING_AGAIN_S + 1)
    check_alive(looks)
    assert "dark" not in seen_colours(looks)


def test_frozen_and_resumed(screen: Screen, tv: str) -> None:
    screen.browser.open(tv)
    screen.wait_for_clip()
    screen.browser.set_frozen(frozen=True)
    screen.watch(4)
    screen.browser.set_frozen(frozen=False)
    looks = screen.watch_round(("red", "green", "blue"), 9)
    assert not any(look.colour == "black" for look in looks)


def test_opened_in_a_tab_that_nobody_sees(screen: Screen, box: TvServer, tv: str) -> None:
    screen.browser.open("about:blank")
    first = screen.browser.driver.current_window_handle
    screen.browser.evaluate("setTimeout(to => { location.href = to; }, 300, arguments[0])", tv)
    with screen.browser.hidden():
        time.sleep(5)
    assert screen.browser.driver.current_window_handle == first
    check_alive(screen.wait_for_clip())
    told = screen.browser.wait_for(lambda: [b for b in box.heartbeats if b["visible"]], "a word")
    assert told[-1]["decoder"] == "dual"
