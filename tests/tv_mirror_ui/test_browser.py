"""The page in a real browser: what is on its canvases when cameras, readers and servers fail."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser, requires_browser, start_browser
from tests.tv_mirror_ui.fake_hub import FakeHub, fake_hub
from tests.tv_mirror_ui.looking import (
    canvas,
    colour,
    shows_placeholder,
    text,
    wait_for_loss,
    wait_for_movement,
)
from tests.tv_mirror_ui.mjpeg_camera import MjpegCamera, mjpeg_camera
from tests.tv_mirror_ui.pictures import make_jpeg
from tests.tv_mirror_ui.running import Running, running_mirror

pytestmark = [pytest.mark.browser, pytest.mark.integration, requires_browser]

RED, BLUE = (200, 30, 30), (30, 30, 200)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as browser:
        yield browser


@pytest.fixture
def camera() -> Iterator[MjpegCamera]:
    with mjpeg_camera() as camera:
        yield camera


@pytest.fixture
def mirror(tmp_path: Path, camera: MjpegCamera, browser: Browser) -> Iterator[Running]:
    with running_mirror(
        tmp_path, [{"name": "cam", "title": "Portão", "url": camera.url}]
    ) as mirror:
        browser.open(f"{mirror.url}?camera=cam")
        wait_for_movement(browser)
        yield mirror
    browser.open("about:blank")


@pytest.fixture
def hub(browser: Browser) -> Iterator[FakeHub]:
    with fake_hub() as hub:
        yield hub
        browser.open("about:blank")


def show(browser: Browser, hub: FakeHub, query: str = "") -> None:
    """Open the page and wait for its stream."""
    before = hub.open_streams
    browser.open(hub.url + query)
    browser.wait_for(lambda: hub.open_streams > before, "a stream")


def is_near(found: tuple[int, ...], expected: tuple[int, int, int]) -> bool:
    return all(abs(one - other) < 25 for one, other in zip(found, expected, strict=True))


def wait_for_colour(browser: Browser, expected: tuple[int, int, int]) -> None:
    browser.wait_for(lambda: is_near(colour(browser), expected), f"{expected}")


def test_a_live_picture_moves_and_says_how_old_it_is(mirror: Running, browser: Browser) -> None:
    assert "Portão" in text(browser)
    assert "ao vivo · " in text(browser)
    assert "SEM SINAL" not in text(browser)
    assert browser.evaluate("return getComputedStyle(document.body).cursor") == "none"
    picture = browser.screenshot()
    assert picture.getpixel((640, 200)) != (5, 8, 15)
    assert [line for line in browser.console() if "Security" in line] == []


def test_a_camera_that_goes_and_comes(
    mirror: Running, browser: Browser, camera: MjpegCamera
) -> None:
    camera.switch_off()
    wait_for_loss(browser)
    assert "SEM SINAL" in text(browser)
    assert "última imagem há" in text(browser)
    browser.wait_for(lambda: "a câmera não responde" in text(browser), "the reason")
    camera.switch_on()
    wait_for_movement(browser)
    assert "SEM SINAL" not in text(browser)


def test_a_camera_that_stalls(mirror: Running, browser: Browser, camera: MjpegCamera) -> None:
    camera.behaviour.is_stalled = True
    wait_for_loss(browser)
    camera.behaviour.is_stalled = False
    wait_for_movement(browser)


def test_a_camera_that_sends_bad_pictures(
    mirror: Running, browser: Browser, camera: MjpegCamera
) -> None:
    good = camera.behaviour.frame
    camera.behaviour.frame = lambda number: good(number)[:-30] if number % 2 else good(number)
    wait_for_movement(browser)
    camera.behaviour.frame = lambda number: good(number)[:-30]
    wait_for_loss(browser)
    camera.behaviour.frame = good
    wait_for_movement(browser)


def test_a_reader_that_hangs(mirror: Running, browser: Browser) -> None:
    os.kill(mirror.readers()[0], signal.SIGSTOP)
    wait_for_loss(browser)
    wait_for_movement(browser)


def test_a_server_that_dies_and_is_started_again(mirror: Running, browser: Browser) -> None:
    mirror.kill()
    wait_for_loss(browser)
    browser.wait_for(lambda: "o servidor não responde" in text(browser), "the reason")
    mirror.start()
    wait_for_movement(browser)


def test_a_server_that_hangs_with_its_connections_open(mirror: Running, browser: Browser) -> None:
    os.kill(mirror.pid, signal.SIGSTOP)
    try:
        wait_for_loss(browser)
    finally:
        os.kill(mirror.pid, signal.SIGCONT)
    wait_for_movement(browser)


def test_a_grid_keeps_its_cameras_apart_and_keys_choose(
    tmp_path: Path, browser: Browser, camera: MjpegCamera
) -> None:
    with mjpeg_camera() as other:
        other.switch_off()
        cameras: list[dict[str, object]] = [
            {"name": "one", "title": "Um", "url": camera.url},
            {"name": "two", "title": "Dois", "url": other.url},
        ]
        with running_mirror(tmp_path, cameras) as mirror:
            browser.open(f"{mirror.url}?grid=4&lang=en")
            wait_for_movement(browser, 0)
            wait_for_loss(browser, 1)
            browser.wait_for(lambda: "NO SIGNAL" in text(browser), "the loss")
            press(browser, "2")
            browser.wait_for(lambda: "Um" not in text(browser), "the second alone")
            press(browser, "ArrowRight")
            wait_for_movement(browser, 0)
            assert "Dois" not in text(browser)
            press(browser, "Escape")
            press(browser, "i")
            browser.wait_for(lambda: " bad" in text(browser), "details")
            press(browser, "ArrowLeft")
            press(browser, "Enter")
            browser.wait_for(lambda: "Um" not in text(browser), "the chosen one")
            browser.open("about:blank")


def press(browser: Browser, key: str) -> None:
    browser.evaluate(
        "document.dispatchEvent(new KeyboardEvent('keydown', {key: arguments[0], bubbles: true}))",
        key,
    )


def test_old_tvs_get_snapshots(mirror: Running, browser: Browser, camera: MjpegCamera) -> None:
    browser.open(f"{mirror.url}?mode=snapshot")
    wait_for_movement(browser)
    camera.switch_off()
    wait_for_loss(browser)
    camera.switch_on()
    wait_for_movement(browser)


def test_without_stream_and_bitmaps_it_is_an_old_tv(mirror: Running, browser: Browser) -> None:
    script = browser.before_each_page(
        "delete window.ReadableStream; delete window.createImageBitmap"
    )
    try:
        browser.open(mirror.url)
        wait_for_movement(browser)
    finally:
        browser.forget_script(script)


def test_a_picture_that_cannot_be_decoded_is_skipped(browser: Browser, hub: FakeHub) -> None:
    show(browser, hub)
    hub.send_picture(make_jpeg(colour=RED))
    wait_for_colour(browser, RED)
    hub.send_picture(b"\xff\xd8 no picture \xff\xd9")
    hub.send_picture(b"")
    hub.send_picture(make_jpeg(colour=BLUE))
    wait_for_colour(browser, BLUE)
    assert hub.streams == 1


def test_an_old_picture_is_not_shown_as_a_new_one(browser: Browser, hub: FakeHub) -> None:
    show(browser, hub)
    hub.send_picture(make_jpeg(colour=RED))
    wait_for_colour(browser, RED)
    hub.send_picture(make_jpeg(colour=BLUE), age_ms=9000)
    wait_for_loss(browser)


@pytest.mark.parametrize(
    "nonsense",
    [
        b"x" * 9000,
        b"--b\r\nNo-Length: 1\r\n\r\n",
        b"--b\r\nContent-Length: 999999999\r\n\r\n",
        None,
    ],
)
def test_after_a_stream_of_nonsense_or_none_there_is_a_new_one(
    browser: Browser, hub: FakeHub, nonsense: bytes | None
) -> None:
    show(browser, hub)
    before = hub.open_streams
    if nonsense is None:
        hub.end_stream()
    else:
        hub.send(nonsense)
    browser.wait_for(lambda: hub.open_streams > before, "a new stream")
    hub.send_picture(make_jpeg(colour=RED))
    wait_for_colour(browser, RED)


def test_a_stream_that_falls_silent_is_left_for_a_new_one(browser: Browser, hub: FakeHub) -> None:
    show(browser, hub)
    hub.send_picture(make_jpeg(colour=RED))
    wait_for_colour(browser, RED)
    wait_for_loss(browser)
    before = hub.streams
    browser.wait_for(lambda: hub.streams > before, "a new stream")


def test_errors_are_asked_again_until_they_end(browser: Browser, hub: FakeHub) -> None:
    hub.status = 503
    hub.cameras_status = 500
    browser.open(hub.url)
    time.sleep(1)
    hub.cameras_status = 200
    browser.wait_for(lambda: hub.streams, "being asked for a stream")
    hub.status = 200
    browser.wait_for(lambda: hub.open_streams, "a stream")
    hub.send_picture(make_jpeg(colour=RED))
    wait_for_colour(browser, RED)


def test_pieces_of_any_size_make_pictures(browser: Browser, hub: FakeHub) -> None:
    show(browser, hub)
    jpeg = make_jpeg(1280, 720, RED, quality=100)
    part = b"\r\n\r\n--b\r\nX-Camera: cam\r\nContent-Length: %d\r\n\r\n" % len(jpeg) + jpeg
    for start in range(0, len(part), 997):
        hub.send(part[start : start + 997])
    wait_for_colour(browser, RED)
    picture = canvas(browser)
    assert picture
    assert picture.size == (1280, 720)


def test_the_placeholder_needs_no_server(browser: Browser, hub: FakeHub) -> None:
    hub.status = 500
    browser.open(hub.url)
    browser.wait_for(lambda: shows_placeholder(browser), "the small placeholder")
    picture = canvas(browser)
    assert picture
    assert picture.size == (480, 270)
