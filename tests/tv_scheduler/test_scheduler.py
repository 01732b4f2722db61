"""The command: once, and for as long as it may."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tv_scheduler.conftest import TvBox
from tv_scheduler import tv_scheduler
from tv_scheduler.job import PlaylistJob
from vv_core.alerts import read_alerts
from vv_core.errors import ConfigError, TemporaryError, VvError
from vv_core.service_health import check


def never() -> bool:
    return False


def turn(box: TvBox, job: PlaylistJob | None = None) -> dict[str, object]:
    """Do a turn, a minute later, so that all is looked at and nothing is still being written."""
    box.log.clock.step(seconds=60)
    return (job or PlaylistJob(box.settings, box.log.clock))(never)


def items(box: TvBox, name: str) -> list[str]:
    document = json.loads((box.settings.storage.playlists / name).read_text("utf-8"))
    return [str(item["title"]) for item in document["items"]]


def test_playlists_are_made_from_what_verifies(box: TvBox) -> None:
    box.add("early", ago=timedelta(hours=3))
    box.add("late", "curado", ago=timedelta(hours=1))
    box.add("alarm", "alerta")
    box.add("old", ago=timedelta(hours=24))
    changed = box.add("changed")
    changed.write_bytes(changed.read_bytes().replace(b"confirmado", b"alerta"))
    figures = turn(box)
    assert items(box, "tv1.json") == ["early", "late"]
    assert items(box, "tv2.json") == ["alarm"]
    assert items(box, "tv3.json") == ["late"]
    assert items(box, "playlist.json") == ["early", "alarm", "late"]
    assert figures["refused"] == 1


def test_what_has_not_changed_is_left_alone(box: TvBox) -> None:
    box.add("a")
    turn(box)
    folder = box.settings.storage.playlists
    before = {path.name: path.stat() for path in folder.glob("*.json")}
    box.log.clock.step(minutes=5)
    turn(box)
    assert {path.name: path.stat() for path in folder.glob("*.json")} == before
    box.add("b", "alerta")
    turn(box)
    changed = {path.name for path in folder.glob("*.json") if path.stat() != before[path.name]}
    assert changed == {"tv2.json", "playlist.json"}


def test_an_item_leaves_when_its_time_is_over(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=23, minutes=58))
    job = PlaylistJob(box.settings, box.log.clock)
    turn(box, job)
    assert items(box, "tv1.json") == ["a"]
    box.log.clock.step(minutes=2)
    turn(box, job)
    assert items(box, "tv1.json") == []


@pytest.mark.parametrize("content", [b"", b"{", b'{"items": []}', b"\xff"])
def test_a_damaged_playlist_is_made_again(box: TvBox, content: bytes) -> None:
    box.add("a")
    turn(box)
    path = box.settings.storage.playlists / "tv1.json"
    path.write_bytes(content)
    turn(box)
    assert items(box, "tv1.json") == ["a"]


def test_rules_of_ones_own_hold_and_the_lists_of_tvs_that_are_no_more_go(box: TvBox) -> None:
    turn(box)
    storage = box.settings.storage
    (storage.playlists / "notes.json").write_text("{}")
    (storage.root / "config").mkdir()
    (storage.root / "config/tvs.yaml").write_text(
        "schema: vv.tv-rules/1\ntvs: [{name: hall, statuses: [alerta], order: time, window_hours: 1}]\n"
    )
    box.log.environ["VV_PLAYLIST_RULES_FILE"] = "data/config/tvs.yaml"
    turn(box)
    names = {path.name for path in storage.playlists.glob("*.json")}
    assert [path.name for path in (storage.playlists / "explain").iterdir()] == ["hall.json"]
    assert names == {"hall.json", "playlist.json", "notes.json"}


def test_rules_that_are_wrong_change_nothing(box: TvBox) -> None:
    box.add("a")
    turn(box)
    (box.log.home / "tvs.yaml").write_text("schema: wrong\n")
    box.log.environ["VV_PLAYLIST_RULES_FILE"] = "tvs.yaml"
    with pytest.raises(ConfigError, match="line 1"):
        turn(box)
    assert items(box, "tv1.json") == ["a"]


def test_a_line_that_is_not_the_boxs_own_raises_an_alert_once(box: TvBox) -> None:
    path = box.add("a")
    path.write_bytes(path.read_bytes().replace(b"portaria", b"portarix"))
    job = PlaylistJob(box.settings, box.log.clock)
    box.settings.storage.services.mkdir()
    turn(box, job)
    turn(box, job)
    (alert,) = read_alerts(box.settings.storage.services / "alerts.jsonl")
    assert (alert["code"], alert["severity"]) == ("logline_refused", "CRITICAL")
    assert "a.logline.json" in str(alert["message"])


def test_a_folder_that_cannot_be_written_is_told_before_anything_changes(box: TvBox) -> None:
    turn(box)
    shutil.rmtree(box.settings.storage.playlists)
    with pytest.raises(VvError, match="write playlists"):
        turn(box)


def test_an_alert_that_cannot_be_kept_is_told(box: TvBox) -> None:
    path = box.add("a")
    path.write_bytes(path.read_bytes().replace(b"portaria", b"portarix"))
    (box.settings.storage.services / "alerts.jsonl").mkdir(parents=True)
    with pytest.raises(TemporaryError, match="keep an alert"):
        turn(box)


def test_once_says_what_is_listed(
    box: TvBox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    box.add("a")
    monkeypatch.setenv("VV_HOME", str(box.log.home))
    assert tv_scheduler.main(["--once"]) == 0
    assert capsys.readouterr().out == "tv1: 1 itens\ntv2: 0 itens\ntv3: 0 itens\nall: 1 itens\n"
    monkeypatch.setenv("VV_PLAYLIST_RULES_FILE", "none.yaml")
    assert tv_scheduler.main(["--once"]) == 78
    assert "none.yaml" in capsys.readouterr().err


@contextmanager
def running(box: TvBox) -> Iterator[subprocess.Popen[str]]:
    environment = {**os.environ, "VV_HOME": str(box.log.home), "VV_PLAYLIST_POLL_SECONDS": "0.2"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tv_scheduler.tv_scheduler"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=60)


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@pytest.mark.integration
def test_the_loop_works_tells_its_health_and_ends_when_asked(box: TvBox) -> None:
    storage = box.settings.storage
    heartbeat = storage.services / "playlist_manager.json"
    assert "cannot read" in (check(heartbeat, box.now) or "")
    storage.services.mkdir()
    with running(box) as process:
        wait_for((storage.playlists / "playlist.json").exists, "no playlist")
        wait_for(lambda: heartbeat.exists() and check(heartbeat, box.now) is None, "not healthy")
        box.add("a")
        wait_for(lambda: items(box, "tv1.json") == ["a"], "the new LogLine is not listed")
        storage.playlists.rename(storage.root / "away")
        wait_for(lambda: "write playlists" in (check(heartbeat, box.now) or ""), "still healthy")
        (storage.root / "away").rename(storage.playlists)
        wait_for(lambda: check(heartbeat, box.now) is None, "never healthy again")
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert err.count("write playlists") == 1, "told once, not with every turn"
    assert Path(storage.playlists / "tv1.json").exists()
