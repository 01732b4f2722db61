"""The services on the real engine: they come up, do their job, and say so when they do not."""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.containers.live import LiveBox, docker_json, hand_over
from tests.containers.test_isolation import PROBE, SYSTEM, secrets_of
from tests.containers.test_policy import HIDDEN, MAY_SEE, NETWORKS
from tests.pipeline.subjects import docker
from tests.support.waiting import wait_for

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

OWN = ("video_capture", "playlist_manager", "tv_api", "clip_converter")
ALL = (*OWN, "self_monitor", "docker_proxy")
QUICK = {
    "SERVICE_HEALTH_INTERVAL": "2s",
    "VV_CAPTURE_POLL_SECONDS": "0.5",
    "VV_PLAYLIST_POLL_SECONDS": "0.5",
    # It would restart what these tests make ill.
    "VV_MONITOR_INTERVAL": "3600",
    "TV_API_PORT": "0",
}


@dataclass
class Services:
    """A box whose services run.

    Attributes:
        live: the box.
        project: of docker compose.
    """

    live: LiveBox
    project: str

    def container(self, service: str) -> Any:
        return docker_json("container", "inspect", f"{self.project}-{service}-1")[0]

    def health(self, service: str) -> str:
        return str(self.container(service)["State"]["Health"]["Status"])

    def said(self, service: str) -> str:
        """Return what the last healthcheck printed."""
        return str(self.container(service)["State"]["Health"]["Log"][-1]["Output"])

    def get(self, path: str) -> Any:
        """Ask the API where it is published."""
        address = self.live.compose("port", "tv_api", "8000").stdout.strip()
        assert address.startswith("127.0.0.1:")
        with urllib.request.urlopen(f"http://{address}{path}", timeout=30) as response:
            return json.loads(response.read())

    def become(self, status: str, *services: str) -> None:
        for service in services:
            wait_for(
                lambda name=service: self.health(name) == status,
                lambda name=service: f"{name} {status}\n{self.describe(name)}",
            )

    def describe(self, service: str) -> str:
        """Return what a technician would ask: what the last healthchecks and the service itself said."""
        state = self.container(service)["State"]
        logs = self.live.compose("logs", "--no-color", "--tail", "20", service, check=False)
        return f"{json.dumps(state, indent=1)}\n{logs.stdout}"


@contextmanager
def project(live: LiveBox) -> Iterator[str]:
    """Give the box a project of its own, of which nothing is left."""
    name = f"vv-services-{secrets.token_hex(4)}"
    socket = Path("/var/run/docker.sock")
    live.environment |= {"COMPOSE_PROJECT_NAME": name, **QUICK}
    live.environment["DOCKER_GID"] = str(socket.stat().st_gid)
    label = f"label=com.docker.compose.project={name}"
    try:
        yield name
    finally:
        live.compose("down", "--timeout", "5", "--remove-orphans", "--volumes")
        assert docker("ps", "--all", "--quiet", "--filter", label) == []
        assert docker("network", "ls", "--quiet", "--filter", label) == []


@pytest.fixture
def services(live: LiveBox) -> Iterator[Services]:
    """Start all services and wait until they say that they do their job."""
    hand_over(live.box.home, live.user)
    with project(live) as name:
        try:
            live.compose("up", "--detach", "--wait", "--wait-timeout", "120", "--no-build")
        except AssertionError as exc:
            logs = live.compose("logs", "--no-color", check=False).stdout
            raise AssertionError(f"{exc}\n{logs[-4000:]}") from None
        yield Services(live, name)


def drop(live: LiveBox, clip: Path, camera: str) -> str:
    """Leave a recording of an hour ago as a DVR does; return its name."""
    live.box.contents.add(hashlib.sha256(clip.read_bytes()).hexdigest())
    begun = datetime.now(UTC) - timedelta(hours=1)
    name = begun.strftime("%Y%m%d-%H%M%SZ.mp4")
    folder = live.box.folder("raw") / camera
    folder.mkdir()
    shutil.copy(clip, folder / name)
    hand_over(folder, live.user)
    return name


