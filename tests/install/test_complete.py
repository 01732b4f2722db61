"""The long ones, by hand: from nothing with all rooms, and a box of containers on the real engine."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.containers.live import _kept_wheel
from tests.install.test_journey import check_installation
from tests.install.throwaway import PREFIX, USER, Throwaway, docker, throwaway
from tests.pipeline.subjects import require_engine
from tests.support.clips import make_clip

pytestmark = [
    pytest.mark.integration,
    pytest.mark.docker,
    pytest.mark.torture,
    pytest.mark.timeout(3600),
]


@pytest.mark.parametrize("rooms", [["--rooms", "writer"], []], ids=["few rooms", "all rooms"])
def test_from_nothing(source: Path, tmp_path: Path, rooms: list[str]) -> None:
    """A bare Debian: no git, no Python, no sudo; packages, wheels and compiler from the registries."""
    require_engine()
    with throwaway(source, tmp_path, network="bridge", image="debian:bookworm-slim") as root:
        assert root.run("which", "git", "python3", "sudo", "ffmpeg", check=False).out == ""
        script = (source / "install.sh").read_text()
        piped = ["bash", "-s", "--", "--no-docker", "--source", "/src", *rooms]
        ran = root.run(*piped, stdin=script, VV_LANGUAGE="en", timeout=3000)
        assert "done; changes:" in ran.out
        check_installation(root)
        if rooms:
            return
        make_clip(root.shared / "20261121-020304.mp4")
        root.run(
            "install",
            "-o",
            USER,
            "-m",
            "644",
            "/shared/20261121-020304.mp4",
            f"{PREFIX}/data/input/",
        )
        root.run("touch", "-d", "1 hour ago", f"{PREFIX}/data/input/20261121-020304.mp4")
        as_user = ["runuser", "-u", USER, "--", "env", "ORCHESTRATOR_STABLE_SECONDS=0"]
        cycle = root.run(
            *as_user, f"{PREFIX}/.venv/bin/python", f"{PREFIX}/scripts/orchestrator.py", "--once"
        )
        assert root.exists(f"{PREFIX}/data/loglines/20261121-020304.logline.json"), cycle


@contextmanager
def own_names(folder: Path) -> Iterator[dict[str, str]]:
    """Yield variables of a project and images of its own, and remove what bears those names afterwards."""
    mark = f"vvinst{uuid.uuid4().hex[:8]}"
    names = {"COMPOSE_PROJECT_NAME": mark, "IMAGE_PREFIX": mark, "TV_API_PORT": "0"}
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
        for image in docker(
            "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{mark}/*"
        ).split():
            docker("image", "rm", image)


def test_a_box_of_containers(source: Path, wheels: Path) -> None:
    require_engine()
    # The engine must find the box where the container has it.
    with tempfile.TemporaryDirectory(prefix="vv-inst-") as raw, own_names(Path(raw)) as names:
        folder = Path(raw)
        folder.chmod(0o755)
        prefix = f"{folder}/opt/box"
        options = [
            f"--volume={folder}:{folder}",
            "--volume=/var/run/docker.sock:/var/run/docker.sock",
        ]
        options += ["--volume=/usr/local/lib/dockerkit:/usr/local/lib/dockerkit:ro"]
        options += ["--volume=/usr/local/lib/docker:/usr/local/lib/docker:ro"]
        options += [f"--volume={shutil.which('docker')}:/usr/bin/docker:ro"]
        with throwaway(source, folder, network="bridge", options=options) as root:
            group = Path("/var/run/docker.sock").stat().st_gid
            root.run("groupadd", "--non-unique", "--gid", str(group), "docker")
            everything = ["--prefix", prefix, "--rooms", "writer,monitor"]
            ran = root.run(
                "bash", "/src/install.sh", *everything, VV_LANGUAGE="en", timeout=3000, **names
            )
            assert "done; changes:" in ran.out, ran
            check_containers(root, prefix, names)
            again = root.run(
                "bash", "/src/install.sh", "--prefix", prefix, VV_LANGUAGE="en", **names
            )
            assert "no change was needed" in again.out, str(again)
            root.run(
                "bash", "/src/install.sh", "--prefix", prefix, "--uninstall", "--purge", **names
            )
            assert not os.path.lexists(prefix)
            label = f"label=com.docker.compose.project={names['COMPOSE_PROJECT_NAME']}"
            assert docker("ps", "--all", "--quiet", "--filter", label) == ""


def check_containers(root: Throwaway, prefix: str, names: dict[str, str]) -> None:
    """Check that all services are healthy, and that a clip becomes a LogLine through containers."""
    label = f"label=com.docker.compose.project={names['COMPOSE_PROJECT_NAME']}"
    states = docker(
        "ps", "--all", "--format", "{{.Names}} {{.Status}}", "--filter", label
    ).splitlines()
    assert len(states) >= 4
    assert all("(healthy)" in state for state in states), states
    make_clip(root.shared / "20261121-020304.mp4")
    clip = f"{prefix}/data/input/20261121-020304.mp4"
    root.run("install", "-o", USER, "-m", "644", "/shared/20261121-020304.mp4", clip)
    root.run("touch", "-d", "1 hour ago", clip)
    as_user = [
        "runuser",
        "-u",
        USER,
        "--",
        "env",
        *(f"{name}={value}" for name, value in names.items()),
    ]
    as_user += ["ORCHESTRATOR_STABLE_SECONDS=0", f"{prefix}/.venv/bin/python"]
    ran = root.run(*as_user, f"{prefix}/scripts/orchestrator.py", "--once")
    logline = f"{prefix}/data/loglines/20261121-020304.logline.json"
    assert root.exists(logline), ran
    assert root.run("stat", "-c", "%U", logline).out.strip() == USER
