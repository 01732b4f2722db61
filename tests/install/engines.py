"""Throw-away roots with a Docker engine: the one of this machine, or one of their own that no network reaches."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.containers.live import IMAGES, _kept_wheel, build_images, run_compose
from tests.install.throwaway import (
    MAIN,
    ROOT,
    USER,
    Ran,
    Throwaway,
    booting_image,
    docker,
    throwaway,
)
from tests.support.clips import X264, make_clip

SOCKET = Path("/var/run/docker.sock")
PLUGINS = Path("/usr/local/lib/docker")
KIT = Path("/usr/local/lib/dockerkit")
"""Where an engine lies that came without packages."""
_ENGINE_DOCKERFILE = """
FROM {base}
RUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends iptables runc \\
    && groupadd --system docker
"""
_ENGINE_UNIT = f"""
[Unit]
Description=Docker engine
After=network.target
[Service]
Type=notify
Environment=PATH={KIT}/usr/sbin:{KIT}/usr/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ExecStart={KIT}/usr/sbin/dockerd
Delegate=yes
KillMode=process
TimeoutStartSec=60
[Install]
WantedBy=multi-user.target
"""


@dataclass(frozen=True)
class ContainerBox:
    """A root on which a box of containers is, or will be.

    Attributes:
        root: the machine.
        prefix: of the box.
        names: variables that all its commands get.
    """

    root: Throwaway
    prefix: str
    names: Mapping[str, str]

    def install(self, script: str, *options: str, check: bool = True) -> Ran:
        """Run an install.sh with this box's prefix, in English."""
        command = ["bash", script, "--prefix", self.prefix, *options]
        return self.root.run(*command, check=check, timeout=3000, VV_LANGUAGE="en", **self.names)

    def as_user(self, *command: str) -> Ran:
        """Run a command of the product as the box's user."""
        told = [f"{name}={value}" for name, value in self.names.items()]
        told += [f"VV_HOME={self.prefix}", "VV_LANGUAGE=en", "ORCHESTRATOR_STABLE_SECONDS=0"]
        python = f"{self.prefix}/.venv/bin/python"
        return self.root.run("runuser", "-u", USER, "--", "env", *told, python, *command)

    def containers(self) -> dict[str, dict[str, str]]:
        """Return what docker ps says about each service: State, Status, Image, ID."""
        label = f"label=com.docker.compose.project={self.names['COMPOSE_PROJECT_NAME']}"
        listed = self.root.run(
            "docker", "ps", "--all", "--no-trunc", "--format", "json", "--filter", label
        )
        rows = [json.loads(line) for line in listed.out.splitlines()]
        return {row["Names"].split("-")[1]: row for row in rows}

    def image_ids(self) -> dict[str, str]:
        """Return the ids of the box's images, by name with its tag."""
        form = "{{.Repository}}:{{.Tag}} {{.ID}}"
        mark = f"{self.names['IMAGE_PREFIX']}/*"
        listed = self.root.run("docker", "images", "--no-trunc", "--format", form, mark)
        return dict(line.rsplit(" ", 1) for line in listed.out.splitlines())

    def check_healthy(self) -> None:
        """Check that all services are up and healthy."""
        found = {service: row["Status"] for service, row in self.containers().items()}
        assert len(found) >= 5, found
        assert all("(healthy)" in status for status in found.values()), found

    def add_logline(self, name: str) -> str:
        """Have a clip become a LogLine through the stages' containers; return the LogLine."""
        # Each another video: what was processed before is not processed again.
        make_clip(self.root.shared / f"{name}.mp4", *X264, "-metadata", f"comment={name}")
        clip = f"{self.prefix}/data/input/{name}.mp4"
        self.root.run("install", "-o", USER, "-m", "644", f"/shared/{name}.mp4", clip)
        self.root.run("touch", "-d", "1 hour ago", clip)
        ran = self.as_user(f"{self.prefix}/scripts/orchestrator.py", "--once")
        logline = f"{self.prefix}/data/loglines/{name}.logline.json"
        assert self.root.exists(logline), ran
        assert self.root.run("stat", "-c", "%U", logline).out.strip() == USER
        return self.root.read(logline)

    def own_files(self) -> dict[str, str]:
        """Return hashes of what no update may touch: keys, settings, videos, LogLines."""
        places = (".env", "secrets/hmac_keys.json", "secrets/log_signing_key.pem")
        places += ("data/input", "data/processed", "data/loglines")
        command = ["find", *(f"{self.prefix}/{place}" for place in places), "-type", "f"]
        listed = self.root.run(*command, "-exec", "sha256sum", "{}", "+")
        return {path: digest for digest, path in map(str.split, listed.out.splitlines())}


