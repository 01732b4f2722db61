"""A box whose stages run in the real containers: images, a user of its own, and the orchestrator's command."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.containers.compose_file import COMPOSE, ROOT
from tests.pipeline.box import Box
from vv_core.pipeline.compose_environment import compose_environment, prepare_folders
from vv_core.preparation import prepare

USER = 10001
"""Who the box belongs to where the tests run as root; else it is whoever runs them."""
IMAGES = {"IMAGE_PREFIX": "vv-video-ai", "IMAGE_TAG": "test"}
ORCHESTRATOR = ROOT / "scripts" / "orchestrator.py"
_GLIBC_OF_THE_IMAGES = (2, 36)
_BUILD_TIMEOUT_S = 1800


def build_images(sources: Path = ROOT, **variables: str) -> None:
    """Build the images of stages and services; one builder at a time, the others find its layers.

    llama.cpp is not compiled where pip has kept the wheel of it that the tests' own environment needed.
    """
    with tempfile.TemporaryDirectory() as folder, _one_at_a_time():
        wheel = _kept_wheel()
        if wheel is not None:
            shutil.copy(wheel, folder)
        run_compose(
            "--profile",
            "stages",
            "--profile",
            "mirror",
            "build",
            environment={**os.environ, **IMAGES, "WHEELS_DIR": folder, **variables},
            timeout=_BUILD_TIMEOUT_S,
            sources=sources,
        )


def _kept_wheel() -> Path | None:
    """Return the wheel of llama.cpp in pip's cache, where the images' C library can load it."""
    version = tuple(int(part) for part in platform.libc_ver()[1].split(".")[:2])
    if not version or version > _GLIBC_OF_THE_IMAGES:
        return None
    pin = next(
        line.partition("==")[2]
        for line in (ROOT / "requirements" / "constraints.txt").read_text("utf-8").splitlines()
        if line.startswith("llama_cpp_python==")
    )
    command = [sys.executable, "-m", "pip", "cache", "list", "--format=abspath", "llama_cpp_python"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    kept = [Path(line) for line in result.stdout.splitlines() if f"-{pin}-" in line]
    return kept[0] if kept else None


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (Path(tempfile.gettempdir()) / "vv-test-images.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def run_compose(
    *arguments: str,
    environment: Mapping[str, str],
    timeout: float = 120,
    check: bool = True,
    sources: Path = ROOT,
) -> subprocess.CompletedProcess[str]:
    """Run docker compose with the product's file."""
    file = str(sources / COMPOSE.name)
    command = ["docker", "compose", "--file", file, "--env-file", os.devnull, *arguments]
    result = subprocess.run(
        command,
        env=dict(environment),
        cwd=sources,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert not check or result.returncode == 0, result.stderr[-3000:]
    return result


def engine_groups() -> list[int]:
    """Return the group that may talk to the engine."""
    socket = Path("/var/run/docker.sock")
    return [socket.stat().st_gid] if socket.exists() else []


@dataclass
class LiveBox:
    """A box that belongs to a user of its own.

    Attributes:
        box: its data, and what must hold about it.
        user: who it belongs to; root never.
        python: a Python that this user may run.
        environment: of its commands.
        groups: that its user is in; that of the engine's socket by default.
        started: its commands so far.
    """

    box: Box
    user: int
    python: str
    environment: dict[str, str]
    groups: list[int] = field(default_factory=engine_groups)
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def add(self, video: Path) -> str:
        """Put a video into input/ and return its hash."""
        target = self.box.input / video.name
        shutil.copyfile(video, target)
        os.chown(target, self.user, self.user)
        sha256 = hashlib.sha256(video.read_bytes()).hexdigest()
        self.box.contents.add(sha256)
        return sha256

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a cycle of the orchestrator, as cron does; or this user's Python with other arguments."""
        process = subprocess.Popen(
            [self.python, *(arguments or (str(ORCHESTRATOR), "--once"))],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **identity(self.user, self.groups),
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Kill what a failed test has left running, and close its pipes."""
        for process in self.started:
            process.kill()
            for pipe in (process.stdout, process.stderr):
                assert pipe is not None
                pipe.close()
            process.wait()

    def run(self, *arguments: str) -> int:
        """Run the orchestrator's command with other arguments; return its exit code."""
        process = self.start(str(ORCHESTRATOR), *arguments)
        process.communicate(timeout=60)
        return process.returncode

    def cycle(self) -> None:
        """Run a cycle that ends well."""
        process = self.start()
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err

    def check(self, *, is_settled: bool = True) -> None:
        """Check what holds about the box; keys may be read by their owner alone, so borrow them."""
        keys = self.box.home / "secrets"
        hand_over(keys, os.geteuid())
        try:
            if is_settled:
                self.box.check_settled()
            else:
                self.box.check()
        finally:
            hand_over(keys, self.user)

    def compose(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run docker compose, told what the orchestrator tells it."""
        told = {**self.environment, **compose_environment(self.box.settings)}
        told |= {"BOX_UID": str(self.user), "BOX_GID": str(self.user)}
        return run_compose(*arguments, environment=told, check=check)

    def has_begun(self) -> bool:
        """Tell whether a stage has begun with a video."""
        journals = (self.box.folder("orchestrator_data") / "batches").glob("*.journal")
        return any(path.stat().st_size for path in journals)


def identity(user: int, groups: Sequence[int]) -> dict[str, Any]:
    """Return how subprocess becomes a user in some groups."""
    if os.geteuid() != 0:
        return {}
    return {"user": user, "group": user, "extra_groups": list(groups)}


def make_live(box: Box) -> LiveBox | None:
    """Hand a box over to its user; None where that user has no Python to run the product with."""
    user = USER if os.geteuid() == 0 else os.geteuid()
    links = box.home / "lib"
    links.mkdir()
    (links / "vv_core").symlink_to(ROOT / "vv-core")
    (links / "vv_schemas").symlink_to(ROOT / "schemas")
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {
        **os.environ,
        **IMAGES,
        "HOME": str(box.home),
        "PYTHONPATH": f"{links}{os.pathsep}{packages}",
        "ORCHESTRATOR_RUNNER": "compose",
        "ORCHESTRATOR_COMPOSE_FILE": str(COMPOSE),
        "BOX_UID": str(user),
        "BOX_GID": str(user),
    }
    prepare(box.settings)
    prepare_folders(box.settings)
    for folder in (box.home / "logs", box.folder("orchestrator_data") / "batches"):
        folder.mkdir(exist_ok=True)
    hand_over(box.home, user)
    for python in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        if can_run(python, user, environment):
            return LiveBox(box, user, python, environment)
    return None


def can_run(python: str, user: int, environment: Mapping[str, str]) -> bool:
    """Tell whether a user may run the orchestrator with a Python (root's own may be out of reach)."""
    try:
        result = subprocess.run(
            [python, "-c", "import vv_core.pipeline.orchestrate"],
            env=dict(environment),
            cwd="/",
            capture_output=True,
            timeout=60,
            check=False,
            **identity(user, []),
        )
    except OSError:
        return False
    return result.returncode == 0


def hand_over(folder: Path, user: int) -> None:
    """Give a folder and all in it to a user."""
    if os.geteuid() != 0:
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user, user, follow_symlinks=False)


def docker_json(*arguments: str) -> Any:
    """Return what a docker command says, as data."""
    result = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return json.loads(result.stdout)
