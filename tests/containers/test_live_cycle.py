"""A clip becomes a LogLine by the orchestrator's command and the real containers, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.containers.conftest import containers
from tests.containers.live import LiveBox
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

FOLDERS = ("analytic", "summaries", "loglines", "orchestrator_data", "processed")


def test_a_clip_becomes_a_logline_that_verifies(live: LiveBox, short_clip: Path) -> None:
    sha256 = live.add(short_clip)
    live.cycle()
    live.check()
    (line,) = live.box.log_lines()
    assert line[0] == sha256
    (logline,) = live.box.folder("loglines").glob("*.logline.json")
    assert "vv-01" in json.loads(logline.read_text())["who"]
    (summary,) = live.box.folder("summaries").glob("*.summary.json")
    assert json.loads(summary.read_text())["engine"]["model"], "the shipped model wrote it"
    owners = {path.lstat().st_uid for name in FOLDERS for path in live.box.folder(name).rglob("*")}
    assert owners == {live.user}
    assert containers(live) == []
    before = live.box.names("loglines")
    live.cycle()
    assert live.box.names("loglines") == before


def probe_health(live: LiveBox, limit_s: float) -> int:
    """Run the healthcheck in the container that works now, and return its exit code."""
    (container,) = containers(live)
    command = ["docker", "exec", container, "python", "-m", "vv_core.stage_health", str(limit_s)]
    return subprocess.run(command, capture_output=True, timeout=60, check=False).returncode


def test_a_container_that_is_killed_at_work_is_gone_and_the_next_cycle_finishes(
    live: LiveBox, long_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live.environment["SCAN_INTERVAL_SECONDS"] = "0.1"
    live.add(long_clip)
    orchestrator = live.start()
    wait_for(live.has_begun)
    assert probe_health(live, 1800) == 0
    assert probe_health(live, -1000) == 1, "so old is a batch that stands still"
    (container,) = containers(live)
    subprocess.run(["docker", "kill", container], capture_output=True, timeout=60, check=True)
    out, err = orchestrator.communicate(timeout=120)
    assert orchestrator.returncode == 0, out + err
    assert containers(live) == []
    live.check(is_settled=False)
    del live.environment["SCAN_INTERVAL_SECONDS"]
    live.cycle()
    live.check()


def test_an_orchestrator_that_is_killed_leaves_a_container_to_the_next_cycle(
    live: LiveBox, long_clip: Path
) -> None:
    live.environment["SCAN_INTERVAL_SECONDS"] = "0.1"
    live.add(long_clip)
    orchestrator = live.start()
    wait_for(live.has_begun)
    os.kill(orchestrator.pid, signal.SIGKILL)
    orchestrator.communicate(timeout=60)
    assert len(containers(live)) == 1
    del live.environment["SCAN_INTERVAL_SECONDS"]
    live.cycle()
    assert containers(live) == []
    live.check()
