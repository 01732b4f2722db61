"""What a stage can do inside its container, tried by a program in its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.containers.live import LiveBox, docker_json
from tests.containers.test_policy import KEY_HOLDERS, MAY_SEE, ONE_SHOT

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

PROBE = """
import json, os, sys
def can_write(folder):
    try:
        path = os.path.join(folder, "probe")
        with open(path, "w") as stream:
            stream.write("x")
        os.unlink(path)
        return True
    except OSError:
        return False
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(json.dumps({
    "user": [os.getuid(), os.getgid(), os.getgroups()],
    "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16) | int(status["CapInh"], 16),
    "no_new_privileges": status["NoNewPrivs"],
    "network": sorted(os.listdir("/sys/class/net")),
    "writes": {folder: can_write(folder) for folder in sys.argv[1:]},
    "storage": sorted(os.listdir("/data")),
    "keys": sorted(os.listdir("/keys")) if os.path.isdir("/keys") else None,
}))
"""
SYSTEM = ("/", "/app", "/opt/venv", "/etc", "/usr", "/var", "/var/tmp", "/data")


@pytest.mark.parametrize("service", ONE_SHOT)
def test_it_can_do_what_it_needs_and_no_more(live: LiveBox, service: str) -> None:
    folders = [*SYSTEM, "/tmp", *MAY_SEE[service]]
    seen = probe(live, service, folders)
    assert seen["user"] == [live.user, live.user, [live.user]]
    assert seen["capabilities"] == 0
    assert seen["no_new_privileges"] == "1"
    assert seen["network"] == ["lo"]
    written = {folder for folder, can_write in seen["writes"].items() if can_write}
    assert written == {"/tmp"} | {place for place, (_, may) in MAY_SEE[service].items() if may}
    parts = {Path(place).parts[2] for place in MAY_SEE[service] if place.startswith("/data/")}
    assert set(seen["storage"]) == parts
    assert (seen["keys"] is not None) == (service in KEY_HOLDERS)


def probe(live: LiveBox, service: str, folders: list[str]) -> dict[str, Any]:
    result = live.compose(
        "run", "--rm", "--no-TTY", "--entrypoint", "python", service, "-c", PROBE, *folders
    )
    seen: dict[str, Any] = json.loads(result.stdout)
    return seen


def test_the_engine_was_told_all_of_it_and_no_key(live: LiveBox) -> None:
    live.environment["COMPOSE_PROJECT_NAME"] = f"vv-inspect-{live.box.home.name}".lower()
    secrets = secrets_of(live)
    try:
        live.compose("--profile", "stages", "create", "--no-build")
        for service in ONE_SHOT:
            name = f"{live.environment['COMPOSE_PROJECT_NAME']}-{service}-1"
            (container,) = docker_json("container", "inspect", name)
            check_limits(container["HostConfig"])
            text = json.dumps(container)
            assert not [secret for secret in secrets if secret in text]
            sources = [mount["Source"] for mount in container["Mounts"]]
            assert (str(live.box.home / "secrets") in sources) == (service in KEY_HOLDERS)
    finally:
        live.compose("--profile", "stages", "down", "--timeout", "0")


def secrets_of(live: LiveBox) -> list[str]:
    """Return what must be read nowhere: the HMAC keys, and the lines of the log's key."""
    folder = live.box.home / "secrets"
    store = json.loads((folder / "hmac_keys.json").read_text())
    lines = [line for path in folder.glob("*.pem") for line in path.read_text().split("\n")]
    keys = [key["secret"] for key in store["keys"].values()]
    return [*keys, *(line for line in lines if line and not line.startswith("-"))]


def check_limits(host: dict[str, Any]) -> None:
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["NetworkMode"] == "none"
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"].keys() == {"max-size", "max-file"}
    assert host["RestartPolicy"]["Name"] in {"", "no"}
    assert not host["Privileged"]


def test_the_plain_script_works_too(live: LiveBox) -> None:
    arguments = ("run", "--rm", "--no-TTY", "--entrypoint", "python")
    result = live.compose(*arguments, "scene_scanner", "scan_video.py", "--version")
    assert result.stdout.startswith("scan_video ")
