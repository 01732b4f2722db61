"""What these tests share: a clean environment, a small disk, and waiting with an end."""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from vv_core.settings import OWN_PREFIXES

ROOT = Path(__file__).resolve().parents[2]

# Files are synced to a disk that others use too: a time limit for one example would fail at random.
unhurried = hypothesis_settings(deadline=None, max_examples=60)


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path) -> Iterator[None]:
    """Let no setting of the machine into a test, and nothing of a test out of it."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        del os.environ[name]
    os.environ["VV_HOME"] = str(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[logging.Logger]:
    """Give the product's logger back as it was."""
    logger = logging.getLogger("vv")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield logger
    for handler in [handler for handler in logger.handlers if handler not in handlers]:
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return the mount point of a file system of 256 KiB."""
    folder = tmp_path / "small-disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, check=False, timeout=30, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if mounted.returncode != 0:
        pytest.skip(f"a tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True, timeout=30)


@pytest.fixture
def fill_up() -> Callable[[Path], Path]:
    """Return a function that fills a file system to its last byte, and says with which file."""

    def fill(folder: Path) -> Path:
        ballast = folder / "ballast"
        with ballast.open("wb", buffering=0) as stream:
            for size in (4096, 1):
                try:
                    while stream.write(b"x" * size):
                        pass
                except OSError:
                    continue
        return ballast

    return fill


Stranger = tuple[Path, Callable[[], AbstractContextManager[None]]]


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    """Return a folder that everybody may enter, and a context in which this process is nobody."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")

    @contextmanager
    def be_nobody() -> Iterator[None]:
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder), be_nobody