def test_a_recording_walks_from_the_dvrs_folder_to_the_tvs_list(
    services: Services, short_clip: Path
) -> None:
    live = services.live
    assert {name: services.health(name) for name in ALL} == dict.fromkeys(ALL, "healthy")
    check_what_the_engine_was_told(services)
    name = drop(live, short_clip, "gate")
    wait_for((live.box.input / "gate" / name).exists)
    live.cycle()
    live.check()
    (path,) = live.box.folder("loglines").glob("*.logline.json")
    line = json.loads(path.read_bytes())
    status = services.get("/status")
    assert status["problems"] == []
    assert status["pipeline"]["last_cycle"]["done"] == 1
    assert status["log"]["size"] >= 1
    wait_for(lambda: services.get("/playlists/all")["items"])
    (item,) = services.get("/playlists/all")["items"]
    assert item["logline_id"] == line["id"]
    assert item["title"] == line["title"]
    assert item["verified"] is True
    folders = ("input", "processed", "loglines", "playlists", "orchestrator_data/services")
    owners = {path.lstat().st_uid for name in folders for path in live.box.folder(name).rglob("*")}
    assert owners == {live.user}


def check_what_the_engine_was_told(services: Services) -> None:
    texts = secrets_of(services.live)
    for name in ALL:
        container = services.container(name)
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["Memory"] == host["MemorySwap"] > 0
        assert host["NanoCpus"] > 0
        assert host["PidsLimit"] > 0
        assert host["RestartPolicy"]["Name"] == "unless-stopped"
        assert host["LogConfig"]["Config"].keys() == {"max-size", "max-file"}
        assert not host["Privileged"]
        assert not [text for text in texts if text in json.dumps(container)]
        joined = {
            network.rpartition("_")[2] for network in container["NetworkSettings"]["Networks"]
        }
        assert joined == set(NETWORKS.get(name, ["none"]))


def stand_still(live: LiveBox) -> None:
    """Let the playlists' heartbeat be of long ago, as of a process that hangs."""
    path = live.box.folder("orchestrator_data") / "services" / "playlist_manager.json"
    beat = json.loads(path.read_text())
    path.write_text(json.dumps(beat | {"time": "2020-01-01T00:00:00Z"}))


def test_each_says_when_it_does_not_do_its_job(services: Services) -> None:
    live = services.live
    folders = {
        "raw": (["video_capture"], "raw"),
        "playlists": (["playlist_manager", "tv_api"], "playlists"),
        "loglines": (["playlist_manager", "tv_api"], "LogLines"),
    }
    for name, (ill, word) in folders.items():
        folder = live.box.folder(name)
        folder.chmod(0)
        services.become("unhealthy", *ill)
        assert word in services.said(ill[0])
        well = set(OWN) - set(ill)
        assert {services.health(each) for each in well} == {"healthy"}, name
        folder.chmod(0o755)
        services.become("healthy", *ill)
    # A process that is there but does nothing any more: its heartbeat grows old.
    live.compose("pause", "playlist_manager")
    stand_still(live)
    services.become("unhealthy", "tv_api")
    assert "last did something" in services.said("tv_api")
    live.compose("unpause", "playlist_manager")
    services.become("healthy", "tv_api", "playlist_manager")
    # The API's own process hangs, with its port open.
    live.compose("exec", "tv_api", "python", "-c", STOP_THE_API)
    services.become("unhealthy", "tv_api")
    assert "does not answer" in services.said("tv_api")
    assert services.container("tv_api")["State"]["Running"]


STOP_THE_API = """
import os, signal
for name in os.listdir("/proc"):
    if name.isdigit() and b"tv_ui.tv_api" in open(f"/proc/{name}/cmdline", "rb").read():
        if name != "1" and int(name) != os.getpid():
            os.kill(int(name), signal.SIGSTOP)
"""


@pytest.mark.parametrize("service", OWN)
def test_it_can_do_what_it_needs_and_no_more(live: LiveBox, service: str) -> None:
    folders = [*SYSTEM, "/tmp", *MAY_SEE[service], *HIDDEN.get(service, ())]
    with project(live):
        run = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "python")
        result = live.compose(*run, service, "-c", PROBE, *folders)
    seen = json.loads(result.stdout)
    assert seen["user"] == [live.user, live.user, [live.user]]
    assert seen["capabilities"] == 0
    assert seen["no_new_privileges"] == "1"
    assert seen["network"] == (["eth0", "lo"] if service in NETWORKS else ["lo"])
    written = {folder for folder, can_write in seen["writes"].items() if can_write}
    assert written == {"/tmp"} | {place for place, (_, may) in MAY_SEE[service].items() if may}
    parts = {Path(place).parts[2] for place in MAY_SEE[service] if place.startswith("/data/")}
    assert set(seen["storage"]) == parts
    assert seen["keys"] is None
