"""Which LogLines a TV shows, in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.samples import unsigned_logline
from tv_scheduler.config import Order, TvRule, load_rules
from tv_scheduler.playlist import (
    MAX_ITEMS,
    build_item,
    build_playlists,
    choose_loglines,
    media_url,
    poster_url,
    window_of,
)
from vv_core.clock import format_utc
from vv_core.utils import validate_schema
from vv_schemas import schema_path

NOW = datetime(2026, 11, 21, 12, 30, 30, 250000, UTC)
RULES = load_rules(None)
TV1, TV2, TV3 = RULES


def line(name: str, status: str = "curado", when: datetime = NOW, **more: Any) -> dict[str, Any]:
    return unsigned_logline(
        id=f"20261121T000000Z-{name:0>12}", status=status, when=format_utc(when), **more
    )


def ids(lines: Any) -> list[str]:
    return [each["id"][-1] for each in lines]


def test_each_tv_shows_its_statuses() -> None:
    lines = [
        line(str(number), status)
        for number, status in enumerate(("confirmado", "curado", "alerta", "experimental"))
    ]
    assert ids(choose_loglines(TV1, lines, NOW)) == ["0", "1"]
    assert ids(choose_loglines(TV2, lines, NOW)) == ["2"]
    assert sorted(ids(choose_loglines(TV3, lines, NOW))) == ["1", "3"]


def test_the_window_has_its_start_and_not_its_end() -> None:
    start, end = window_of(TV1, NOW)
    assert end - start == timedelta(hours=24)
    edge = [
        line("1", when=start - timedelta(seconds=1)),
        line("2", when=start),
        line("3", when=NOW),
        line("4", when=end),
    ]
    assert ids(choose_loglines(TV1, edge, NOW)) == ["2", "3"]


def test_order_is_by_time_and_then_by_id() -> None:
    early, late = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    lines = [line("3", when=late), line("2", when=early), line("1", when=late)]
    assert ids(choose_loglines(TV1, lines, NOW)) == ["2", "1", "3"]


def test_a_line_that_stands_twice_is_shown_once() -> None:
    assert len(choose_loglines(TV1, [line("1"), line("1")], NOW)) == 1


def test_of_too_many_the_newest_are_shown() -> None:
    lines = [
        line(f"{number:x}", when=NOW - timedelta(seconds=number)) for number in range(MAX_ITEMS + 3)
    ]
    chosen = choose_loglines(TV1, lines, NOW)
    assert len(chosen) == MAX_ITEMS
    assert chosen[-1]["when"] == format_utc(NOW)
    validate_schema(build_playlists(RULES, lines, NOW)["tv1"], schema_path("playlist"))


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=30), st.randoms())
def test_a_new_item_moves_none_of_those_that_are_shuffled(names: set[int], random: Any) -> None:
    lines = [line(f"{name:x}") for name in names]
    before = [each["id"] for each in choose_loglines(TV3, lines[1:], NOW)]
    random.shuffle(lines)
    after = [each["id"] for each in choose_loglines(TV3, lines, NOW)]
    new = (set(after) - set(before)).pop()
    after.remove(new)
    assert after == before


def test_it_is_shuffled_another_way_each_hour_and_on_each_tv() -> None:
    lines = [line(str(number)) for number in range(10)]
    other = TvRule("tv9", TV3.statuses, Order.SHUFFLE, 24)
    now = ids(choose_loglines(TV3, lines, NOW))
    assert now == ids(choose_loglines(TV3, lines, NOW + timedelta(minutes=29)))
    assert now != ids(choose_loglines(TV3, lines, NOW + timedelta(minutes=30)))
    assert now != ids(choose_loglines(other, lines, NOW))
    assert now != sorted(now)


def test_same_input_same_playlist() -> None:
    lines = [line(str(number)) for number in range(5)]
    assert build_playlists(RULES, lines, NOW) == build_playlists(RULES, lines[::-1], NOW)


def test_the_playlist_of_all_has_what_any_tv_shows() -> None:
    lines = [
        line("1", "alerta"),
        line("2", "curado"),
        line("3", "curado", when=NOW - timedelta(days=2)),
    ]
    playlists = build_playlists(RULES, lines, NOW)
    assert playlists.keys() == {"tv1", "tv2", "tv3", "all"}
    assert [item["logline_id"][-1] for item in playlists["all"]["items"]] == ["1", "2"]
    for document in playlists.values():
        validate_schema(document, schema_path("playlist"))


def test_an_item_says_what_the_line_says() -> None:
    item = build_item(line("1", source="portaria/a b#1.mp4"))
    assert item["media"] == "/media/a1a1a1a1a1a1/a%20b%231.mp4"
    assert item["poster"] == f"/posters/{'e5' * 32}.jpg"
    assert item["duration_s"] == 39.962
    assert item["caption"].startswith("Entre 02:03:04")


def test_a_long_caption_is_cut() -> None:
    caption = build_item(line("1", this="x" * 1200))["caption"]
    assert caption == "x" * 999 + "…"


@pytest.mark.parametrize(
    ("name", "end"), [("é" * 500 + ".mp4", "/video.mp4"), ("é" * 500, "/video")]
)
def test_a_name_that_is_too_long_for_a_url_is_left_out(name: str, end: str) -> None:
    assert media_url(name, "ab" * 32).endswith(end)


def test_no_picture_no_poster() -> None:
    assert poster_url(None, None) is None
