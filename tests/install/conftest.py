"""A repository and a bundle of the working tree, made once for all workers."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.install.throwaway import (
    OPTIONS,
    ROOT,
    Throwaway,
    copy_of_the_tree,
    docker,
    git,
    throwaway,
)
from tests.pipeline.subjects import require_engine
from vv_core.bundle.opening import unpack_bundle


@dataclass(frozen=True)
class Bundled:
    """A small bundle.

    Attributes:
        folder: what make bundle wrote: the bundle and its install.sh.
        path: of the bundle.
        vkey: who signed it.
    """

    folder: Path
    path: Path
    vkey: str


def once_for_all_workers(shared: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that one worker of this test run has made."""
    target = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            new = shared / f"{name}.new"
            new.mkdir()
            make(new)
            new.rename(target)
    return target


@pytest.fixture(scope="session")
def of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that all workers of this test run share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def tree(of_this_run: Path) -> Path:
    """Return a repository of the working tree, not to be changed."""
    return once_for_all_workers(
        of_this_run, "tree", lambda target: _ignore(copy_of_the_tree(target))
    )


def _ignore(_: object) -> None:
    return


@pytest.fixture(scope="session")
def bundled(of_this_run: Path, tree: Path) -> Bundled:
    """Return a bundle of the rooms that are small."""
    return _bundle_of("writer,api,playlists,selftest", "bundled", of_this_run, tree)


def _bundle_of(rooms: str, name: str, of_this_run: Path, tree: Path) -> Bundled:
    def make(target: Path) -> None:
        command = [sys.executable, str(ROOT / "scripts" / "make_bundle.py"), "--json"]
        command += ["--root", str(tree), "--output", str(target), "--rooms", rooms]
        command += ["--no-images", "--no-models", "--key", str(_key(target))]
        told = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert told.returncode == 0, told.stderr
        (target / "told.json").write_text(told.stdout)

    folder = once_for_all_workers(of_this_run, name, make)
    told = json.loads((folder / "told.json").read_text())
    return Bundled(folder, folder / Path(told["path"]).name, told["vkey"])


def _key(target: Path) -> Path:
    from vv_core.tlog.signing_key import create_signing_key

    path = target / "keys" / "key.pem"
    create_signing_key(path)
    return path


@pytest.fixture(scope="session")
def wheels(of_this_run: Path, bundled: Bundled) -> Path:
    """Return a folder with all wheels of those rooms."""
    return _wheels_of(bundled, "unpacked", of_this_run)


@pytest.fixture(scope="session")
def seeing_wheels(of_this_run: Path, tree: Path) -> Path:
    """Return a folder with the scanner's wheels too."""
    seeing = _bundle_of(
        "scanner,writer,api,playlists,selftest", "bundled-seeing", of_this_run, tree
    )
    return _wheels_of(seeing, "unpacked-seeing", of_this_run)


def _wheels_of(made: Bundled, name: str, of_this_run: Path) -> Path:
    folder = once_for_all_workers(
        of_this_run,
        name,
        lambda target: _ignore(unpack_bundle(made.path, target / "bundle", made.vkey)),
    )
    return folder / "bundle" / "wheels"


@pytest.fixture
def source(tree: Path, tmp_path: Path) -> Path:
    """Return a repository of the working tree to work in."""
    git(tmp_path, "clone", "--quiet", str(tree), "source")
    return tmp_path / "source"


@pytest.fixture
def root(source: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Throwaway]:
    """Return a Debian root where pip needs no network."""
    require_engine()
    with throwaway(source, tmp_path, wheels=request.getfixturevalue("wheels")) as made:
        yield made


@pytest.fixture(scope="session")
def installed_image(
    tree: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Return the image of a root on which a person with sudo has piped install.sh into bash."""
    require_engine()
    tag = f"vv-test/installed:{uuid.uuid4().hex[:12]}"
    folder = tmp_path_factory.mktemp("installed")
    with throwaway(tree, folder, wheels=request.getfixturevalue("wheels")) as made:
        script = (tree / "install.sh").read_text()
        command = ["bash", "-s", "--", *OPTIONS, "--source", "/src", "--ref", "HEAD"]
        ran = made.run(
            *command, user="person", stdin=script, VV_LANGUAGE="pt-BR", DVR_IP="10.1.2.3"
        )
        assert "pronto; mudanças" in ran.out, ran
        docker("commit", made.name, tag)
    yield tag
    docker("image", "rm", tag)


@pytest.fixture
def box(source: Path, tmp_path: Path, installed_image: str, wheels: Path) -> Iterator[Throwaway]:
    """Return a root on which the box was installed."""
    with throwaway(source, tmp_path, wheels=wheels, image=installed_image) as made:
        yield made
