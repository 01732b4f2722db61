"""The monitor on a real engine: crashes, illness, giving up, and what it must not touch."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT
from tests.monitor.live import Project, project
from tests.pipeline.subjects import docker, require_engine
from tests.support.waiting import wait_for
from vv_core.heartbeat import find_problem, read_heartbeat

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Project]:
    require_engine()
    with project(tmp_path) as made:
        yield made


def test_a_crash_is_healed_and_the_foreign_and_the_one_off_stay_as_they_are(
    box: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with project(tmp_path_factory.mktemp("foreign")) as foreign:
        one_off = f"{box.name}-by-hand"
        foreign.compose("up", "--detach", "steady")
        box.compose("up", "--detach", "steady")
        box.compose("run", "--detach", "--name", one_off, "hopeless")
        foreign.kill("steady")
        box.kill("steady")
        wait_for(lambda: box.inspect(one_off)["State"]["Status"] == "exited")
        untouched = [box.inspect(one_off)["State"], foreign.inspect(foreign.container("steady"))]
        seen = box.look()
        assert seen.keys() == {"steady"}, "one-offs and foreign containers are not even looked at"
        assert (seen["steady"]["condition"], seen["steady"]["outcome"]) == ("failed", "restarted")
        assert box.state("steady") == "running"
        again = [box.inspect(one_off)["State"], foreign.inspect(foreign.container("steady"))]
        assert again == untouched
        docker("rm", "--force", one_off)


def test_unhealthy_is_restarted_at_the_threshold_and_gets_well(box: Project) -> None:
    box.compose("up", "--detach", "ill")
    wait_for(lambda: box.state("ill") == "unhealthy")
    outcomes = [box.look(HEALTHCHECK_FAILURE_THRESHOLD="2")["ill"]["outcome"] for _ in range(2)]
    assert outcomes == ["", "restarted"]
    wait_for(lambda: box.state("ill") == "healthy")
    assert box.look()["ill"]["condition"] == "well"
    assert box.alerts() == []


def test_what_never_recovers_is_told_once_after_the_last_attempt(box: Project) -> None:
    box.compose("up", "--detach", "hopeless")
    restarts = 0
    for _ in range(5):
        wait_for(lambda: box.state("hopeless") == "exited")
        restarts += box.look(CONTAINER_MAX_RESTART_ATTEMPTS="2")["hopeless"]["is_due"]
    assert restarts == 2
    (alert,) = box.alerts()
    assert (alert["severity"], alert["subject"]) == ("CRITICAL", box.container("hopeless"))
    assert alert["fields"]["attempts"] == 2


def test_what_the_engine_restarts_for_ever_is_told_and_a_dry_run_says_so_only(box: Project) -> None:
    box.compose("up", "--detach", "looping", "hopeless")
    wait_for(lambda: box.inspect(box.container("looping"))["RestartCount"] > 3)
    wait_for(lambda: box.state("hopeless") == "exited")
    result = box.monitor("--dry-run")
    assert "would be restarted" in result.stdout
    assert box.state("hopeless") == "exited"
    for _ in range(20):
        # By chance it is seen at work, between two of its ends.
        seen = box.look(HEALTHCHECK_FAILURE_THRESHOLD="2", CONTAINER_MAX_RESTART_ATTEMPTS="99")
        assert seen["looping"]["outcome"] == ""
        if box.alerts():
            break
    assert [alert["subject"] for alert in box.alerts()] == [box.container("looping")]


def test_stopped_by_hand_it_stays_stopped(box: Project) -> None:
    box.compose("up", "--detach", "steady")
    box.compose("stop", "steady")
    assert box.look()["steady"]["condition"] == "left alone"
    assert box.state("steady") == "exited"


def test_an_engine_that_does_not_answer_is_69_and_told_once(box: Project) -> None:
    away = {
        "DOCKER_HOST": f"unix://{box.home}/no-engine.sock",
        "HEALTHCHECK_FAILURE_THRESHOLD": "2",
    }
    for _ in range(3):
        result = box.monitor("--once", **away)
        assert result.returncode == 69
        assert "→" in result.stderr
        assert "Traceback" not in result.stderr
    assert [alert["code"] for alert in box.alerts()] == ["engine_unreachable"]
    box.compose("up", "--detach", "steady")
    assert box.look()["steady"]["condition"] == "well"


def test_the_loop_heals_and_ends_when_it_is_asked_to(box: Project) -> None:
    box.compose("up", "--detach", "steady")
    monitor = subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "self_monitor.py"), "--loop"],
        env=box.environment(VV_MONITOR_INTERVAL="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        first = box.inspect(box.container("steady"))["State"]["StartedAt"]
        docker("exec", box.container("steady"), "sh", "-c", "kill -9 -1")
        wait_for(
            lambda: (
                box.state("steady") == "running"
                and box.inspect(box.container("steady"))["State"]["StartedAt"] != first
            )
        )
        assert box.monitor("--once").returncode == 0, "two monitors do not disturb each other"
        monitor.send_signal(signal.SIGTERM)
        out, err = monitor.communicate(timeout=60)
    finally:
        monitor.kill()
        monitor.wait()
    assert monitor.returncode == 0, err
    assert "restarted" in out
    heartbeat = read_heartbeat(box.home / "data/orchestrator_data/services/self_monitor.json")
    assert heartbeat.details == {"containers": 1, "ill": 0, "given_up": 0}
    assert find_problem(heartbeat, datetime.now(UTC)) is None
