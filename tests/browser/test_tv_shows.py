"""The TV page while all is well."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from PIL import ImageStat
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.browser.screen import (
    Look,
    Screen,
    check_alive,
    seen_colours,
)
from tests.support.browser import requires_browser
from tests.support.tv_clips import make_picture, make_tv_clip
from tests.support.tv_server import TvServer, make_item

pytestmark = [pytest.mark.browser, requires_browser]


_NOTE_FADES = """const look = () => {
        const over = document.querySelector('.slot.on'), under = document.querySelector('.slot.under');
        const opacity = over && under ? Number(getComputedStyle(over).opacity) : 0;
        window.hasFaded ||= opacity > .1 && opacity < .9;
        requestAnimationFrame(look);
    };
    look()"""


def text_of(screen: Screen) -> str:
    """Return all words that can be seen."""
    return screen.browser.driver.find_element(By.TAG_NAME, "body").text


def press(screen: Screen, key: str) -> None:
    """Press a key of the remote control."""
    screen.browser.driver.find_element(By.TAG_NAME, "body").send_keys(key)


def test_clips_come_in_order_again_and_again(screen: Screen, box: TvServer, folder: Path) -> None:
    # Long enough that none is over before a busy machine has looked.
    for colour in ("red", "green", "blue"):
        box.items.append(box.add_clip(make_tv_clip(folder / "clip.mp4", colour, seconds=8)))
    looks = screen.watch_undisturbed(
        f"{box.url}/tv.html",
        lambda: (
            screen.wait_for("red") + screen.watch_round(("green", "blue")) + screen.wait_for("red")
        ),
    )
    colours = [colour for colour in seen_colours(looks) if colour != "dark"]
    assert colours[:4] == ["red", "green", "blue", "red"]
    check_alive(looks)
    # One fades into the other; too briefly for a busy machine's pictures.
    screen.browser.evaluate(_NOTE_FADES)
    screen.browser.wait_for(lambda: screen.browser.evaluate("return window.hasFaded"), "a fade")
    assert screen.browser.console() == []  # the strict policy lets all of it run


def test_a_dead_screen_shows_a_picture_before_anything_else(screen: Screen, box: TvServer) -> None:
    box.freeze()
    screen.browser.open("about:blank")
    box.thaw()
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.watch(1.5)
    assert "black" not in seen_colours(looks)


def test_caption_says_what_the_logline_says(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    box.items = [box.add_clip(clips["red"], status="alerta", title="Porta <b>aberta</b>")]
    screen.browser.open(f"{box.url}/tv.html")
    screen.wait_for("red")
    words = text_of(screen)
    for part in (
        "Alerta",
        "entrada",
        "21/11/2026 · 02:03:04",
        "Porta <b>aberta</b>",
        "assinado e\nverificado",
    ):
        assert part in words or part.replace("\n", " ") in words
    screen.browser.open(f"{box.url}/tv.html?lang=en")
    screen.wait_for("red")
    words = text_of(screen)
    assert "Alert" in words
    assert "21 Nov 2026 · 02:03:04" in words


def test_mark_carries_the_picture_of_the_logs_head(screen: Screen, tv: str) -> None:
    screen.browser.open(tv)
    screen.wait_for_clip()
    place = """const mark = [...document.querySelectorAll('.slot.on .mark img')].pop().getBoundingClientRect();
        return [mark.x, mark.y, mark.width]"""
    x, y, width = screen.browser.evaluate(place)
    shot = screen.browser.screenshot()
    assert min(shot.getpixel((int(x + width * 0.52), int(y + width * 0.25)))) > 200  # type: ignore[type-var]
    assert max(shot.getpixel((int(x + width * 0.2), int(y + width * 0.2)))) < 90  # type: ignore[type-var]


def test_items_without_a_clip_show_picture_and_words(screen: Screen, box: TvServer) -> None:
    picture = box.add_poster(make_picture("purple"))
    box.items = [
        make_item("a", poster=picture, title="Com foto", duration_s=3),
        make_item("b", title="Sem foto", duration_s=3),
    ]
    screen.browser.open(f"{box.url}/tv.html")
    screen.wait_for("purple")
    assert "Com foto" in text_of(screen)
    screen.wait_for("dark")
    assert "Sem foto" in text_of(screen)
    screen.wait_for("purple")


def test_what_is_not_verified_is_never_shown(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    box.items = [
        box.add_clip(clips["red"]),
        box.add_clip(clips["green"], verified=False),
        {**box.add_clip(clips["blue"]), "media": "https://elsewhere.example/x.mp4"},
    ]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for_clip() + screen.watch(6)
    assert set(seen_colours(looks)) <= {"dark", "red"}
    check_alive(looks)


def test_remote_control(screen: Screen, box: TvServer, folder: Path) -> None:
    # No clip ends by itself while this looks.
    for colour in ("red", "green"):
        data = make_tv_clip(folder / "clip.mp4", colour, seconds=90)
        box.items.append(box.add_clip(data, title=colour))
    tv = f"{box.url}/tv.html"
    screen.browser.open(tv)
    screen.wait_for("red")
    press(screen, Keys.ARROW_RIGHT)
    screen.wait_for("green")
    press(screen, Keys.ARROW_LEFT)
    screen.wait_for("red")
    assert "red" in text_of(screen)
    press(screen, Keys.ENTER)
    assert screen.browser.evaluate("return document.body.className") == "quiet"
    press(screen, Keys.ENTER)
    press(screen, "i")
    assert "frames" in text_of(screen)
    press(screen, Keys.ESCAPE)
    press(screen, Keys.BACKSPACE)
    assert screen.browser.driver.current_url == tv


def test_priority_interrupts_once_and_the_round_goes_on(
    screen: Screen, box: TvServer, folder: Path
) -> None:
    # Long enough that the first is not over before the other comes, and none before a busy machine has looked.
    seconds = {"red": 30, "green": 8, "blue": 8, "orange": 8}
    items = {
        colour: box.add_clip(
            make_tv_clip(folder / "clip.mp4", colour, seconds=lasts),
            priority=5 * (colour == "orange"),
        )
        for colour, lasts in seconds.items()
    }

    def watch() -> list[Look]:
        looks = screen.wait_for("red")
        box.items = list(items.values())
        looks += screen.wait_for("orange") + screen.watch_round(("green", "blue"))
        box.items = usual
        return looks

    box.items = usual = [items[colour] for colour in ("red", "green", "blue")]
    looks = screen.watch_undisturbed(f"{box.url}/tv.html", watch)
    check_alive(looks)
    following = seen_colours(looks)
    assert following[following.index("red") :] == ["red", "orange", "green", "blue"]


def test_a_large_clip_is_streamed(screen: Screen, box: TvServer, clips: dict[str, bytes]) -> None:
    item = box.add_clip(clips["yellow"])
    box.items = [{**item, "bytes": 10**10}]
    screen.browser.open(f"{box.url}/tv.html")
    looks = screen.wait_for("yellow") + screen.watch(5)
    assert set(seen_colours(looks)) - {"dark"} == {"yellow"}
    check_alive(looks)


def test_night_dims_the_screen_by_the_boxs_time(
    screen: Screen, box: TvServer, clips: dict[str, bytes]
) -> None:
    box.items = [box.add_clip(clips["yellow"])]
    box.server_time = "2026-11-21T12:00:00Z"
    screen.browser.open(f"{box.url}/tv.html?dim=22-6")
    screen.wait_for("yellow")

    def is_dim() -> bool:
        return max(ImageStat.Stat(screen.look().picture).mean) < 140

    box.server_time = "2026-11-21T05:03:04Z"  # 02:03 there
    screen.browser.wait_for(is_dim, "the screen gets dim")
    box.server_time = "2026-11-21T12:00:00Z"
    screen.browser.wait_for(lambda: not is_dim(), "the screen gets bright")


def test_old_word_is_told_with_its_age(screen: Screen, tv: str, box: TvServer) -> None:
    box.playlist_age = "900"
    screen.browser.open(tv)
    screen.wait_for_clip()
    seen = screen.browser.wait_for(lambda: "15 min" in text_of(screen), "the banner")
    assert seen
    shot = screen.browser.screenshot()
    place = """const banner = document.getElementById('banner').getBoundingClientRect();
        return [banner.x + 3, banner.y + banner.height / 2]"""
    x, y = screen.browser.evaluate(place)
    screen.browser.wait_for(
        lambda: screen.browser.screenshot().getpixel((int(x), int(y)))[0] > 220,
        f"the banner's mark, was {shot.getpixel((int(x), int(y)))}",
    )
    box.playlist_age = "3"
    screen.browser.wait_for(
        lambda: screen.browser.evaluate("return !document.querySelector('#banner.seen')"),
        "no banner",
    )


def test_heartbeat_tells_what_is_on_screen(screen: Screen, tv: str, box: TvServer) -> None:
    screen.browser.open(tv)
    screen.wait_for_clip()
    told = screen.browser.wait_for(lambda: list(box.heartbeats), "a heartbeat")[-1]
    assert told["state"] == "clip"
    assert told["media"] in {item["media"] for item in box.items}
    assert told["decoder"] == "dual"
    assert told["page_version"] == box.page_version
    assert told["visible"] is True
    assert told["errors"] == []

    def goes_on() -> list[dict[str, Any]]:
        beats = [beat for beat in box.heartbeats if beat["frames"] > told["frames"]]
        return [beat for beat in beats if 0 <= beat["last_frame_ms"] < 1500]

    # On a busy machine one may be told of late; not all of them.
    later = screen.browser.wait_for(goes_on, "frames")
    assert later[0]["screen"] == told["screen"]


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (1024, 768)])
def test_fits_the_screen(screen: Screen, tv: str, size: tuple[int, int]) -> None:
    screen.browser.resize(*size)
    screen.browser.open(tv)
    screen.wait_for_clip()
    time.sleep(0.5)
    outside = """return [...document.querySelectorAll('.slot.on .caption *')].filter(e => {
        const r = e.getBoundingClientRect();
        return r.width && (r.left < innerWidth * .035 || r.right > innerWidth * .97 || r.bottom > innerHeight * .98);
    }).map(e => e.className)"""
    assert screen.browser.evaluate(outside) == []
    assert screen.browser.evaluate(
        "return [scrollX, scrollY, document.querySelectorAll('video').length]"
    ) == [0, 0, 2]
