"""No secret of the installation gets into an image, whatever lies beside the sources when it is built."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT, load_services
from tests.containers.live import IMAGES, build_images
from tests.containers.test_policy import FOREIGN
from tests.pipeline.subjects import docker, require_engine

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(1800)]

MARK = f"vv-secret-{secrets.token_hex(16)}"
PLACES = (
    ".env",
    "secrets/hmac_keys.json",
    "secrets/log_signing_key.pem",
    "data/input/video.mp4",
    "faces/ana/1.jpg",
    "logs/app.log",
    "vv-core/.env",
    "scan_video/secrets/key.pem",
    "tv_ui/.env.local",
    "tv_scheduler/hmac_keys.json",
    "agent_dvr/key.pem",
    "logline_generator/.env",
    "summarize_scene/log_signing_key.pem.head",
    "deploy/docker_proxy/key.pem",
)
"""Where an operator may put secrets: in their place, or by mistake beside the code."""
_CHUNK = 1 << 20


@pytest.fixture(scope="module")
def poisoned(images: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """Build all images from a copy of the sources with secrets in it; nearly all comes from the cache."""
    copy = tmp_path_factory.mktemp("sources")
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, timeout=60, check=True
    )
    for name in (os.fsdecode(raw) for raw in tracked.stdout.split(b"\0") if raw):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    for place in PLACES:
        path = copy / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"VV_ALERT_URLS={MARK}\n")
    tag = f"secrets-{os.getpid()}"
    build_images(copy, IMAGE_TAG=tag, VV_ALERT_URLS=MARK)
    services = load_services({**IMAGES, "IMAGE_TAG": tag})
    built = sorted({each["image"] for name, each in services.items() if name not in FOREIGN})
    yield built
    docker("rmi", "--force", *built)


def holds(images: list[str], needle: bytes) -> bool:
    """Tell whether bytes stand in the layers or the description of images."""
    tail, found = b"", False
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        while chunk := process.stdout.read(_CHUNK):
            found = found or needle in tail + chunk
            tail = chunk[-len(needle) :]
    assert process.returncode == 0
    return found


def test_no_layer_holds_a_secret(poisoned: list[str]) -> None:
    assert not holds(poisoned, MARK.encode())


def test_nothing_that_the_engine_tells_about_an_image_holds_one(poisoned: list[str]) -> None:
    told = subprocess.run(
        ["docker", "image", "inspect", *poisoned], capture_output=True, timeout=60, check=True
    )
    assert len(json.loads(told.stdout)) == len(poisoned)
    assert MARK.encode() not in told.stdout
    for image in poisoned:
        history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
        assert not [line for line in history if MARK in line]


def test_a_secret_that_is_in_a_layer_is_found(tmp_path: Path) -> None:
    """The search above finds what it looks for."""
    require_engine()
    (tmp_path / "Dockerfile").write_text(f"FROM scratch\nCOPY . /\nLABEL x={MARK}-label\n")
    (tmp_path / "key").write_text(f"x{MARK}-file\n")
    name = f"vv-test-secret:{os.getpid()}"
    subprocess.run(
        ["docker", "build", "--quiet", "--tag", name, str(tmp_path)],
        capture_output=True,
        timeout=120,
        check=True,
    )
    try:
        assert holds([name], f"{MARK}-file".encode())
    finally:
        docker("rmi", "--force", name)
