"""The document that a TV gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.tv_scheduler.lines import NOW, SAO_PAULO, make_line
from tv_scheduler.choice import MAX_ITEMS
from tv_scheduler.config import load_rules
from tv_scheduler.line import Line
from tv_scheduler.playlist import (
    PICTURE_S,
    Playable,
    Scene,
    build_item,
    build_playlists,
    choose_all,
)
from tv_scheduler.playlist_files import shown_in
from tv_scheduler.rules import Order, Pick, Priority, TvRule
from vv_core.utils import validate_schema
from vv_schemas import schema_path

RULES = load_rules(None)
VIDEO = "a1" * 32
CLIP = Playable("c7" * 32, 1203456, 39962)


def build(lines: list[Line], rules: Any = RULES, clips: Any = (), now: datetime = NOW) -> Any:
    choices = choose_all(rules, lines, now, SAO_PAULO)
    return build_playlists(rules, choices, dict(clips), Scene(now, SAO_PAULO, "pt-BR"))


def test_the_playlist_of_all_has_what_any_tv_shows() -> None:
    lines = [
        make_line("1", status="alerta"),
        make_line("2", status="curado"),
        make_line("3", status="curado", when=NOW - timedelta(days=2)),
    ]
    playlists = build(lines)
    assert playlists.keys() == {"tv1", "tv2", "tv3", "all"}
    assert [item["logline_id"][-1] for item in playlists["all"]["items"]] == ["1", "2"]
    for document in playlists.values():
        validate_schema(document, schema_path("playlist"))


def test_the_longest_playlist_follows_the_schema() -> None:
    lines = [make_line(f"{n:x}", when=NOW - timedelta(seconds=n)) for n in range(MAX_ITEMS + 3)]
    twice = TvRule("tv", Pick(), Order.TIME, 24, repeats=2)
    playlists = build(lines, (*RULES, twice))
    for name in ("tv1", "tv", "all"):
        assert len(playlists[name]["items"]) == MAX_ITEMS
        validate_schema(playlists[name], schema_path("playlist"))


@given(st.randoms(), st.integers(0, 12))
def test_same_input_same_playlist(random: Any, count: int) -> None:
    lines = [make_line(str(n), status=("curado", "alerta")[n % 2]) for n in range(count)]
    before = build(lines, clips={VIDEO: CLIP})
    random.shuffle(lines)
    assert build(lines, clips={VIDEO: CLIP}) == before


def test_an_item_says_what_the_line_says() -> None:
    item = build_item(make_line("1"), 5, CLIP, SAO_PAULO)
    assert item == {
        "logline_id": "20261121T000000Z-000000000001",
        "media": f"/media/{'c7' * 32}.mp4",
        "bytes": 1203456,
        "poster": f"/posters/{'e5' * 32}.jpg",
        "title": "Duas pessoas e uma mochila na portaria",
        "caption": "Entre 02:03:04 e 02:03:40 foram vistas no máximo 2 pessoas ao mesmo tempo, com uma mochila.",
        "camera": "portaria",
        "start": "2026-11-21T12:30:30Z",
        "start_local": "2026-11-21T09:30:30-03:00",
        "duration_s": 39.962,
        "status": "curado",
        "priority": 5,
        "verified": True,
    }


def test_without_a_clip_picture_and_text_are_shown() -> None:
    item = build_item(make_line("1"), 0, None, SAO_PAULO)
    assert (item["media"], item["bytes"], item["duration_s"]) == (None, None, PICTURE_S)
    assert item["poster"]


def test_a_clip_of_which_the_length_is_not_known_plays_as_long_as_the_recording() -> None:
    unknown = Playable("c7" * 32, 1, 0)
    assert build_item(make_line("1"), 0, unknown, UTC)["duration_s"] == 39.962
    still = make_line("1", media={"duration_ms": 0})
    assert build_item(still, 0, unknown, UTC)["duration_s"] == PICTURE_S


def test_a_line_without_picture_or_camera_has_none() -> None:
    line = make_line("1", media={"picture": None, "picture_sha256": None, "camera": ""})
    item = build_item(line, 0, None, UTC)
    assert (item["poster"], item["camera"]) == (None, None)
    assert item["start_local"] == "2026-11-21T12:30:30+00:00"


def test_a_long_caption_is_cut() -> None:
    caption = make_line("1", this="x" * 1200).caption
    assert (len(caption), caption[-1]) == (1000, "…")


def test_the_rules_of_a_tv_are_in_its_document() -> None:
    rule = TvRule("tv9", Pick(), Order.TIME, 24, repeats=3, valid_s=60, language="en")
    document = build([make_line("1"), make_line("2")], (rule,))["tv9"]
    assert [item["logline_id"][-1] for item in document["items"]] == list("111222")
    assert (document["valid_s"], document["language"], document["loop"]) == (60, "en", True)
    assert build([])["tv1"]["language"] == "pt-BR"


def test_in_the_playlist_of_all_the_higher_priority_counts() -> None:
    rules = tuple(
        TvRule(name, Pick(), Order.TIME, 24, priority=(Priority(Pick(), level, 60),))
        for name, level in (("a", 3), ("b", 7), ("c", 5))
    )
    playlists = build([make_line("1", logged=NOW)], rules)
    assert [playlists[name]["items"][0]["priority"] for name in ("a", "b", "c", "all")] == [
        *(3, 7, 5),
        7,
    ]


def test_a_document_made_at_another_time_is_the_same() -> None:
    lines = [make_line("1", when=NOW - timedelta(hours=2))]
    before, after = build(lines), build(lines, now=NOW + timedelta(minutes=9))
    assert before["tv1"]["generated"] != after["tv1"]["generated"]
    assert before["tv1"]["window"] != after["tv1"]["window"]
    assert shown_in(before["tv1"]) == shown_in(after["tv1"])
    assert shown_in(before["tv1"]) != shown_in({**after["tv1"], "valid_s": 99})
    assert shown_in(before["tv1"]) != shown_in({**after["tv1"], "items": []})


@given(st.integers(0, 3 * 366 * 24 * 3600))
def test_local_time_is_the_same_moment(seconds: int) -> None:
    zone = ZoneInfo("America/New_York")
    when = NOW.replace(microsecond=0) - timedelta(seconds=seconds)
    text = build_item(make_line("1", when=when), 0, None, zone)["start_local"]
    assert datetime.fromisoformat(text) == when
