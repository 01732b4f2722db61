"""What gets into images, asked of the engine that builds them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT, load_services
from tests.containers.live import IMAGES, docker_json, run_compose
from tests.containers.test_policy import FOREIGN
from tests.pipeline.subjects import require_engine

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

PRIVATE = (
    ".env",
    "secrets/hmac_keys.json",
    "secrets/log_signing_key.pem",
    "data/input/video.mp4",
    "faces/ana/1.jpg",
    "logs/app.log",
    ".git/config",
    "tests/a.py",
    "vv-core/__pycache__/a.pyc",
    "vv-core/.env",
    "tv_ui/.env.local",
    "agent_dvr/secrets/a.txt",
    "scan_video/key.pem",
)
NO_PYTHON = {"docker_proxy"}
STAYING = {
    "video_capture", "playlist_manager", "clip_converter", "tv_api", "self_monitor", "docker_proxy",
}  # fmt: skip
TOLD = ("vv-core/a.py", "scan_video/a.py", "pyproject.toml")


def test_the_file_is_valid_with_and_without_settings() -> None:
    require_engine()
    for environment in (IMAGES, {"VIDEO_STORAGE_ROOT": "/mnt/disk", "SCANNER_MEMORY": "512m"}):
        run_compose(
            "--profile", "*", "config", "--quiet", environment={**os.environ, **environment}
        )
    started = run_compose("config", "--services", environment=os.environ)
    assert set(started.stdout.split()) == STAYING, "`up` starts no stage"


def test_no_private_file_gets_into_a_context(tmp_path: Path) -> None:
    require_engine()
    for name in (*PRIVATE, *TOLD):
        path = tmp_path / "context" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    shutil.copy(ROOT / ".dockerignore", tmp_path / "context")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    command = ["docker", "buildx", "build", "--quiet", "--file", str(tmp_path / "Dockerfile")]
    command += ["--output", str(tmp_path / "image"), str(tmp_path / "context")]
    subprocess.run(command, timeout=120, check=True, capture_output=True)
    image = tmp_path / "image"
    found = {str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()}
    assert found == set(TOLD)


def test_images_are_small_and_know_no_secret(images: None) -> None:
    own = {name: found for name, found in load_services(IMAGES).items() if name not in FOREIGN}
    for name, service in own.items():
        (image,) = docker_json("image", "inspect", service["image"])
        assert image["Config"]["User"] == "10001:10001", name
        assert not [entry for entry in image["Config"]["Env"] if "KEY" in entry]
        if name in NO_PYTHON:
            continue
        assert [entry for entry in image["Config"]["Env"] if entry == "PYTHONSAFEPATH=1"]
        script = (
            "import importlib.util as u, shutil; "
            "print([t for t in ('gcc','cc','g++','c++','cmake','make','git') if shutil.which(t)], "
            "[m for m in ('torch','ultralytics','pytest') if u.find_spec(m)])"
        )
        command = ["docker", "run", "--rm", "--network", "none", "--entrypoint", "python"]
        result = subprocess.run(
            [*command, service["image"], "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert result.stdout == "[] []\n", name
