"""What reaches a builder, and what an image is made of."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.containers.compose_file import ROOT
from tests.pipeline.subjects import require_engine
from vv_core.images.compose_model import Build
from vv_core.images.dockerfile import read_inputs
from vv_core.images.fingerprint import fingerprint
from vv_core.images.ignore import context_files, is_let_in, parse_ignore

IGNORE = """
# only what is named
*
!src
!docs/*.md
**/__pycache__
**/*.pyc
src/secret
src/**/deep
!src/secret/not
"""
FILES = {
    "src/a.py": True,
    "src/a.pyc": False,
    "src/__pycache__/a.py": False,
    "src/x/y/__pycache__/a": False,
    "src/secret/key": False,
    "src/secret/not/this": True,
    "src/secret/not": True,
    "src/one/deep": False,
    "src/one/two/deep/file": False,
    "src/deeper": True,
    "docs/a.md": True,
    "docs/a.txt": False,
    "docs/sub/a.md": False,
    ".env": False,
    "data/video.mp4": False,
}


@pytest.mark.parametrize("name", FILES)
def test_the_rules_of_dockerignore(name: str) -> None:
    assert is_let_in(name, parse_ignore(IGNORE)) is FILES[name]


@pytest.mark.docker
@pytest.mark.integration
def test_docker_itself_sees_it_the_same_way(tmp_path: Path) -> None:
    require_engine()
    context = tmp_path / "context"
    for name in FILES:
        if name != "src/secret/not":  # it is a folder already
            path = context / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
    (context / ".dockerignore").write_text(IGNORE)
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    command = ["docker", "buildx", "build", "--quiet", "--file", str(tmp_path / "Dockerfile")]
    command += ["--output", str(tmp_path / "image"), str(context)]
    subprocess.run(command, timeout=120, check=True, capture_output=True)
    image = tmp_path / "image"
    sent = {str(path.relative_to(image)) for path in image.rglob("*") if path.is_file()}
    assert sent == set(context_files(context, ["."], parse_ignore(IGNORE)))


DOCKERFILE = """
ARG BASE=python:3.11
ARG TAG
FROM --platform=linux/amd64 ${BASE}${TAG} AS base
FROM base AS build
COPY requirements/a.txt requirements \\
     /src/
COPY --from=nginx:1.27 /etc/nginx /x
COPY --from=base /a /b
COPY ["with space", "/y"]
RUN --mount=type=bind,from=wheels,target=/w \\
    --mount=type=bind,source=tools,target=/t \\
    --mount=type=cache,target=/root/.cache make
COPY <<EOF /made-here
COPY not-an-instruction /z
EOF
ADD https://example.org/file /file
# COPY commented /c
FROM scratch
COPY --from=0 /o /o
COPY lib/*.py /lib/
"""


def test_what_a_dockerfile_takes() -> None:
    inputs = read_inputs(DOCKERFILE, {"TAG": "-slim"})
    assert inputs.bases == ("python:3.11-slim", "nginx:1.27", "wheels")
    assert inputs.sources == ("requirements/a.txt", "requirements", "with space", "tools", ".")


def test_a_name_that_nobody_knows_counts_as_everything() -> None:
    assert read_inputs("FROM a\nCOPY $WHO /x\n", {}).sources == (".",)
    assert read_inputs('FROM a\nCOPY ["broken /x\n', {}).sources == (".",)


def build_in(folder: Path) -> Build:
    (folder / "Dockerfile").write_text(
        "FROM base:1\nCOPY src /src\nRUN --mount=type=bind,from=wheels,target=/w make\n"
    )
    (folder / "src").mkdir()
    (folder / "src" / "a.py").write_text("1")
    (folder / "src" / "b.pyc").write_text("1")
    (folder / "other").mkdir()
    (folder / "wheels").mkdir()
    (folder / ".dockerignore").write_text("*\n!src\n**/*.pyc\n")
    return Build(folder, folder / "Dockerfile", {"A": "1"}, {"wheels": folder / "wheels"}, "")


def test_only_what_reaches_the_image_makes_it_another(tmp_path: Path) -> None:
    build = build_in(tmp_path)
    ids = {"base:1": "sha256:1"}

    def mark(made: Build = build) -> str:
        return fingerprint(made, lambda name: ids.get(name, ""))

    first = mark()
    (tmp_path / "other" / "x").write_text("changed")
    (tmp_path / "src" / "b.pyc").write_text("changed")
    os.utime(tmp_path / "src" / "a.py", (1, 1))
    (tmp_path / "src" / "a.py").chmod(0o600)
    assert mark() == first
    seen = {first}
    for change in (
        lambda: (tmp_path / "src" / "a.py").write_text("2"),
        lambda: (tmp_path / "src" / "a.py").chmod(0o755),
        lambda: (tmp_path / "src" / "a.py").rename(tmp_path / "src" / "c.py"),
        lambda: (tmp_path / "src" / "link").symlink_to("c.py"),
        lambda: (tmp_path / "wheels" / "w.whl").write_text("w"),
        lambda: ids.update({"base:1": "sha256:2"}),
        lambda: (tmp_path / ".dockerignore").write_text("*\n!src\n"),
        lambda: (tmp_path / "Dockerfile").write_text("FROM base:1\nCOPY src /srv\n"),
    ):
        change()
        seen.add(mark())
    assert len(seen) == 9
    assert mark(Build(build.context, build.dockerfile, {"A": "2"}, {}, "")) not in seen


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(["*", "a", "!a", "a/b", "!a/b", "**/c", "!**/c", "a/*", "?"]), max_size=6
    ),
    st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3),
)
def test_a_last_rule_for_everything_has_the_last_word(lines: list[str], parts: list[str]) -> None:
    path = "/".join(parts)
    assert not is_let_in(path, parse_ignore("\n".join([*lines, "**"])))
    assert is_let_in(path, parse_ignore("\n".join([*lines, f"!{parts[0]}"])))


def test_every_dockerfile_of_ours_is_read_to_its_sources() -> None:
    """Every COPY of a Dockerfile here names something that exists and is let in."""
    rules = parse_ignore((ROOT / ".dockerignore").read_text("utf-8"))
    dockerfiles = [*ROOT.glob("*/Dockerfile"), *ROOT.glob("deploy/*/Dockerfile")]
    assert len(dockerfiles) >= 5
    for path in dockerfiles:
        inputs = read_inputs(path.read_text("utf-8"), {})
        assert "." not in inputs.sources, "then every change would build every image"
        for source in inputs.sources:
            assert [*context_files(ROOT, [source], rules)], (path, source)


def test_a_folder_that_cannot_be_listed_is_no_empty_folder(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may list everything")
    closed = tmp_path / "src"
    closed.mkdir(mode=0)
    try:
        with pytest.raises(PermissionError):
            list(context_files(tmp_path, ["src"], []))
    finally:
        closed.chmod(0o700)
