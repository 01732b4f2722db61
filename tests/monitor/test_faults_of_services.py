"""Faults of containers that stay, on a real engine, as the diagnosis sees them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.monitor.live import Project, project
from tests.monitor.recording import Right, check_situation
from tests.pipeline.subjects import require_engine
from tests.support.waiting import wait_for
from vv_core.heartbeat import Heartbeat
from vv_core.monitor.command import make_monitor
from vv_core.monitor.engine import DockerEngine
from vv_core.monitor.proposal import Action
from vv_core.settings import load_settings

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(300)]

SERVICES = """
name: {project}
x-base: &base
  image: debian:bookworm-slim
  init: true
  network_mode: none
  restart: "no"
  stop_grace_period: 1s
services:
  playlist_manager: {{<<: *base, command: [sleep, "600"]}}
  tv_api: {{<<: *base, command: [sh, -c, "echo no; exit 3"]}}
  tv_mirror: {{<<: *base, command: [sh, -c, "exit 4"], restart: always}}
  gateway:
    <<: *base
    command: [sh, -c, "sleep 1; exec tail /dev/zero"]
    mem_limit: 16m
    memswap_limit: 16m
  video_capture:
    <<: *base
    command: [sleep, "600"]
    healthcheck:
      test: [CMD, sh, -c, "echo nothing was moved for an hour; exit 1"]
      interval: 300ms
      retries: 1
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    require_engine()
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    with project(tmp_path, SERVICES) as made:
        monkeypatch.setenv("VV_COMPOSE_PROJECT", made.name)
        load_settings().storage.ensure()
        yield made


def check(right: Right) -> None:
    settings = load_settings()
    settings.storage.services.mkdir(exist_ok=True)
    with closing(DockerEngine(settings.docker_host, settings.docker_timeout_s)) as engine:
        check_situation(right, settings, make_monitor(settings, engine, is_dry_run=True))


def test_a_service_that_restarts_do_not_heal(box: Project) -> None:
    box.compose("up", "--detach", "tv_api")
    for _ in range(3):
        wait_for(lambda: box.state("tv_api") == "exited")
        box.look(CONTAINER_MAX_RESTART_ATTEMPTS="1")
        time.sleep(0.1)
    check(Right("restarts of tv_api have not helped", target="tv_api", is_known=True))


def test_a_service_that_ended_once(box: Project) -> None:
    box.compose("up", "--detach", "tv_api")
    wait_for(lambda: box.state("tv_api") == "exited")
    check(Right("tv_api has ended with an error", Action.RESTART))


def test_a_service_that_is_unhealthy(box: Project) -> None:
    box.compose("up", "--detach", "video_capture")
    wait_for(lambda: box.state("video_capture") == "unhealthy")
    check(Right("video_capture is unhealthy", Action.RESTART))


def test_a_service_that_ran_out_of_memory(box: Project) -> None:
    box.compose("up", "--detach", "gateway")
    wait_for(lambda: box.state("gateway") == "exited")
    check(Right("a service that stays ran out of memory", is_known=True))


def test_a_service_that_says_nothing_any_more(box: Project) -> None:
    box.compose("up", "--detach", "playlist_manager")
    services = load_settings().storage.services
    services.mkdir(exist_ok=True)
    past = datetime.fromtimestamp(time.time() - 4210, UTC)
    Heartbeat("playlist_manager", past, 180.0).write(services / "playlist_manager.json")
    name = "playlist_manager hangs, its container looks well"
    check(Right(name, Action.RESTART, "playlist_manager", is_known=True))
