"""Screens: what they say, when somebody is told, and what outlives a restart."""

from __future__ import annotations

import json
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import alerts_of, beat, client
from tv_ui.screen_report import MAX_BYTES, Report, parse_report
from tv_ui.screen_watch import ScreenWatch
from tv_ui.screens import FORGET_AFTER_S, MAX_SCREENS, ScreenBook
from tv_ui.texts import speak
from vv_core.atomic import write_json_atomic

HEARD: dict[str, Any] = {
    "screen": "abc",
    "page_version": "0" * 16,
    "state": "clip",
    "decoder": "dual",
    "logline_id": "20261121T050304Z-a1a1a1a1a1a1",
    "media": "/media/x.mp4",
    "frames": 100,
    "last_frame_ms": 30,
    "uptime_s": 5,
    "offline_s": 0,
    "playlist_etag": '"x"',
    "visible": True,
    "errors": [],
}


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return boxes.new_box(tmp_path)


def report(**changes: Any) -> Report:
    return parse_report(json.dumps({**HEARD, **changes}).encode())


def files(box: LogBox) -> list[str]:
    return sorted(path.name for path in box.settings.storage.tvs.iterdir())


class Wall:
    """A TV in front of a watch, minute by minute."""

    def __init__(self, box: LogBox) -> None:
        self.box = box
        self.watch = ScreenWatch(box.settings.storage, box.clock)
        self.frames = 0

    def run(self, seconds: int, *, says: bool = True, moves: bool = True, **changes: Any) -> None:
        """Let time pass: a heartbeat every ten seconds, a look every five."""
        for second in range(0, seconds, 5):
            self.box.clock.step(seconds=5)
            if says and second % 10 == 0:
                self.frames += 250 if moves else 0
                assert self.watch.hear("tv1", report(frames=self.frames, **changes))
            self.watch.look()

    def told(self) -> list[str]:
        return [code for code, _ in alerts_of(self.box)]

    def problem(self, language: str = "en") -> str | None:
        (screen,) = self.watch.view(speak(language))
        problem: str | None = screen["problem"]
        return problem


def test_a_tv_that_works_is_no_news(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(600)
    assert wall.told() == []
    assert wall.problem() is None
    assert files(box) == ["tv1--abc.json"]


def test_a_silent_tv_is_told_once_and_when_it_is_back(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(20)
    wall.run(50, says=False)
    assert wall.told() == []
    wall.run(600, says=False)
    assert alerts_of(box) == [("tv_silent", "tv1/abc")]
    assert wall.problem("pt-BR") == "não dá sinal"
    wall.run(10)
    assert wall.told() == ["tv_silent", "tv_back"]
    assert wall.problem() is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({}, "its picture stands still"), ({"visible": False}, "something else is in front")],
)
def test_a_frozen_tv_is_told_once_and_when_it_moves(
    box: LogBox, changes: dict[str, Any], problem: str
) -> None:
    wall = Wall(box)
    wall.run(30)
    wall.run(50, moves=False, **changes)
    assert wall.told() == []
    wall.run(600, moves=False, **changes)
    assert wall.told() == ["tv_frozen"]
    assert wall.problem() == problem
    wall.frames = 0
    wall.run(10, uptime_s=1)
    assert wall.told() == ["tv_frozen", "tv_back"]


