"""What these tests share: a clean environment, clips made once, and files of the shared folder."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.clips import X264, ffmpeg
from vv_core.settings import OWN_PREFIXES, Settings

SHARED = Path(__file__).resolve().parents[3] / "shared"

MakeClip = Callable[..., Path]


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path) -> Iterator[None]:
    """Let no setting of the machine into a test, and nothing of a test out of it."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith((*OWN_PREFIXES, "VIDEO_STORAGE"))]:
        del os.environ[name]
    os.environ["VV_HOME"] = str(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Give the product's logger back as it was."""
    logger = logging.getLogger("vv")
    handlers, propagate = list(logger.handlers), logger.propagate
    yield
    for handler in [handler for handler in logger.handlers if handler not in handlers]:
        handler.close()
    logger.handlers[:] = handlers
    logger.propagate = propagate


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> MakeClip:
    """Return a function that makes a clip once and hands out the same file afterwards.

    Its arguments are the file name and ffmpeg's options for the output; ``source`` is a lavfi source.
    """
    folder = tmp_path_factory.mktemp("clips")

    def make(
        name: str, *options: str, source: str = "testsrc2=size=320x240:rate=10:duration=4"
    ) -> Path:
        made_how = hashlib.sha256(repr((options, source)).encode()).hexdigest()[:12]
        path = folder / made_how / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            ffmpeg("-f", "lavfi", "-i", source, *(options or X264), path)
        return path

    return make


@pytest.fixture(scope="session")
def still_clip(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return a function that makes a clip of a photograph."""
    folder = tmp_path_factory.mktemp("stills")

    def make(photograph: Path, seconds: float = 3, width: int = 640) -> Path:
        path = folder / f"{photograph.stem}-{seconds}-{width}.mp4"
        if not path.exists():
            ffmpeg(
                *("-loop", "1", "-framerate", "5", "-i", photograph, "-t", str(seconds)),
                *("-vf", f"scale={width}:-2", *X264, "-crf", "18", path),
            )
        return path

    return make


def shared_file(*parts: str) -> Path:
    """Return a file of the shared folder, or skip the test."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"not here: shared/{'/'.join(parts)}")
    return path


@pytest.fixture
def weights() -> Path:
    """Return YOLOv8n in OpenVINO's format."""
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    return shared_file("models", "yolov8n_int8_openvino_model")


@pytest.fixture
def bottles() -> Path:
    """Return real footage: bottles on a belt."""
    return shared_file("videos", "bottle-detection.mp4")


@pytest.fixture(scope="session")
def bus() -> Path:
    """Return a photograph of a bus and four people that the package ultralytics ships."""
    spec = importlib.util.find_spec("ultralytics")
    folders = list(spec.submodule_search_locations or []) if spec else []
    for folder in folders:
        if (path := Path(folder) / "assets" / "bus.jpg").exists():
            return path
    pytest.skip("the package ultralytics, which ships the photograph, is not installed")


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., Settings]:
    """Return a function that makes settings for a box in the test's own folder."""

    def make(**values: object) -> Settings:
        return Settings(home=tmp_path, _env_file=None, **values)  # type: ignore[arg-type]

    return make
