"""``rebuild_changed.sh`` on a real engine: one service changes, one breaks, one was never asked."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.containers.compose_file import ROOT
from tests.pipeline.subjects import docker, require_engine

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(900)]

COMPOSE = """
name: {project}
x-base: &base
  init: true
  network_mode: none
  restart: unless-stopped
  stop_grace_period: 1s
  pull_policy: never
  healthcheck: {{test: [CMD, grep, -q, well, /state], interval: 300ms, timeout: 5s, retries: 2}}
services:
  one:
    <<: *base
    image: {project}/one:local
    build: {{context: ., dockerfile: one.Dockerfile}}
  two:
    <<: *base
    image: {project}/two:local
    build: {{context: ., dockerfile: two.Dockerfile}}
  job:
    image: {project}/job:local
    build: {{context: ., dockerfile: job.Dockerfile}}
    profiles: [stages]
    network_mode: none
    pull_policy: never
"""
SERVICE = 'FROM debian:bookworm-slim\nCOPY {name}.state /state\nENTRYPOINT ["sleep", "600"]\n'
JOB = 'FROM debian:bookworm-slim\nCOPY job.state /state\nENTRYPOINT ["sh", "-c", "grep well /state"]\n'


@dataclass
class Site:
    """A compose project of three images."""

    home: Path
    project: str

    def write(self, name: str, text: str) -> None:
        (self.home / f"{name}.state").write_text(f"{text}\n")

    def run(self, *arguments: str, code: int = 0) -> str:
        """Run the script; return what it says."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("VV_")}
        result = subprocess.run(
            ["bash", str(ROOT / "scripts" / "rebuild_changed.sh"), "--wait", "30", *arguments],
            env={**kept, "VV_HOME": str(self.home)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert result.returncode == code, result.stdout + result.stderr
        return result.stdout

    def rebuild(self, *arguments: str, code: int = 0) -> dict[str, dict[str, str]]:
        """Run the script; return its rows by image."""
        said = self.run("--json", *arguments, code=code)
        rows = json.loads(said) if said else []
        return {row["image"].partition("/")[2].partition(":")[0]: row for row in rows}

    def inspect(self, service: str) -> dict[str, Any]:
        name = f"{self.project}-{service}-1"
        result = subprocess.run(
            ["docker", "inspect", name], capture_output=True, text=True, timeout=60, check=True
        )
        found: dict[str, Any] = json.loads(result.stdout)[0]
        return found

    def compose(self, *arguments: str) -> None:
        subprocess.run(
            ["docker", "compose", "--file", str(self.home / "docker-compose.yml"), "--profile", "*",
             *arguments],
            capture_output=True, timeout=120, check=True,
        )  # fmt: skip

    def alerts(self) -> list[dict[str, Any]]:
        path = self.home / "data" / "orchestrator_data" / "alerts.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    require_engine()
    site = Site(tmp_path, f"vvt{secrets.token_hex(4)}")
    (tmp_path / "docker-compose.yml").write_text(COMPOSE.format(project=site.project))
    (tmp_path / "data" / "orchestrator_data").mkdir(parents=True)
    for name in ("one", "two"):
        (tmp_path / f"{name}.Dockerfile").write_text(SERVICE.format(name=name))
    (tmp_path / "job.Dockerfile").write_text(JOB)
    for name in ("one", "two", "job"):
        site.write(name, "well 1")
    try:
        yield site
    finally:
        site.compose("down", "--timeout", "0", "--remove-orphans")
        names = docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "--filter",
                       f"reference={site.project}/*")  # fmt: skip
        if names:
            docker("image", "rm", "--force", *names)


def test_only_what_changed_is_built_and_what_breaks_goes_back(site: Site) -> None:
    assert {row["reason"] for row in site.rebuild("--dry-run").values()} == {"missing"}
    assert docker("image", "ls", "--quiet", "--filter", f"reference={site.project}/*") == []
    first = site.rebuild()
    assert {name: row["outcome"] for name, row in first.items()} == dict.fromkeys(
        ("one", "two", "job"), "renewed"
    )
    site.compose("up", "--detach", "--wait", "one", "two")
    again = site.rebuild()
    assert {(row["reason"], row["outcome"]) for row in again.values()} == {("current", "")}

    before = {name: site.inspect(name) for name in ("one", "two")}
    site.write("one", "well 2")
    site.write("two", "ill")
    site.write("job", "broken")
    rows = site.rebuild(code=69)
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "one": "renewed", "two": "rolled back", "job": "rolled back",
    }  # fmt: skip
    after = {name: site.inspect(name) for name in ("one", "two")}
    assert after["one"]["Image"] != before["one"]["Image"]
    assert after["two"]["Image"] == before["two"]["Image"]
    assert {name: found["State"]["Health"]["Status"] for name, found in after.items()} == {
        "one": "healthy", "two": "healthy",
    }  # fmt: skip
    told = {(alert["severity"], alert["subject"].partition("/")[2]) for alert in site.alerts()}
    assert told == {("WARNING", "two:local"), ("WARNING", "job:local")}
    kept = docker("image", "inspect", "--format", "{{.Id}}", f"{site.project}/one:local-previous")
    assert kept == [before["one"]["Image"]]

    rows = site.rebuild()
    assert {name: row["reason"] for name, row in rows.items()} == {
        "one": "current", "two": "refused before", "job": "refused before",
    }  # fmt: skip
    site.write("two", "well 3")
    assert site.rebuild("two")["two"]["outcome"] == "renewed"
    assert site.inspect("one")["Id"] == after["one"]["Id"], "nobody touched it"


def test_what_an_installation_has_made_or_loaded_is_not_built_again(site: Site) -> None:
    site.compose("build", "one", "job")
    assert {row["reason"] for row in site.rebuild("--dry-run", "one").values()} == {"changed"}
    rows = site.rebuild("--remember")
    assert {name: row["reason"] for name, row in rows.items()} == {
        "one": "current", "two": "missing", "job": "current",
    }  # fmt: skip
    known = site.home / "data" / "orchestrator_data" / "images.json"
    before = known.stat()
    site.rebuild("--remember")
    assert known.stat().st_mtime_ns == before.st_mtime_ns
    site.write("one", "well 2")
    assert {name: row["reason"] for name, row in site.rebuild("--dry-run").items()} == {
        "one": "changed", "two": "missing", "job": "current",
    }  # fmt: skip
    site.run("--remember", "--dry-run", code=64)


def test_a_build_that_fails_is_told_and_leaves_what_runs_alone(site: Site) -> None:
    site.rebuild("two")
    site.compose("up", "--detach", "--wait", "two")
    before = site.inspect("two")["Id"]
    (site.home / "two.Dockerfile").write_text("FROM debian:bookworm-slim\nRUN exit 9\n")
    row = site.rebuild("two", code=69)["two"]
    assert row["outcome"] == "build failed"
    assert row["problem"]
    assert site.inspect("two")["Id"] == before
    assert [alert["subject"] for alert in site.alerts()] == [f"{site.project}/two:local"]
    assert site.run("--dry-run", "two") == f"{site.project}/two:local  mudou: construir\n"
    site.run("nobody", code=64)
    with (site.home / "data" / "orchestrator_data" / "images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert site.run("two") == "outra reconstrução está em curso\n"


def test_an_engine_that_does_not_answer_is_69(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("DOCKER_HOST", "unix:///no/such/engine.sock")
        site.rebuild(code=69)
