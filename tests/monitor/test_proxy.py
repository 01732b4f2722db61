"""The monitor in its container, and what stands between it and the engine."""

from __future__ import annotations

import http.client
import os
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.live import IMAGES, USER, docker_json, hand_over, run_compose
from tests.pipeline.subjects import docker, require_engine
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(900)]

SOCKET = Path("/var/run/docker.sock")


@dataclass
class Guarded:
    """The product's own monitor and proxy, with one container to look after and a foreign one."""

    project: str
    environment: dict[str, str]
    home: Path

    @property
    def victim(self) -> str:
        return f"{self.project}-victim-1"

    @property
    def foreign(self) -> str:
        """Of a project whose name begins like ours."""
        return f"{self.project}-more-victim-1"

    def container(self, service: str) -> str:
        return f"{self.project}-{service}-1"

    def start(self, name: str, project: str, *command: str) -> None:
        label = f"com.docker.compose.project={project}"
        docker("run", "--detach", "--init", "--network", "none", "--name", name, "--label", label,
               "debian:bookworm-slim", *command)  # fmt: skip

    def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """Ask the proxy, as its neighbour in the network could."""
        (found,) = docker_json("inspect", self.container("docker_proxy"))
        (network,) = found["NetworkSettings"]["Networks"].values()
        connection = http.client.HTTPConnection(network["IPAddress"], 2375, timeout=30)
        try:
            connection.request(method, path, body=b"{}" if method == "POST" else None)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def guarded() -> Iterator[Guarded]:
    require_engine()
    if not SOCKET.exists():
        pytest.skip("the engine has no socket here that a container could be given")
    project = f"vvt{secrets.token_hex(4)}"
    with tempfile.TemporaryDirectory(prefix="vv-monitor-") as raw_home:
        home = Path(raw_home)
        for name in ("logs", "orchestrator_data/monitor", "orchestrator_data/services"):
            (home / name).mkdir(parents=True)
        user = USER if os.geteuid() == 0 else os.geteuid()
        hand_over(home, user)
        environment = {
            **os.environ,
            **IMAGES,
            "COMPOSE_PROJECT_NAME": project,
            "VIDEO_STORAGE_ROOT": str(home),
            "VV_LOG_DIR": str(home / "logs"),
            "BOX_UID": str(user),
            "BOX_GID": str(user),
            "DOCKER_GID": str(SOCKET.stat().st_gid),
            "VV_MONITOR_INTERVAL": "1",
            "SERVICE_HEALTH_INTERVAL": "1s",
        }
        box = Guarded(project, environment, home)
        try:
            run_compose(
                "build", "docker_proxy", "self_monitor", environment=environment, timeout=600
            )
            run_compose("up", "--detach", "--no-build", "--wait", "--wait-timeout", "60",
                        "self_monitor", environment=environment)  # fmt: skip
            yield box
        finally:
            names = [box.victim, box.foreign]
            subprocess.run(
                ["docker", "rm", "--force", *names], capture_output=True, timeout=60, check=False
            )
            run_compose("down", "--timeout", "1", environment=environment, check=False)


def test_it_heals_its_own_project_through_the_proxy_and_no_other(guarded: Guarded) -> None:
    """And the one whose name only begins like ours stays as it is."""
    script = "[ -e /seen ] && exec sleep 600; touch /seen; exit 7"
    guarded.start(guarded.foreign, f"{guarded.project}-more", "sh", "-c", script)
    guarded.start(guarded.victim, guarded.project, "sh", "-c", script)

    def state(name: str) -> str:
        return str(docker_json("inspect", name)[0]["State"]["Status"])

    wait_for(lambda: state(guarded.victim) == "running")
    assert state(guarded.foreign) == "exited"
    check_what_the_proxy_says(guarded)


