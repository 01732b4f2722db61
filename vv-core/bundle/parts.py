"""What goes into a bundle: repository, wheels, images, models and Debian packages, as files by name."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vv_core.errors import ConfigError, InputDataError, InputMissingError, UnavailableError, VvError
from vv_core.process import ChildResult, run_child

Parts = Mapping[str, Path]
"""Files by their name in the bundle."""

REPOSITORY = "repository.bundle"
IMAGES = "images.tar"
_GIT_TIMEOUT_S = 300.0
_PIP_TIMEOUT_S = 3600.0
_DOCKER_TIMEOUT_S = 3600.0


def collect_repository(root: Path, work: Path) -> Parts:
    """Pack the commit that is checked out, with its history.

    Raises:
        ConfigError: the root is not a whole checkout.
    """
    git = ["git", "-C", str(root)]
    shallow = run_child(
        [*git, "rev-parse", "--is-shallow-repository"], timeout_s=_GIT_TIMEOUT_S, keep_stdout=True
    )
    if shallow.exit_code or shallow.stdout_lines != ("false",):
        raise ConfigError(
            f"{str(root)!r} is not a whole git checkout: {_last_words(shallow)}",
            advice="Make the bundle in a clone with its history: git fetch --unshallow.",
        )
    target = work / REPOSITORY
    command = [*git, "bundle", "create", "--quiet", str(target), "HEAD"]
    _need(run_child(command, timeout_s=_GIT_TIMEOUT_S), ConfigError, "git packed no repository")
    return {REPOSITORY: target}


def requirements_of(pyproject: bytes, rooms: Sequence[str]) -> list[str]:
    """Return what pip must have to install some rooms without a network, the build's own needs among it.

    Args:
        pyproject: content of pyproject.toml.
        rooms: names of extras.

    Raises:
        InputMissingError: there is no such room.
    """
    document = tomllib.loads(pyproject.decode("utf-8"))
    project = document["project"]
    extras = project["optional-dependencies"]
    unknown = sorted(set(rooms) - set(extras))
    if unknown:
        raise InputMissingError(
            f"unknown room: {', '.join(unknown)}", advice=f"Choose of {', '.join(extras)}."
        )
    wanted = [*document["build-system"]["requires"], *project["dependencies"]]
    return sorted({*wanted, *(need for room in rooms for need in extras[room])})


def collect_wheels(root: Path, work: Path, rooms: Sequence[str]) -> Parts:
    """Have pip fetch or build the wheels of some rooms, for this machine's Python and processor.

    Raises:
        InputMissingError: there is no such room.
        UnavailableError: pip did not get all of them.
    """
    folder = work / "wheels"
    folder.mkdir()
    needs = work / "needs.txt"
    needs.write_text(
        "\n".join([*requirements_of((root / "pyproject.toml").read_bytes(), rooms), ""]), "utf-8"
    )
    constraints = str(root / "requirements" / "constraints.txt")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    pip += ["--wheel-dir", str(folder), "--constraint", constraints]
    _pip([*pip, "--requirement", str(needs)])
    for room in rooms:
        alone = root / "requirements" / f"no-deps-{room}.txt"
        if alone.is_file():
            _pip([*pip, "--no-deps", "--requirement", str(alone)])
    return dict(_files_below(folder, "wheels"))


def _pip(command: Sequence[str]) -> None:
    _need(run_child(command, timeout_s=_PIP_TIMEOUT_S), UnavailableError, "pip made no wheels")


def collect_images(root: Path, work: Path, names: Sequence[str] = ()) -> Parts:
    """Save images as ``docker load`` reads them.

    Args:
        root: of the project.
        work: where to write.
        names: of the images; none: all that docker-compose.yml names.

    Raises:
        UnavailableError: an image is not here, or there is no engine.
    """
    # Not "*": what runs only on request (watchtower) needs a network anyway.
    compose = ["docker", "compose", "--file", str(root / "docker-compose.yml")]
    compose += ["--profile", "stages"]
    if not names:
        told = run_child(
            [*compose, "config", "--images"], timeout_s=_GIT_TIMEOUT_S, keep_stdout=True, cwd=root
        )
        _need(told, UnavailableError, "docker compose names no images")
        names = sorted(set(told.stdout_lines))
    target = work / IMAGES
    saved = run_child(
        ["docker", "image", "save", "--output", str(target), *names], timeout_s=_DOCKER_TIMEOUT_S
    )
    _need(saved, UnavailableError, "docker saved no images; are they built (docker compose build)?")
    return {IMAGES: target}


def collect_models(folder: Path) -> Parts:
    """Name the files of the models folder; a link is refused.

    Raises:
        InputDataError: a link or something that is not a plain file lies there.
    """
    return dict(_files_below(folder, "models"))


def collect_debs(folder: Path) -> Parts:
    """Name the Debian packages of a folder.

    Raises:
        InputMissingError: there are none.
    """
    files = {f"debs/{path.name}": path for path in sorted(folder.glob("*.deb"))}
    if not files:
        raise InputMissingError(
            f"there are no .deb files in {str(folder)!r}",
            advice="Fill it: apt-get download of each package and of what it needs.",
        )
    return files


def _files_below(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not (path.is_dir() or path.is_file()):
            raise InputDataError(
                f"{str(path)!r} is a link or no plain file", advice="Put the file itself there."
            )
        if path.is_file() and not path.name.startswith("."):
            yield f"{prefix}/{path.relative_to(folder).as_posix()}", path


def _need(result: ChildResult, kind: type[VvError], what: str) -> None:
    if result.exit_code:
        raise kind(f"{what}: {_last_words(result)}", advice="Read the message and run it again.")


def _last_words(result: ChildResult) -> str:
    return " | ".join(result.stderr_tail[-5:]) or f"exit code {result.exit_code}"
