"""What happens to the box itself becomes lines of the log through the writer's container (log_events)."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT
from tests.containers.conftest import containers
from tests.containers.live import LiveBox, hand_over, identity
from tests.pipeline.subjects import docker
from tests.retention.test_cleanup import events
from tests.support.clips import make_clip

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

LONG_AGO = "2026-01-02T03:04:05"


def make_old(live: LiveBox) -> None:
    """Let the box have processed its videos long ago."""
    log = live.box.log_path
    log.write_text(re.sub(r"\t20[0-9-]+T[0-9:]{8}", f"\t{LONG_AGO}", log.read_text("ascii")))
    for path in live.box.folder("processed").rglob("*.mp4"):
        os.utime(path, (1, 1))


def clean(live: LiveBox, **variables: str) -> tuple[int, int]:
    """Run the cleanup as cron does; return how many removals the log was told of, and how many it was not."""
    result = subprocess.run(
        [live.python, str(ROOT / "scripts" / "cleanup_old_files.py"), "--json"],
        env={**live.environment, **variables},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **identity(live.user, live.groups),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(result.stdout)
    return document["logged"], document["unlogged"]


def removed(live: LiveBox) -> list[str]:
    """Return the hashes of removed videos that the log names, after an audit."""
    keys = live.box.home / "secrets"
    hand_over(keys, os.geteuid())
    try:
        return [str(each["details"]["sha256"]) for each in events(live.box)]
    finally:
        hand_over(keys, live.user)


def test_what_the_cleanup_removes_becomes_a_line_of_the_log_even_later(
    live: LiveBox, short_clip: Path
) -> None:
    sha256 = live.add(short_clip)
    live.cycle()
    make_old(live)
    # The engine is away: the video goes, since its removal is written down, and the log hears of it later.
    assert clean(live, DOCKER_HOST="unix:///no/such/engine.sock") == (0, 1)
    assert (live.box.names("processed"), removed(live)) == ([], [])
    record = live.box.folder("orchestrator_data") / "removals.jsonl"
    assert json.loads(record.read_text())["sha256"] == sha256
    assert ("removal_not_logged", "log") in live.box.alerts()

    assert clean(live) == (1, 0)
    assert removed(live) == [sha256]
    assert record.read_text() == ""
    assert clean(live) == (0, 0)
    assert removed(live) == [sha256]
    owners = {
        path.lstat().st_uid
        for name in ("loglines", "orchestrator_data")
        for path in live.box.folder(name).rglob("*")
    }
    assert owners == {live.user}
    assert containers(live) == []


def test_stages_that_start_at_once_make_each_network_once(live: LiveBox, tmp_path: Path) -> None:
    """Compose makes the networks of all services for the first stage that runs, here before any `up`."""
    live.environment["ORCHESTRATOR_WORKERS"] = "2"
    live.environment["ORCHESTRATOR_BATCH_SIZE"] = "1"
    for number in range(2):
        live.add(make_clip(tmp_path / f"2026112{number}-020304.mp4", seconds=1 + number))
    live.cycle()
    live.check()
    label = f"label=com.docker.compose.project={live.environment['COMPOSE_PROJECT_NAME']}"
    names = docker("network", "ls", "--format", "{{.Name}}", "--filter", label)
    assert names
    assert len(names) == len(set(names))
