"""The TV page and the box's own API."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.browser.screen import Screen, check_alive, seen_colours
from tests.support.browser import requires_browser
from tests.support.tv_clips import make_picture
from tests.support.tv_server import make_item
from tests.tv_ui import boxes
from tv_ui.app import create_app
from vv_core.atomic import write_json_atomic
from vv_core.paths import Storage

pytestmark = [pytest.mark.browser, requires_browser]


def refused_by_policy(screen: Screen) -> list[str]:
    """Return what the page's policy kept from it."""
    return [line for line in screen.browser.console() if "Content Security Policy" in line]


def write_playlist(storage: Storage, shas: list[str], **fields: object) -> None:
    """Write what tv1 shows."""
    items = [
        make_item(f"clip{number}", media=f"/media/{sha}.mp4", bytes=1, **fields)
        for number, sha in enumerate(shas)
    ]
    document = {
        "schema": "vv.playlist/2",
        "tv": "tv1",
        "generated": "2026-11-21T05:03:04Z",
        "window": {"from": "2026-11-20T05:03:04Z", "to": "2026-11-21T05:03:04Z"},
        "valid_s": 300,
        "loop": True,
        "items": items,
    }
    write_json_atomic(storage.playlists / "tv1.json", document)


def test_clips_of_the_box_and_none_with_a_flipped_byte(
    screen: Screen, tmp_path: Path, clips: dict[str, bytes]
) -> None:
    home = boxes.new_box(tmp_path)
    storage = home.settings.storage
    boxes.beat(home)
    paths = {colour: boxes.put_made(storage, clips[colour]) for colour in ("red", "blue")}
    boxes.put_as_is(storage, clips["green"])
    flipped = bytearray(clips["blue"])
    flipped[len(flipped) // 2] ^= 1
    paths["blue"].write_bytes(flipped)
    shas = [hashlib.sha256(clips[colour]).hexdigest() for colour in ("red", "green", "blue")]
    write_playlist(storage, shas)
    with boxes.served(create_app(home.settings, home.clock)) as api:
        screen.browser.open(f"http://127.0.0.1:{api.port}/tv.html?tv=tv1")
        looks = screen.wait_for_clip() + screen.watch_round(("red", "green"), 8)
        assert set(seen_colours(looks)) - {"dark"} == {"red", "green"}
        check_alive(looks)
        told = screen.browser.wait_for(
            lambda: api.get("/tvs").body.count(b'"screen"'), "a heartbeat"
        )
        assert told == 1
        assert refused_by_policy(screen) == []
    check_alive(screen.watch(4))  # and now the box is gone


def test_empty_box_then_its_first_clip(
    screen: Screen, tmp_path: Path, clips: dict[str, bytes]
) -> None:
    home = boxes.new_box(tmp_path)
    storage = home.settings.storage
    boxes.beat(home)
    with boxes.served(create_app(home.settings, home.clock)) as api:
        screen.browser.open(f"http://127.0.0.1:{api.port}/tv.html?tv=tv1")
        looks = screen.watch(3)
        assert set(seen_colours(looks)) == {"dark"}
        boxes.put_made(storage, clips["orange"])
        write_playlist(storage, [hashlib.sha256(clips["orange"]).hexdigest()])
        looks += screen.wait_for("orange")
        check_alive(looks)


def test_picture_that_no_logline_names_is_not_had_but_its_words_are_shown(
    screen: Screen, tmp_path: Path
) -> None:
    home = boxes.new_box(tmp_path)
    storage = home.settings.storage
    boxes.beat(home)
    sha = hashlib.sha256(make_picture("purple")).hexdigest()
    write_playlist(storage, [])
    with boxes.served(create_app(home.settings, home.clock)) as api:
        screen.browser.open(f"http://127.0.0.1:{api.port}/tv.html?tv=tv1")
        item = make_item("a", poster=f"/posters/{sha}.jpg", title="Só palavras")
        path = storage.playlists / "tv1.json"
        document = json.loads(path.read_bytes())
        write_json_atomic(path, {**document, "items": [item]})
        words = "return (document.querySelector('.slot.on .title') || {}).textContent"
        screen.browser.wait_for(
            lambda: screen.browser.evaluate(words) == "Só palavras", "its words"
        )
