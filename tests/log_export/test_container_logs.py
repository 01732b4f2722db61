"""What real containers say, in the archive and on the screen."""

from __future__ import annotations

import os
import secrets
import subprocess
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pipeline.subjects import require_engine
from vv_core.box_containers import look_at_containers
from vv_core.clock import SystemClock
from vv_core.log_export.exporting import export_day
from vv_core.log_export.selection import Day
from vv_core.settings import OWN_PREFIXES, load_settings

pytestmark = pytest.mark.docker

COMPOSE = """name: {name}
services:
  talker:
    image: python:3.11-slim-bookworm
    network_mode: none
    command: [python, -c, "import time; print('hello from a container', flush=True); time.sleep(600)"]
    init: true
  failing:
    image: python:3.11-slim-bookworm
    network_mode: none
    profiles: [stages]
    command: [python, -c, "import sys; print('it went wrong'); sys.exit(3)"]
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the home of a box with two containers, one of which has ended badly."""
    require_engine()
    for name in [name for name in os.environ if name.startswith((*OWN_PREFIXES, "COMPOSE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    path = tmp_path / "docker-compose.yml"
    path.write_text(COMPOSE.format(name=f"vvlogs{secrets.token_hex(4)}"))
    compose = ["docker", "compose", "--file", str(path), "--profile", "*"]
    try:
        subprocess.run([*compose, "up", "--detach", "--quiet-pull"], check=True, timeout=120)
        subprocess.run([*compose, "wait", "failing"], check=False, timeout=120)
        yield tmp_path
    finally:
        subprocess.run([*compose, "down", "--timeout", "1", "--volumes"], check=True, timeout=120)


def test_their_words_are_packed_and_the_one_that_is_not_well_stands_out(project: Path) -> None:
    settings = load_settings()
    view = look_at_containers(settings)
    assert view.problem == ""
    assert [(each.service, each.state, each.is_well) for each in view.containers] == [
        ("failing", "exited", False),
        ("talker", "running", True),
    ]
    day = Day.of(datetime.now(settings.zone).date(), settings.zone)
    assert day.start <= datetime.now(UTC) < day.end
    (project / "logs").mkdir(exist_ok=True)
    export = export_day(settings, day, SystemClock(), with_containers=True)
    assert export.problems == []
    names = [file["name"] for file in export.manifest["files"]]
    assert names[:2] == ["containers/failing.log", "containers/talker.log"]
    with tarfile.open(
        project / "data" / "exports" / "logs" / export.manifest["archive"]
    ) as archive:
        member = archive.extractfile("containers/talker.log")
        assert member is not None
        assert b"Z hello from a container\n" in member.read()
