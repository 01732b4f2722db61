"""Heartbeats, the healthcheck that reads them, and the loop that writes them."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vv_core import service_health
from vv_core.errors import ConfigError, InputDataError, InputMissingError
from vv_core.heartbeat import Heartbeat, find_problem, read_heartbeat
from vv_core.service import Service, run_service
from vv_core.stop_sign import StopSign

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
BEAT = Heartbeat("playlist_manager", NOW, 100.0, details={"items": 3})


def test_a_heartbeat_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    BEAT.write(path)
    assert read_heartbeat(path) == BEAT


@pytest.mark.parametrize(
    ("problem", "seconds", "word"),
    [
        ("", 0, None),
        ("", 100, None),
        ("", 101, "101 s ago"),
        ("", -100, None),
        ("", -101, "-101 s ago"),
        ("the disk is full", 0, "the disk is full → free some"),
    ],
)
def test_it_counts_for_a_while_and_only_when_all_is_well(
    problem: str, seconds: float, word: str | None
) -> None:
    beat = Heartbeat("a", NOW, 100.0, problem, "free some")
    found = find_problem(beat, NOW + timedelta(seconds=seconds))
    assert found is None if word is None else word in (found or "")


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "vv.heartbeat/9"},
        {"more": 1},
        {"time": "yesterday"},
        {"good_for_s": "long"},
        {"details": 5},
    ],
)
def test_what_is_no_heartbeat_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "a.json"
    BEAT.write(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(InputDataError):
        read_heartbeat(path)
    path.write_text("[]")
    with pytest.raises(InputDataError):
        read_heartbeat(path)
    path.unlink()
    with pytest.raises(InputMissingError):
        read_heartbeat(path)


def test_the_healthcheck_ends_as_docker_wants_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    assert service_health.main([str(path)]) == 1
    assert "cannot read" in capsys.readouterr().out
    Heartbeat("a", datetime.now(UTC), 100.0).write(path)
    assert service_health.main([str(path)]) == 0
    Heartbeat("a", datetime.now(UTC), 0.0).write(path)
    assert service_health.main([str(path)]) == 1
    assert "0 s may pass" in capsys.readouterr().out
    assert service_health.main([]) == 64


def test_what_the_one_before_has_said_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    BEAT.write(path)
    written = NOW.timestamp()
    os.utime(path, (written, written))
    assert service_health.check(path, NOW, NOW) is None
    assert service_health.check(path, NOW, NOW - timedelta(hours=1)) is None
    # Another container can begin within the same second.
    late = service_health.check(path, NOW, NOW + timedelta(milliseconds=200))
    assert "since it was started" in (late or "")


def test_a_heartbeat_that_goes_away_meanwhile_is_no_sign_of_health(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    monkeypatch.setattr(service_health, "read_heartbeat", lambda _path: BEAT)
    assert "No such file" in (service_health.check(path, NOW, NOW) or "")


def test_the_start_of_the_container_is_asked_of_the_kernel(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    began = service_health.started_at(now)
    assert began is not None
    assert began < now
    (tmp_path / "1").mkdir()
    (tmp_path / "uptime").write_text("80.25 12.00\n")
    fields = " ".join(["S", *["0"] * 18, str(50 * os.sysconf("SC_CLK_TCK")), "0"])
    (tmp_path / "1" / "stat").write_text(f"1 (a) b (c) {fields}\n")
    assert service_health.started_at(now, tmp_path) == now - timedelta(seconds=30.25)
    (tmp_path / "uptime").write_text("49.00 12.00\n")
    assert service_health.started_at(now, tmp_path) is None
    for file, text in (("1/stat", "1 (a) S 0"), ("uptime", "\n"), ("uptime", "x 1\n")):
        kept = (tmp_path / file).read_text()
        (tmp_path / file).write_text(text)
        assert service_health.started_at(now, tmp_path) is None
        (tmp_path / file).write_text(kept)
    (tmp_path / "uptime").unlink()
    assert service_health.started_at(now, tmp_path) is None


def test_the_healthcheck_is_light() -> None:
    code = "import sys, vv_core.service_health; print(*sys.modules)"
    # Measured runs import sqlite3 themselves.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=env,
    )
    assert not {"pydantic", "yaml", "jsonschema_rs", "sqlite3"} & set(result.stdout.split())


class Turns:
    """A job that does what each of its turns is told, and asks to end in the last."""

    def __init__(self, heartbeat: Path, *turns: Exception | None) -> None:
        self._heartbeat = heartbeat
        self._turns = list(turns)
        self.problems: list[str | None] = []

    def __call__(self, is_ending: Callable[[], bool]) -> Mapping[str, object]:
        self._note()
        assert not is_ending()
        turn = self._turns.pop(0)
        if not self._turns:
            os.kill(os.getpid(), signal.SIGTERM)
            assert is_ending()
        if turn is not None:
            raise turn
        return {"left": len(self._turns)}

    def _note(self) -> None:
        if self._heartbeat.exists():
            self.problems.append(read_heartbeat(self._heartbeat).problem)


def test_a_turn_that_fails_is_told_and_the_next_one_tries_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data")
    turns = Turns(path, None, ConfigError("wrong rules", advice="a"), full, None)
    assert run_service(Service("a", path, 0.001, 5.0), turns) == 0
    assert turns.problems[:2] == ["", "wrong rules"]
    assert "No space left" in str(turns.problems[2])
    beat = read_heartbeat(path)
    assert (beat.problem, beat.details, beat.good_for_s) == ("", {"left": 0}, 5.001)


def test_a_service_may_rest_in_a_way_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    reader, writer = os.pipe()
    rests: list[float] = []

    def rest(sign: StopSign, longest_s: float) -> None:
        rests.append(longest_s)
        os.write(writer, b"x")
        sign.wait(longest_s, [reader])

    turns = Turns(path, None, None, None)
    assert run_service(Service("a", path, 600.0, 5.0), turns, rest=rest) == 0
    assert rests == [600.0, 600.0]
    for descriptor in (reader, writer):
        os.close(descriptor)


def test_a_heartbeat_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "gone" / "a.json"
    turns = Turns(path, None, None)
    assert run_service(Service("a", path, 0.001, 5.0), turns) == 0
    assert not path.exists()


def test_a_fault_of_ours_ends_the_program(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with pytest.raises(ZeroDivisionError):
        run_service(Service("a", path, 0.001, 5.0), Turns(path, ZeroDivisionError(), None))
