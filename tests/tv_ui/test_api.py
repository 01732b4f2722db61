"""What the API answers, and whom."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import beat, client, put_playlist
from vv_core.alerts import Alert, FileSink, Severity
from vv_core.pipeline.history import CycleRun, History


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    """Return a box on which all is well."""
    box = boxes.new_box(tmp_path)
    box.append("a")
    storage = box.settings.storage
    for name in ("tv2", "playlist"):
        put_playlist(storage, name)
    beat(box)
    with closing(History(storage.orchestrator_data / "orchestrator_db.sqlite")) as history:
        history.add_cycle(CycleRun(box.clock.now().timestamp(), 1.5, 3, 2, 1, 0, ""))
    (storage.input / "waiting.mp4").write_text("video")
    return box


def problems(box: LogBox) -> list[str]:
    response = client(box).get("/health")
    body = response.json()
    assert (response.status_code == 503) == bool(body["problems"])
    assert body["status"] == ("unhealthy" if body["problems"] else "ok")
    return list(body["problems"])


def test_it_is_healthy_where_all_is_well(box: LogBox) -> None:
    assert problems(box) == []


@pytest.mark.parametrize("name", ["playlists", "input", "loglines", "orchestrator_data"])
def test_without_its_data_it_is_not(box: LogBox, name: str) -> None:
    shutil.rmtree(box.settings.storage.root / name)
    assert any(f"{name}'" in problem for problem in problems(box))


def test_with_playlists_that_nobody_keeps_up_to_date_it_is_not(box: LogBox) -> None:
    box.clock.step(seconds=180)
    assert problems(box) == []
    box.clock.step(seconds=1)
    assert "181 s ago" in problems(box)[0]
    beat(box, "the rules are wrong", "correct line 3")
    assert problems(box) == ["the rules are wrong → correct line 3"]
    (box.settings.storage.services / "playlist_manager.json").unlink()
    assert "has not said that it works" in problems(box)[0]


def test_with_a_playlist_that_is_gone_or_torn_it_is_not(box: LogBox) -> None:
    path = box.settings.storage.playlists / "playlist.json"
    path.write_text("{")
    assert "playlist.json" in problems(box)[0]
    path.unlink()
    assert "playlist.json" in problems(box)[0]


def test_the_status_tells_all_of_the_box(box: LogBox) -> None:
    storage = box.settings.storage
    alert = Alert(Severity.WARNING, "a", "b", "something", "do it")
    FileSink(storage.orchestrator_data / "alerts.jsonl").send(alert, box.clock.now())
    (storage.corrupted / "x.mp4.meta.json").write_text("{}")
    status = client(box).get("/status").json()
    assert status["problems"] == []
    assert status["box"] == "vv-01"
    assert (status["pipeline"]["queued"], status["pipeline"]["quarantined"]) == (1, 1)
    assert status["pipeline"]["last_cycle"]["done"] == 2
    assert status["pipeline"]["disk_free_bytes"] > 0
    assert status["log"]["size"] == 1
    assert status["playlists"]["all"]["items"] == 1
    assert status["services"]["playlist_manager"]["problem"] is None
    assert [alert["message"] for alert in status["alerts"]] == ["something"]


def test_what_cannot_be_told_is_named_and_the_rest_is_told(box: LogBox) -> None:
    storage = box.settings.storage
    (storage.orchestrator_data / "orchestrator_db.sqlite").unlink()
    (storage.log / "checkpoint").write_text("torn")
    (storage.services / "video_capture.json").write_text("{}")
    response = client(box).get("/status")
    status = response.json()
    assert response.status_code == 200
    assert [status[part] for part in ("pipeline", "log")] == [None, None]
    assert len(status["problems"]) == 3
    assert "not a heartbeat" in status["services"]["video_capture"]["problem"]
    assert status["services"]["playlist_manager"]["problem"] is None
    assert status["playlists"]["tv2"]["items"] == 1


def test_a_history_that_is_no_database_is_named(box: LogBox) -> None:
    (box.settings.storage.orchestrator_data / "orchestrator_db.sqlite").write_text("x" * 5000)
    status = client(box).get("/status").json()
    assert "not a database" in status["problems"][0]


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_the_page_shows_it_and_nothing_that_a_file_name_could_do(
    box: LogBox, language: str
) -> None:
    storage = box.settings.storage
    alert = Alert(Severity.WARNING, "a", "b", "<script>alert(1)</script>", "do\x1b[2J it")
    FileSink(storage.orchestrator_data / "alerts.jsonl").send(alert, box.clock.now())
    box.environ["VV_LANGUAGE"] = language
    text = client(box).get("/").text
    assert ("Queue" if language == "en" else "Fila") in text
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert "\x1b" not in text
    beat(box, "the rules are wrong", "correct line 3")
    assert "correct line 3" in client(box).get("/").text


def test_the_page_stands_where_nothing_is_there_yet(box: LogBox) -> None:
    shutil.rmtree(box.settings.storage.root)
    response = client(box).get("/")
    assert response.status_code == 200
    assert 'class="bad"' in response.text


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json", "/nothing"])
def test_nothing_else_is_told(box: LogBox, path: str) -> None:
    assert client(box).get(path).status_code == 404


@pytest.mark.parametrize("path", ["/", "/health", "/status", "/playlists/tv2"])
def test_it_reads_only(box: LogBox, path: str) -> None:
    root = box.settings.storage.root
    before = {path: path.lstat() for path in root.rglob("*")}
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert client(box).request(method, path).status_code == 405
    assert client(box).get(path).status_code == 200
    after = {path: path.lstat() for path in root.rglob("*")}
    assert {path: status.st_mtime_ns for path, status in before.items()} == {
        path: status.st_mtime_ns for path, status in after.items()
    }


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("127.0.0.1.evil.example", 400),
    ],
)
def test_a_page_elsewhere_does_not_reach_it_through_a_browser(
    box: LogBox, host: str, code: int
) -> None:
    assert client(box, host).get("/health").status_code == code


def test_names_of_ones_own_can_be_allowed(box: LogBox) -> None:
    box.environ["VV_TV_API_HOSTS"] = "box.lan, 10.0.0.5"
    assert client(box, "box.lan").get("/health").status_code == 200
    assert client(box, "localhost").get("/health").status_code == 400
    assert client(box, "127.0.0.1:8000").get("/health").status_code == 200, "the healthcheck"


def test_browsers_are_told_to_trust_nothing(box: LogBox) -> None:
    headers = client(box).get("/").headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-cache"


def test_a_history_is_read_where_nothing_can_be_written(box: LogBox) -> None:
    """As in the container: no index of the WAL beside it, and no way to make one."""
    path = box.settings.storage.orchestrator_data / "orchestrator_db.sqlite"
    copy = box.home / "orchestrator_db.sqlite"
    shutil.copy(path, copy)
    assert not path.with_name(f"{path.name}-wal").exists()
    with closing(History.view(copy)) as history:
        cycle = history.last_cycle()
    assert cycle is not None
    assert cycle.done == 2
    with closing(History(copy)) as writer:
        writer.add_cycle(CycleRun(1.0, 1.0, 9, 9, 0, 0, ""))
        with closing(History.view(copy)) as history:
            assert history.last_cycle() == CycleRun(1.0, 1.0, 9, 9, 0, 0, "")
