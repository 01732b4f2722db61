"""What every Dockerfile must keep to, and what may get into an image at all."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.containers.compose_file import ROOT, load_services

DOCKERFILES = sorted(
    service["build"]["dockerfile"] for service in load_services().values() if "build" in service
)
PRINT_ROOM = ROOT / "requirements" / "print_room.py"

each_dockerfile = pytest.mark.parametrize("name", DOCKERFILES)


def instructions(name: str) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, continued lines joined and comments left out."""
    text = (ROOT / name).read_text("utf-8")
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [(line.split()[0].upper(), line.split(maxsplit=1)[1]) for line in lines if line]


def is_python(name: str) -> bool:
    """Tell whether an image runs a program of ours."""
    return any("python" in rest for word, rest in instructions(name) if word == "ENTRYPOINT")


def last_stage(name: str) -> list[tuple[str, str]]:
    parts = instructions(name)
    start = max(index for index, (word, _) in enumerate(parts) if word == "FROM")
    return parts[start + 1 :]


@each_dockerfile
def test_the_base_is_the_pinned_one_in_all_stages(name: str) -> None:
    sources = [rest.split()[0] for word, rest in instructions(name) if word == "FROM"]
    base = "PYTHON" if is_python(name) else "NGINX"
    assert sources[0] == f"${{{base}_IMAGE}}${{{base}_DIGEST}}"
    assert set(sources[1:]) == {"base"}


@each_dockerfile
def test_the_last_stage_only_takes_what_was_made(name: str) -> None:
    words = dict(last_stage(name))
    assert words.keys() <= {"COPY", "WORKDIR", "USER", "ENTRYPOINT"}
    assert all("--from=build" in rest for word, rest in last_stage(name) if word == "COPY")
    user, group = words["USER"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@each_dockerfile
def test_the_plain_script_finds_its_package(name: str) -> None:
    if not is_python(name):
        assert "PYTHON" not in (ROOT / name).read_text("utf-8")
        return
    base = dict(
        pair.split("=", 1)
        for word, rest in instructions(name)
        if word == "ENV"
        for pair in rest.split()
    )
    assert base["PYTHONSAFEPATH"] == "1"
    assert base["PYTHONPATH"] == "/app"
    folder = dict(last_stage(name))["WORKDIR"]
    room = Path(name).parent
    # The monitor's program is a part of the core.
    assert folder == ("/app/vv_core/monitor" if room.parts[0] == "deploy" else f"/app/{room}")


@each_dockerfile
def test_it_names_no_host_and_takes_no_whole_folder(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "syntax=" not in text, "the engine's own frontend needs no registry"
    assert not re.search(r"^\s*(ADD|COPY \.)\s", text, flags=re.MULTILINE)


@each_dockerfile
def test_everything_it_copies_is_let_through(name: str) -> None:
    allowed = {line[1:] for line in ignore_lines() if line.startswith("!")}
    for word, rest in instructions(name):
        if word != "COPY" or "--from=" in rest:
            continue
        for source in rest.split()[:-1]:
            assert {source.split("/")[0], str(Path(source).parent)} & allowed, source


def ignore_lines() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_nothing_gets_into_an_image_unless_it_is_named() -> None:
    assert ignore_lines()[0] == "*"


def test_the_room_of_a_name_is_printed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for room, own in project["optional-dependencies"].items():
        result = print_room(room)
        assert result.stdout.splitlines() == [*project["dependencies"], *own]


@pytest.mark.parametrize("arguments", [(), ("nowhere",), ("writer", "scanner")])
def test_another_name_is_refused_with_the_rooms(arguments: tuple[str, ...]) -> None:
    result = print_room(*arguments)
    assert result.returncode == 64
    assert "scanner" in result.stderr


def print_room(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(PRINT_ROOM), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
