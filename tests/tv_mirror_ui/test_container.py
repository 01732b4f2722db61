"""The mirror in its container: it answers, shows pictures, and changes nothing."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT
from tests.containers.live import run_compose
from tests.pipeline.subjects import docker, require_engine
from tests.tv_mirror_ui.serving import Served
from tv_mirror_ui.hub import Hub

pytestmark = pytest.mark.docker

USER = 10001
CAMERAS = """\
schema: vv.mirror-cameras/1
cameras:
  - {name: clip, url: 'file:///data/config/clip.mkv'}
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Return a container's name and the port where it answers."""
    require_engine()
    with tempfile.TemporaryDirectory(prefix="vv-mirror-") as raw_home:
        home = Path(raw_home)
        for name in ("config", "logins", "fallback"):
            (home / name).mkdir()
        shutil.copy(ROOT / "fallback" / "placeholder.png", home / "fallback")
        (home / "config" / "cams.yaml").write_text(CAMERAS)
        clip = [
            "ffmpeg",
            "-v",
            "error",
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=640x360:rate=10:duration=2",
        ]
        subprocess.run([*clip, "-c:v", "mpeg4", str(home / "config" / "clip.mkv")], check=True)
        subprocess.run(["chmod", "-R", "a+rX", raw_home], check=True)
        project = f"vv-mirror-{secrets.token_hex(4)}"
        environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": project,
            "IMAGE_PREFIX": "vv-video-ai",
            "IMAGE_TAG": "test",
            "VIDEO_STORAGE_ROOT": raw_home,
            "VV_MIRROR_CAMERAS_FILE": "/data/config/cams.yaml",
            "TV_MIRROR_PORT": "0",
            "BOX_UID": str(USER),
            "BOX_GID": str(USER),
            "SERVICE_HEALTH_INTERVAL": "2s",
        }
        run_compose(
            "--profile", "mirror", "build", "tv_mirror", environment=environment, timeout=1500
        )
        try:
            run_compose("up", "--detach", "--no-deps", "tv_mirror", environment=environment)
            (name,) = docker(
                "ps", "--quiet", "--filter", f"label=com.docker.compose.project={project}"
            )
            address = docker("port", name, "8001")[0]
            yield name, int(address.rpartition(":")[2])
        finally:
            run_compose("--profile", "mirror", "down", "--timeout", "2", environment=environment)


def test_it_is_healthy_shows_pictures_and_changes_nothing(started: tuple[str, int]) -> None:
    name, port = started
    deadline = time.monotonic() + 120
    while docker("inspect", "--format", "{{.State.Health.Status}}", name) != ["healthy"]:
        assert time.monotonic() < deadline, docker("logs", name)
        time.sleep(0.5)
    mirror = Served(Hub([], {}, 0), port)
    with mirror.watch("clip") as view:
        # The engine's own: its init, and where volumes are.
        before = sorted(docker("diff", name))
        pictures = {view.next().jpeg for _ in range(8)}
    assert len(pictures) > 1
    assert mirror.get("/fallback/placeholder.png")[0] == 200
    assert sorted(docker("diff", name)) == before
    mounts = docker("inspect", "--format", "{{range .Mounts}}{{.RW}} {{end}}", name)
    assert "true" not in " ".join(mounts)
