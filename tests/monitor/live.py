"""A throw-away compose project on the real engine, and the monitor's command for it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.containers.compose_file import ROOT
from tests.pipeline.subjects import docker
from tests.support.waiting import wait_for

SERVICES = """
name: {project}
x-base: &base
  image: debian:bookworm-slim
  init: true
  network_mode: none
  restart: "no"
  stop_grace_period: 1s
services:
  steady: {{<<: *base, command: [sleep, "600"]}}
  # Its check fails until it was started a second time.
  ill:
    <<: *base
    command: [sh, -c, "[ -e /seen ] && touch /well; touch /seen; exec sleep 600"]
    healthcheck: {{test: [CMD, test, -e, /well], interval: 300ms, timeout: 5s, retries: 1}}
  hopeless: {{<<: *base, command: [sh, -c, "exit 3"]}}
  looping: {{<<: *base, command: [sh, -c, "exit 4"], restart: always}}
"""


@dataclass
class Project:
    """A compose project.

    Attributes:
        name: of the project.
        home: what the monitor's settings count from.
    """

    name: str
    home: Path

    def compose(self, *arguments: str) -> str:
        command = ["docker", "compose", "--file", str(self.home / "docker-compose.yml"), *arguments]
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert result.returncode == 0, result.stderr[-2000:]
        return result.stdout

    def container(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def inspect(self, name: str) -> dict[str, Any]:
        result = subprocess.run(
            ["docker", "inspect", name], capture_output=True, text=True, timeout=60, check=True
        )
        found: dict[str, Any] = json.loads(result.stdout)[0]
        return found

    def state(self, service: str) -> str:
        state = self.inspect(self.container(service))["State"]
        return str((state.get("Health") or {}).get("Status") or state["Status"])

    def kill(self, service: str) -> None:
        """End a container's main process, as a crash does; `docker kill` would be a stop by hand."""
        name = self.container(service)
        if os.geteuid() == 0:
            os.kill(self.inspect(name)["State"]["Pid"], signal.SIGKILL)
        else:
            docker("exec", name, "sh", "-c", "kill -9 -1")
        wait_for(lambda: self.state(service) == "exited")

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("VV_")}
        return {
            **kept,
            "VV_HOME": str(self.home),
            "VV_COMPOSE_PROJECT": self.name,
            "VV_MONITOR_PAUSE_SECONDS": "0.01",
            "VV_LANGUAGE": "en",
            **more,
        }

    def monitor(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run ``scripts/self_monitor.py``."""
        return subprocess.run(
            [sys.executable, str(ROOT / "scripts" / "self_monitor.py"), *arguments],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def look(self, **more: str) -> dict[str, Any]:
        """Look once; return what was made of each container, by service."""
        result = self.monitor("--once", "--json", **more)
        assert result.returncode == 0, result.stderr
        found = json.loads(result.stdout)["containers"]
        return {seen["service"]: seen for seen in found}

    def alerts(self) -> list[dict[str, Any]]:
        path = self.home / "data" / "orchestrator_data" / "services" / "alerts.jsonl"
        if not path.exists():
            return []
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@contextmanager
def project(home: Path, text: str = SERVICES) -> Iterator[Project]:
    """Make a project that is named like no other; nothing of it is left."""
    made = Project(f"vvt{secrets.token_hex(4)}", home)
    (home / "docker-compose.yml").write_text(text.format(project=made.name))
    (home / "data" / "orchestrator_data").mkdir(parents=True)
    try:
        yield made
    finally:
        subprocess.run(
            ["docker", "compose", "--file", str(home / "docker-compose.yml"), "--profile", "*",
             "down", "--volumes", "--remove-orphans", "--timeout", "0"],
            capture_output=True, timeout=120, check=False,
        )  # fmt: skip