@contextmanager
def own_names(folder: Path) -> Iterator[dict[str, str]]:
    """Yield variables of a project and images of its own, and remove what bears those names afterwards."""
    mark = f"vvinst{uuid.uuid4().hex[:8]}"
    names = {"COMPOSE_PROJECT_NAME": mark, "IMAGE_PREFIX": mark, "TV_API_PORT": "0"}
    names["SERVICE_HEALTH_INTERVAL"] = "5s"
    wheel = _kept_wheel()
    if wheel is not None:
        (folder / "llama").mkdir()
        shutil.copy(wheel, folder / "llama")
        names["WHEELS_DIR"] = str(folder / "llama")
    try:
        yield names
    finally:
        label = f"label=com.docker.compose.project={mark}"
        for container in docker("ps", "--all", "--quiet", "--filter", label).split():
            docker("rm", "--force", container)
        for network in docker("network", "ls", "--quiet", "--filter", label).split():
            docker("network", "rm", network)
        form = "{{.Repository}}:{{.Tag}}"
        for image in docker("image", "ls", "--format", form, f"{mark}/*").split():
            docker("image", "rm", image)
        docker("image", "prune", "--force", "--filter", label)


@contextmanager
def on_this_engine(source: Path, folder: Path, names: Mapping[str, str]) -> Iterator[ContainerBox]:
    """Yield a root that uses this machine's engine.

    Args:
        source: repository.
        folder: has the same path inside, since the engine must find the box where the root has it.
        names: of project and images.
    """
    mounts = [f"{folder}:{folder}", f"{SOCKET}:{SOCKET}", *_client()]
    options = [f"--volume={mount}" for mount in mounts]
    with throwaway(source, folder, network="bridge", options=options) as root:
        group = str(SOCKET.stat().st_gid)
        root.run("groupadd", "--non-unique", "--gid", group, "docker")
        yield ContainerBox(root, f"{folder}/opt/box", names)


@contextmanager
def on_an_engine_of_its_own(
    source: Path, folder: Path, names: Mapping[str, str]
) -> Iterator[ContainerBox]:
    """Yield a root that has booted, with an engine that has no image and no way out: no network leads into it."""
    options = ["--volume=/var/lib/docker", *(f"--volume={mount}" for mount in _client())]
    with throwaway(source, folder, image=_engine_image(), options=options, boots=True) as root:
        assert "eth0" not in root.run("ls", "/sys/class/net").out
        root.run("tee", "/etc/systemd/system/docker.service", stdin=_ENGINE_UNIT)
        if root.run("systemctl", "enable", "--now", "docker.service", check=False).code:
            log = root.run("journalctl", "--no-pager", "--lines=5", "--unit=docker").out
            pytest.skip(f"no engine starts inside of a container here: {log}")
        assert root.run("docker", "images", "--quiet").out == ""
        # What systemd starts gets them too; on a real box all of them have their defaults.
        variables = "".join(f"Environment={name}={value}\n" for name, value in names.items())
        root.run("mkdir", "-p", f"/etc/systemd/system/{MAIN}.d")
        root.run("tee", f"/etc/systemd/system/{MAIN}.d/names.conf", stdin=f"[Service]\n{variables}")
        yield ContainerBox(root, "/opt/box", names)


def _client() -> list[str]:
    """Return the mounts that bring the docker command, and the engine where it lies in one folder."""
    return [
        f"{shutil.which('docker')}:/usr/bin/docker:ro",
        *(f"{place}:{place}:ro" for place in (KIT, PLUGINS) if place.is_dir()),
    ]


def _engine_image() -> str:
    if not (KIT / "usr" / "sbin" / "dockerd").exists():
        pytest.skip(f"there is no engine in {KIT} that a root could be lent")
    text = _ENGINE_DOCKERFILE.format(base=booting_image())
    tag = f"vv-test/engine-base:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    docker("build", "--quiet", "--tag", tag, "-", input=text, timeout=900)
    return tag


def take_images(names: Mapping[str, str]) -> list[str]:
    """Build all images and give them the names of a box; return these."""
    build_images()
    command = ["--profile", "stages", "config", "--images"]
    taken = []
    for line in sorted(
        set(run_compose(*command, environment={**os.environ, **IMAGES}).stdout.split())
    ):
        target = f"{names['IMAGE_PREFIX']}/{line.rpartition('/')[2].partition(':')[0]}:local"
        docker("tag", line, target)
        taken.append(target)
    return taken


def replace_image(name: str, *lines: str) -> None:
    """Give a name to an image that is made of the one that has it."""
    text = "\n".join([f"FROM {name}", *lines, ""])
    docker("build", "--quiet", "--tag", name, "-", input=text)


def write_offline(
    tree: Path, output: Path, names: Mapping[str, str], python: str, *options: str
) -> tuple[str, str]:
    """Make a bundle with images for boxes of containers; return the name of its file and its key.

    Args:
        tree: repository to bundle.
        output: folder to write into.
        names: of the images.
        python: to run with.
        options: more of make bundle.
    """
    command = [python, str(ROOT / "scripts" / "make_bundle.py"), "--json", "--no-models"]
    command += ["--root", str(tree), "--output", str(output), "--rooms", "writer,monitor", *options]
    told = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
        env={**os.environ, **names},
    )
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    return Path(document["path"]).name, document["vkey"]
