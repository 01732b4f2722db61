"""The command: one turn, and the loop with its heartbeat."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from agent_dvr import agent_dvr
from agent_dvr.agent_dvr import CaptureJob, camera_of, reach_by_tcp
from tests.audit.samples import settings_of
from tests.support.waiting import wait_for
from vv_core.alerts import read_alerts
from vv_core.errors import TemporaryError
from vv_core.service_health import check
from vv_core.settings import Settings


def never() -> bool:
    return False


@dataclass
class MovedClock:
    """A clock that runs ahead of the machine's."""

    ahead: timedelta = field(default_factory=timedelta)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def monotonic(self) -> float:
        return self.now().timestamp()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings = settings_of(tmp_path)
    settings.storage.ensure()
    settings.storage.services.mkdir()
    return tmp_path


def boxed(home: Path, **variables: str) -> Settings:
    return settings_of(home, **{"ORCHESTRATOR_STABLE_SECONDS": "0", **variables})


def put(home: Path, name: str) -> Path:
    path = home / "data" / "raw" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("video")
    return path


def told(settings: Settings) -> list[tuple[str, str]]:
    entries = read_alerts(settings.storage.services / "alerts.jsonl")
    return [(str(entry["code"]), str(entry["subject"])) for entry in entries]


def test_a_turn_moves_and_says_what_it_did(home: Path) -> None:
    put(home, "gate/a.mp4")
    settings = boxed(home)
    assert CaptureJob(settings, MovedClock())(never) == {
        "moved": 1,
        "growing": 0,
        "dvr": "not set",
        "silent_cameras": [],
    }
    assert (settings.storage.input / "gate/a.mp4").is_file()


def test_a_lost_dvr_and_a_silent_camera_are_told(home: Path) -> None:
    settings = boxed(home, DVR_IP="10.0.0.2", VV_CAMERA_SILENT_MINUTES="1")
    (settings.storage.raw / "gate").mkdir()
    answers = chain([None, "refused", "refused", "refused"], repeat(None))
    asked: list[tuple[str, int, float]] = []

    def reach(address: str, port: int, timeout_s: float) -> str | None:
        asked.append((address, port, timeout_s))
        return next(answers)

    clock = MovedClock()
    job = CaptureJob(settings, clock, reach)
    words = []
    for _ in range(5):
        figures = job(never)
        assert job(never)["dvr"] == figures["dvr"], "not asked again at once"
        words.append(figures["dvr"])
        clock.ahead += timedelta(seconds=30)
    assert asked == [("10.0.0.2", 554, 3.0)] * 5
    lost = "no answer: refused"
    assert words == ["answers", lost, lost, lost, "answers"]
    assert told(settings) == [
        ("camera_silent", "gate"),
        ("dvr_lost", "10.0.0.2:554"),
        ("dvr_back", "10.0.0.2:554"),
    ]
    assert job(never)["silent_cameras"] == ["gate"]


def test_a_recording_that_cannot_be_taken_makes_the_turn_fail(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        put(home, name)

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(TemporaryError, match=r"'a\.mp4' \(and 1 more\)"):
        CaptureJob(boxed(home), MovedClock())(never)


def test_an_alert_that_cannot_be_kept_makes_the_turn_fail(home: Path) -> None:
    settings = boxed(home, VV_CAMERA_SILENT_MINUTES="1")
    (settings.storage.raw / "gate").mkdir()
    (settings.storage.services / "alerts.jsonl").mkdir()
    clock = MovedClock()
    job = CaptureJob(settings, clock)
    job(never)
    clock.ahead = timedelta(minutes=2)
    with pytest.raises(TemporaryError, match="keep an alert"):
        job(never)


def test_a_long_turn_leaves_the_rest_to_the_next_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.mp4", "b.mp4"):
        put(home, name)
    clock = MovedClock()
    real = os.link

    def slow(source: Path, target: Path, **more: bool) -> None:
        clock.ahead += timedelta(seconds=31)
        real(source, target, **more)

    monkeypatch.setattr(os, "link", slow)
    job = CaptureJob(boxed(home), clock)
    assert [job(never)["moved"] for _ in range(3)] == [1, 1, 0]


@pytest.mark.parametrize(
    ("name", "camera"), [("a.mp4", ""), ("gate/a.mp4", "gate"), ("g/d/a", "g")]
)
def test_the_camera_is_the_first_folder(name: str, camera: str) -> None:
    assert camera_of(name) == camera


def test_reaching_is_a_real_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert reach_by_tcp("127.0.0.1", port, 5.0) is None
    reason = reach_by_tcp("127.0.0.1", port, 5.0)
    assert reason == "Connection refused"
    assert reach_by_tcp("no-such-host.invalid", 554, 5.0)


def test_once_says_how_many(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put(home, "gate/a.mp4")
    monkeypatch.setenv("VV_HOME", str(home))
    monkeypatch.setenv("ORCHESTRATOR_STABLE_SECONDS", "0")
    assert agent_dvr.main(["--once"]) == 0
    assert capsys.readouterr().out == "1 → input/\n"
    monkeypatch.setenv("DVR_IP", "http://10.0.0.2")
    assert agent_dvr.main(["--once"]) == 78
    assert "DVR_IP" in capsys.readouterr().err


@pytest.mark.integration
def test_the_loop_takes_what_comes_and_ends_when_asked(home: Path) -> None:
    settings = boxed(home)
    storage = settings.storage
    heartbeat = storage.services / "video_capture.json"
    environment = {
        **os.environ,
        "VV_HOME": str(home),
        "VV_CAPTURE_POLL_SECONDS": "0.2",
        "ORCHESTRATOR_STABLE_SECONDS": "0",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_dvr.agent_dvr"], env=environment, stderr=subprocess.PIPE
    )
    try:
        wait_for(heartbeat.exists, "no heartbeat")
        put(home, "gate/a.mp4")
        wait_for((storage.input / "gate/a.mp4").exists, "not moved")
        wait_for(lambda: check(heartbeat, datetime.now(UTC)) is None, "not healthy")
        storage.raw.rename(storage.root / "away")
        wait_for(lambda: "list" in (check(heartbeat, datetime.now(UTC)) or ""), "still healthy")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.communicate(timeout=60)
