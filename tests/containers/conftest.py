"""Images made once, a box for each test, clips made once."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.containers.live import LiveBox, build_images, hand_over, make_live, run_compose
from tests.pipeline.box import new_box
from tests.pipeline.subjects import docker, require_engine
from tests.support.clips import make_clip
from vv_core.pipeline.runners import ComposeRunner

WEIGHTS = Path(__file__).resolve().parents[3] / "shared" / "models" / "yolov8n_int8_openvino_model"


@pytest.fixture(scope="session")
def images() -> None:
    """Build the images of the stages."""
    require_engine()
    build_images()


@pytest.fixture
def live(images: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveBox]:
    """Return a box with YOLO weights where they are here; no container of it is left."""
    # pytest's own folders are closed to other users.
    with tempfile.TemporaryDirectory(prefix="vv-live-") as raw_home:
        home = Path(raw_home)
        box = new_box(home, monkeypatch, ORCHESTRATOR_RETRY_SECONDS=0.01)
        if WEIGHTS.is_dir():
            shutil.copytree(WEIGHTS, box.folder("models") / "yolo")
            monkeypatch.setenv("VV_YOLO_MODEL", "data/models/yolo")
        live = make_live(box)
        if live is None:
            pytest.skip("there is no Python that another user may run the product with")
        hand_over(home, live.user)
        # A project of its own: `run` makes the networks of all services, and two at once would make them twice.
        name = f"vv-live-{secrets.token_hex(4)}"
        live.environment["COMPOSE_PROJECT_NAME"] = name
        # As it is before a test breaks it.
        sound = dict(os.environ)
        yield live
        live.end()
        left = containers(live)
        ComposeRunner(box.settings).recover()
        run_compose("--project-name", name, "down", "--timeout", "0", environment=sound)
        assert left == []


def containers(live: LiveBox) -> list[str]:
    """Return the containers of a box."""
    label = ComposeRunner(live.box.settings).label
    return docker("ps", "--all", "--quiet", "--filter", f"label={label}")


@pytest.fixture(scope="session")
def short_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "20261121-020304.mp4")


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip that the scanner looks at for some seconds."""
    path = tmp_path_factory.mktemp("clips") / "20261121-030405.mp4"
    return make_clip(path, size="640x480", seconds=60)