def check_what_the_proxy_says(guarded: Guarded) -> None:
    ours, foreign, proxy = guarded.victim, guarded.foreign, guarded.container("docker_proxy")
    allowed = [
        ("GET", "/_ping"),
        ("GET", "/version"),
        ("GET", "/v1.44/version"),
        ("GET", "/v1.44/containers/json"),
        ("GET", f"/v1.44/containers/{ours}/json"),
    ]
    for method, path in allowed:
        assert guarded.ask(method, path)[0] == 200, path
    assert guarded.ask("POST", f"/v1.44/containers/{ours}/restart?t=0&signal=SIGKILL")[0] == 204
    _, listed = guarded.ask("GET", "/v1.44/containers/json?all=1&filters=%7B%7D")
    assert ours.encode() in listed
    assert foreign.encode() not in listed, "whatever is asked for"
    refused = [
        ("GET", f"/v1.44/containers/{foreign}/json"),
        ("POST", f"/v1.44/containers/{foreign}/restart"),
        ("POST", f"/containers/{ours}%2f..%2f{foreign}/restart"),
        ("POST", f"/containers/{ours}/../{foreign}/restart"),
        ("POST", f"/containers/{ours}/stop"),
        ("POST", f"/containers/{ours}/kill"),
        ("POST", f"/containers/{ours}/exec"),
        ("POST", f"/containers/{ours}/update"),
        ("DELETE", f"/containers/{ours}"),
        ("POST", f"/containers/{ours}/json"),
        ("GET", f"/containers/{ours}/restart"),
        ("GET", f"/containers/{ours}/logs?stdout=1"),
        ("GET", f"/containers/{ours}/archive?path=/"),
        ("GET", f"/containers/{proxy}/top"),
        ("POST", "/containers/create"),
        ("POST", "/build"),
        ("POST", "/images/create?fromImage=x"),
        ("GET", "/images/json"),
        ("GET", "/info"),
        ("GET", "/secrets"),
        ("GET", "/events"),
        ("POST", "/_ping"),
        ("PUT", "/containers/json"),
        ("GET", "/"),
        ("GET", "/v1.44"),
        ("GET", "/x/v1.44/version"),
    ]
    for method, path in refused:
        assert guarded.ask(method, path)[0] == 403, (method, path)


def test_the_monitor_holds_no_socket_and_sees_nobody_but_the_proxy(guarded: Guarded) -> None:
    (monitor,) = docker_json("inspect", guarded.container("self_monitor"))
    (proxy,) = docker_json("inspect", guarded.container("docker_proxy"))
    assert not [mount for mount in monitor["Mounts"] if "docker.sock" in mount["Source"]]
    networks = monitor["NetworkSettings"]["Networks"]
    assert (
        networks.keys()
        == proxy["NetworkSettings"]["Networks"].keys()
        == {f"{guarded.project}_engine"}
    )
    (network,) = docker_json("network", "inspect", f"{guarded.project}_engine")
    assert network["Internal"] is True
    for found in (monitor, proxy):
        assert found["HostConfig"]["ReadonlyRootfs"] is True
        assert not found["Config"]["User"].startswith("0:")
        assert found["HostConfig"]["PortBindings"] in (None, {})
    state = guarded.home / "orchestrator_data" / "monitor" / "state.json"
    assert state.stat().st_uid != 0


@pytest.mark.parametrize(
    "wrong", ["", "UPPER", "a.*", "a b", "-a", "a|b", "a$(id)", "a/b", "a\nb", "ä"]
)  # fmt: skip
def test_a_name_that_could_mean_more_than_a_name_is_refused(wrong: str) -> None:
    script = Path(__file__).resolve().parents[2] / "deploy" / "docker_proxy" / "start.sh"
    environment = {"PATH": "/usr/bin:/bin", "PROXY_PROJECT": wrong}
    result = subprocess.run(
        ["sh", str(script)],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
        text=True,
    )
    assert result.returncode in {2, 78}
    assert "PROXY_PROJECT" in result.stderr
