"""Stages in containers: what only the compose runner has to get right."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.box import MakeBox
from tests.pipeline.subjects import Subject, containers, docker, in_box, lock_path, require_engine
from tests.support.forking import fork
from tests.support.waiting import wait_for
from vv_core.errors import ConfigError, UnavailableError
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.runners import ComposeRunner, make_runner
from vv_core.stage import StageItem


@pytest.fixture
def compose(make_box: MakeBox) -> Iterator[Subject]:
    """Return the compose runner in a box of its own; nothing of it is left."""
    require_engine()
    subject = in_box(make_box, "compose")
    yield subject
    subject.runner.recover()


def test_paths_are_those_of_the_volume(make_box: MakeBox) -> None:
    box = make_box(ORCHESTRATOR_COMPOSE_DATA_DIR="/videos")
    runner = ComposeRunner(box.settings)
    item = StageItem(box.input / "cam/a.mp4", box.folder("analytic") / "a.json", "cam/a.mp4")
    assert runner.place(item) == StageItem(
        Path("/videos/input/cam/a.mp4"), Path("/videos/analytic/a.json"), "cam/a.mp4"
    )
    with pytest.raises(ConfigError):
        runner.place(StageItem(Path("/elsewhere/a.mp4"), box.folder("analytic") / "a.json"))


@pytest.mark.parametrize("is_there", [False, True], ids=["not installed", "engine away"])
def test_without_docker_it_is_unavailable(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    subject = in_box(make_box, "compose")
    if is_there and shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    monkeypatch.setenv("DOCKER_HOST", "unix:///no/such/engine.sock")
    if not is_there:
        monkeypatch.setenv("PATH", str(subject.box.home))
    with pytest.raises(UnavailableError) as caught:
        subject.runner.recover()
    assert caught.value.advice
    outcomes = subject.run("ok", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [69, 69]
    assert outcomes[0].advice


def test_an_engine_that_goes_away_meanwhile_leaves_no_client(
    make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A docker that hangs and cannot remove anything: a script of that name stands on PATH."""
    docker_command = shutil.which("docker")
    if docker_command is None:
        pytest.skip("docker is not installed")
    subject = in_box(make_box, "compose")
    fake = subject.box.home / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *" run "*) exec sleep 600;; *" config "*) exec {docker_command} "$@";; '
        '*) echo "engine is away" >&2; exit 1;; esac\n'
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    started = time.monotonic()
    outcomes = subject.run("ok", "ok", is_stalled=lambda: time.monotonic() - started > 0.5)
    assert [outcome.exit_code for outcome in outcomes] == [69, 69]
    assert all(outcome.is_box_fault for outcome in outcomes)
    assert time.monotonic() - started < 120


@pytest.mark.docker
@pytest.mark.integration
@pytest.mark.parametrize(
    ("service", "code", "message", "advice"),
    [
        ("no_image", 69, "the image vv-contract/no-such-image:0 is not", "--profile stages build"),
        ("no_service", 78, "no such service: no_service", "docker-compose.yml"),
        ("no_folder", 69, "the folder '/no/such/folder' that no_folder needs", "bootstrap.py"),
        ("too_many_cpus", 69, "could not be started", "docs/containers.md"),
        ("wrong_memory", 78, "invalid size", ".env"),
    ],
)
def test_a_container_that_cannot_begin_blames_nobody_and_is_explained(
    compose: Subject, service: str, code: int, message: str, advice: str
) -> None:
    compose.spec = replace(compose.spec, service=service)
    if service == "wrong_memory":
        path = compose.box.home / "docker-compose.yml"
        path.write_text(path.read_text().replace("mem_limit: 96m", "mem_limit: lots", 1))
    outcomes = compose.run("ok", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [code, code]
    assert all(outcome.is_box_fault for outcome in outcomes)
    assert message in outcomes[0].message
    assert advice in outcomes[0].advice
    assert containers(compose) == []
    # Building is for a person to begin: it takes minutes and a network.
    assert docker("image", "ls", "--quiet", "vv-contract/no-such-image") == []


@pytest.mark.docker
@pytest.mark.integration
def test_a_program_that_is_not_in_its_image_blames_nobody(compose: Subject) -> None:
    """The engine saw the container die: that is the stage's own end, before it began with a video."""
    compose.spec = replace(compose.spec, service="no_program")
    outcomes = compose.run("ok", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [69, 69]
    assert outcomes[0].message.startswith("scan_video did not begin: ")
    assert not outcomes[0].is_box_fault


@pytest.mark.docker
@pytest.mark.integration
def test_want_of_memory_is_told_from_other_kills(compose: Subject) -> None:
    ok, oom, crash = compose.run("ok", "oom", "crash")
    assert (ok.exit_code, oom.exit_code, crash.exit_code) == (0, 137, 137)
    assert oom.message.startswith("scan_video ran out of memory")
    assert "SCANNER_MEMORY" in oom.advice
    assert crash.message.startswith("scan_video was killed (exit code 137")
    assert "SCANNER_MEMORY" not in crash.advice


def leave_behind(subject: Subject) -> None:
    """Kill an orchestrator, who holds the lock, while its stage is at work in a container."""
    child = fork()
    if child == 0:
        try:
            with CycleLock(lock_path(subject)) as lock:
                subject.runner = make_runner(subject.box.settings, lock.fileno())
                subject.run("hang")
        finally:
            os._exit(0)
    journals = subject.box.folder("orchestrator_data") / "batches"
    wait_for(lambda: any(path.stat().st_size for path in journals.glob("*.journal")))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


@pytest.mark.docker
@pytest.mark.integration
def test_recovery_removes_what_a_killed_orchestrator_left_and_nothing_else(
    compose: Subject, make_box: MakeBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR_RUNNER", "compose")
    leave_behind(compose)
    assert len(containers(compose)) == 1
    # Nobody is left to time the container out: the next orchestrator must not wait for it.
    with CycleLock(lock_path(compose)):
        pass
    other = make_box(VIDEO_STORAGE_ROOT=tmp_path / "other")
    ComposeRunner(other.settings).recover()
    assert len(containers(compose)) == 1
    compose.runner.recover()
    assert containers(compose) == []


@pytest.mark.docker
@pytest.mark.integration
def test_recovery_removes_any_number_of_containers(compose: Subject) -> None:
    assert isinstance(compose.runner, ComposeRunner)
    for _ in range(25):
        docker("create", "--label", compose.runner.label, "--network", "none", "python:3.11-slim")
    assert len(containers(compose)) == 25
    compose.runner.recover()
    assert containers(compose) == []