def test_a_tv_whose_page_says_that_nothing_moves_is_believed(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(10, last_frame_ms=60_000)
    assert wall.told() == ["tv_frozen"]


def test_a_frozen_tv_that_goes_silent_is_told_as_that(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(120, moves=False)
    wall.run(120, says=False)
    assert wall.told() == ["tv_frozen", "tv_silent"]


def test_a_restart_forgets_no_screen_and_blames_none_for_the_time_it_took(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(70)
    box.clock.step(hours=1)
    again = Wall(box)
    again.run(50, says=False)
    assert again.told() == []
    (screen,) = again.watch.view(speak("en"))
    assert screen["age_s"] >= 3600
    assert screen["media"] == HEARD["media"]
    again.run(15, says=False)
    assert again.told() == ["tv_silent"]
    third = Wall(box)
    third.run(5, says=False)
    assert third.problem() == "says nothing", "known from before"
    third.run(200, says=False)
    assert third.told() == ["tv_silent"], "and told only once"
    third.run(10)
    assert third.told() == ["tv_silent", "tv_back"]


def test_a_screen_is_written_once_a_minute(box: LogBox) -> None:
    wall = Wall(box)
    path = box.settings.storage.tvs / "tv1--abc.json"
    wall.run(50)
    assert not path.exists()
    times = set()
    for _ in range(60):
        wall.run(10)
        times.add(path.stat().st_mtime_ns if path.exists() else 0)
    assert 9 <= len(times) <= 12


def test_what_is_known_is_kept_when_the_program_ends(box: LogBox) -> None:
    with client(box) as api:
        assert api.post("/tv/tv1/heartbeat", json=HEARD).status_code == 204
        assert files(box) == []
    assert files(box) == ["tv1--abc.json"]
    with client(box) as api:
        assert [each["screen"] for each in api.get("/tvs").json()["tvs"]] == ["abc"]


def test_a_screen_that_is_silent_for_a_week_is_forgotten(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(70)
    box.clock.step(seconds=FORGET_AFTER_S)
    wall.watch.look()
    assert wall.watch.view(speak("en")) == []
    assert files(box) == []
    wall.run(70)
    box.clock.step(days=8)
    again = ScreenWatch(box.settings.storage, box.clock)
    again.look()
    assert again.view(speak("en")) == []
    assert files(box) == []


def test_there_are_so_many_screens_and_no_more(box: LogBox) -> None:
    watch = ScreenWatch(box.settings.storage, box.clock)
    for number in range(MAX_SCREENS + 50):
        box.clock.step(seconds=0.1)
        assert watch.hear("tv1", report(screen=f"s{number}"))
    watch.look(is_last=True)
    names = {each["screen"] for each in watch.view(speak("en"))}
    assert names == {f"s{number}" for number in range(50, MAX_SCREENS + 50)}
    assert len(files(box)) == MAX_SCREENS
    box.clock.step(seconds=1)
    watch.hear("tv2", report())
    watch.look(is_last=True)
    assert len(files(box)) == MAX_SCREENS, "a screen that gives way gives its file up"
    assert "tv1--s50.json" not in files(box)
    again = ScreenWatch(box.settings.storage, box.clock)
    assert len(again.view(speak("en"))) == MAX_SCREENS


def test_a_screen_that_talks_too_much_is_not_listened_to(box: LogBox) -> None:
    watch = ScreenWatch(box.settings.storage, box.clock)
    assert [watch.hear("tv1", report()) for _ in range(12)] == [True] * 10 + [False] * 2
    box.clock.step(seconds=2)
    assert watch.hear("tv1", report())
    assert not watch.hear("tv1", report())
    assert watch.hear("tv2", report()), "others are"


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"schema": "vv.screen/1"}', '{"schema": "vv.screen/1", "tv": 1}']
)
def test_a_file_that_is_no_screen_is_left_alone(box: LogBox, content: str) -> None:
    wall = Wall(box)
    wall.run(70)
    (box.settings.storage.tvs / "x.json").write_text(content)
    (box.settings.storage.tvs / ".vv-tmp-1.json").write_text(content)
    assert len(ScreenWatch(box.settings.storage, box.clock).view(speak("en"))) == 1


def test_a_screen_from_the_future_is_one_of_now(box: LogBox) -> None:
    wall = Wall(box)
    wall.run(70)
    box.clock.moment -= timedelta(days=400)
    (screen,) = ScreenWatch(box.settings.storage, box.clock).view(speak("en"))
    assert screen["age_s"] == 0


def test_a_disk_that_takes_nothing_stops_no_watch(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    wall = Wall(box)
    monkeypatch.setattr("tv_ui.screen_files.write_json_atomic", fail)
    wall.run(180, moves=False)
    assert wall.told() == ["tv_frozen"]
    monkeypatch.setattr("tv_ui.screen_files.write_json_atomic", write_json_atomic)
    wall.run(120)
    assert files(box) == ["tv1--abc.json"]
    missing = box.settings.storage.tvs
    monkeypatch.setattr(type(missing), "glob", fail)
    assert ScreenWatch(box.settings.storage, box.clock).view(speak("en")) == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b"null", b"\xff", b"[" * 4000, b'{"a":1,"a":1}',
        *(
            json.dumps({**HEARD, **wrong}).encode()
            for wrong in (
                {"screen": ""}, {"screen": "a/b"}, {"screen": "a" * 65}, {"screen": 1}, {"state": "off"},
                {"state": []}, {"decoder": "none"}, {"frames": -1}, {"frames": True}, {"frames": 1.5},
                {"frames": 2**60}, {"frames": None}, {"uptime_s": "1"}, {"visible": 1}, {"errors": "x"},
                {"errors": ["x"] * 11}, {"errors": ["x" * 201]}, {"errors": [1]}, {"media": "x" * 201},
                {"page_version": None}, {"more": 1},
            )
        ),
    ],
)  # fmt: skip
def test_what_is_no_heartbeat_is_refused(box: LogBox, body: bytes) -> None:
    with client(box) as api:
        answer = api.post("/tv/tv1/heartbeat", content=body)
        assert answer.status_code == 422
        assert len(answer.text) < 400
        assert api.get("/tvs").json() == {"tvs": []}
    assert files(box) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_a_heartbeat_or_none(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_report(data)


def test_a_heartbeat_is_small_and_from_a_page_of_this_box(box: LogBox) -> None:
    with client(box) as api:
        large = json.dumps(HEARD).encode() + b" " * MAX_BYTES
        assert api.post("/tv/tv1/heartbeat", content=large).status_code == 413
        with pytest.raises(ValueError):
            parse_report(large)
        for origin, code in [
            ("http://127.0.0.1:8000", 204),
            ("http://evil.example", 403),
            ("null", 403),
            ("http://127.0.0.1:8001", 403),
        ]:
            answer = api.post("/tv/tv1/heartbeat", json=HEARD, headers={"Origin": origin})
            assert answer.status_code == code
            assert "access-control-allow-origin" not in answer.headers
        for _ in range(9):
            assert api.post("/tv/tv1/heartbeat", json=HEARD).status_code == 204
        assert api.post("/tv/tv1/heartbeat", json=HEARD).status_code == 429
        assert api.post("/tv/t%20v/heartbeat", json=HEARD).status_code == 404
        assert api.get("/tv/tv1/heartbeat").status_code == 405


def test_a_heartbeat_that_does_not_come_to_an_end_keeps_nobody_waiting(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tv_ui.screen_routes._PATIENCE_S", 0.1)
    head = b"POST /tv/tv1/heartbeat HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{"
    with (
        boxes.served(boxes.app_of(box)) as api,
        socket.create_connection(("127.0.0.1", api.port), 60) as slow,
    ):
        slow.sendall(head)
        assert slow.recv(1000).startswith(b"HTTP/1.1 408 ")


def test_the_status_tells_of_the_screens(box: LogBox) -> None:
    box.environ["VV_LANGUAGE"] = "pt-BR"
    beat(box)
    app = boxes.app_of(box)
    with TestClient(app, base_url="http://localhost") as api:
        evil = {**HEARD, "errors": ["<b>\x1b[2J"], "last_frame_ms": 90_000}
        assert api.post("/tv/tv1/heartbeat", json=evil).status_code == 204
        app.state.watch.look()
        status = api.get("/status").json()
        assert status["tvs"][0]["trouble"] == "frozen"
        assert "tv1/abc: imagem parada" in status["problems"]
        page = api.get("/").text
        assert "imagem parada · vídeo 20261121T050304Z-a1a1a1a1a1a1" in page
        assert "&lt;b&gt;" in page
        assert "\x1b" not in page
    assert alerts_of(box) == [("tv_frozen", "tv1/abc")]


def test_a_watch_that_stands_still_is_unhealthy(box: LogBox) -> None:
    wall = Wall(box)
    assert wall.watch.find_problem() is None
    wall.run(5)
    assert wall.watch.find_problem() is None
    box.clock.step(seconds=60)
    assert "nobody has looked" in (wall.watch.find_problem() or "")


@given(st.lists(st.tuples(st.integers(0, 120), st.booleans(), st.booleans()), max_size=40))
def test_told_and_back_take_turns(steps: list[tuple[int, bool, bool]]) -> None:
    """Whatever happens: never twice the same, never "back" where nothing was told."""
    moment, frames, last = 0.0, 0, ""
    book = ScreenBook([], 0.0)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for seconds, says, moves in steps:
        moment += seconds
        frames += moves
        if says:
            book.hear("tv1", report(frames=frames), now, moment)
        for alert in book.look(moment).alerts:
            assert alert.code != last
            assert alert.code != "tv_back" or last in {"tv_silent", "tv_frozen"}
            last = alert.code
