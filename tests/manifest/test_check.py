"""Whatever is changed in an installation is named; what belongs to the box is not."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import ROOT
from tests.manifest.trees import FILES, SIGNER, git, make_tree, sign_tree
from vv_core import __version__
from vv_core.manifest.check import (
    check_installation,
    installation_root,
)
from vv_core.manifest.compare import is_mode_kept
from vv_core.manifest.tree import is_ignored, tracked_files

MODULE = "vv-core/pipeline/cycle.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = make_tree(tmp_path / "app")
    assert sign_tree(root) == []
    return root


def named(root: Path) -> set[tuple[str, str]]:
    """Return what a check names: how, which."""
    report = check_installation(root, SIGNER.verifier)
    assert report.problem == ""
    return {(each.difference.value, each.path) for each in report.deviations}


def test_what_was_shipped_is_verified(tree: Path) -> None:
    report = check_installation(tree, SIGNER.verifier)
    assert report.is_verified
    assert report.is_pinned
    assert report.manifest is not None
    assert set(report.manifest.files) == set(FILES)
    assert report.manifest.version == __version__
    assert not check_installation(tree).is_pinned


Act = Callable[[Path], object]


def both(first: Act, second: Act) -> Act:
    """Return what does one thing after the other."""

    def act(root: Path) -> None:
        first(root)
        second(root)

    return act


TAMPERINGS: dict[str, tuple[Callable[[Path], object], set[tuple[str, str]]]] = {
    "a changed byte": (
        lambda root: (root / MODULE).write_bytes(b"print('cyclx')\n"),
        {("changed", MODULE)},
    ),
    "a byte more": (lambda root: (root / MODULE).write_bytes(b"x" * 99), {("changed", MODULE)}),
    "a missing file": (lambda root: (root / MODULE).unlink(), {("missing", MODULE)}),
    "a missing folder": (
        lambda root: shutil.rmtree(root / "vv-core"),
        {("missing", MODULE), ("missing", "vv-core/__init__.py")},
    ),
    "an extra module": (
        lambda root: (root / "vv-core/json.py").write_text("evil"),
        {("extra", "vv-core/json.py")},
    ),
    "an extra hidden file": (
        lambda root: (root / "scripts/.x").write_text(""),
        {("extra", "scripts/.x")},
    ),
    "an extra folder": (
        both(
            lambda root: (root / "new/deep").mkdir(parents=True),
            lambda root: (root / "new/deep/x").touch(),
        ),
        {("extra", "new/deep/x")},
    ),
    "a file that everybody may change": (
        lambda root: (root / MODULE).chmod(0o666),
        {("mode", MODULE)},
    ),
    "a file that became executable": (
        lambda root: (root / MODULE).chmod(0o744),
        {("mode", MODULE)},
    ),
    "a script that is not any more": (
        lambda root: (root / "scripts/run.sh").chmod(0o644),
        {("mode", "scripts/run.sh")},
    ),
    "a set-uid script": (
        lambda root: (root / "scripts/run.sh").chmod(0o4755),
        {("mode", "scripts/run.sh")},
    ),
    "a link in a file's place": (
        both(
            lambda root: (root / MODULE).unlink(),
            lambda root: (root / MODULE).symlink_to("../../README.md"),
        ),
        {("symlink", MODULE)},
    ),
    "a link to the same content": (
        both(
            lambda root: (root / MODULE).rename(root / "data_cycle.py"),
            lambda root: (root / MODULE).symlink_to("../../data_cycle.py"),
        ),
        {("symlink", MODULE), ("extra", "data_cycle.py")},
    ),
    "a link in a folder's place": (
        both(
            lambda root: (root / "vv-core/pipeline").rename(root / "data"),
            lambda root: (root / "vv-core/pipeline").symlink_to("../data"),
        ),
        {("symlink", MODULE), ("symlink", "vv-core/pipeline")},
    ),
    "an extra link": (
        lambda root: (root / "vv-core/yaml").symlink_to("/etc"),
        {("symlink", "vv-core/yaml")},
    ),
    "a link in a circle": (
        lambda root: (root / "loop").symlink_to("loop"),
        {("symlink", "loop")},
    ),
    "a pipe in a file's place": (
        both(lambda root: (root / MODULE).unlink(), lambda root: os.mkfifo(root / MODULE)),
        {("special", MODULE)},
    ),
    "a folder in a file's place": (
        both(lambda root: (root / MODULE).unlink(), lambda root: (root / MODULE).mkdir()),
        {("special", MODULE)},
    ),
    "an extra pipe": (lambda root: os.mkfifo(root / "x"), {("special", "x")}),
    "two changes": (
        both(
            lambda root: (root / MODULE).write_bytes(b"x"),
            lambda root: (root / MODULE).chmod(0o711),
        ),
        {("changed", MODULE), ("mode", MODULE)},
    ),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampering_is_named(tree: Path, name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    tamper(tree)
    assert named(tree) == expected


BELONGINGS = [
    "data/input/a.mp4",
    "logs/app.log",
    "secrets/key.pem",
    ".env",
    ".venv/bin/python",
    ".git/config",
    "vv-core/__pycache__/x.pyc",
    "faces/ana/1.jpg",
    "simulation/x",
    "vv_video_ai_system.egg-info/PKG-INFO",
    "scripts/.vv-tmp-0123456789ab.py",
    ".coverage.host.1",
    ".mypy_cache/x",
]


@pytest.mark.parametrize("name", BELONGINGS)
def test_what_the_box_adds_is_not_named(tree: Path, name: str) -> None:
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text("own")
    if name.startswith(".git/"):
        return  # a folder that git does not know as its own: only the check looks at it
    assert named(tree) == set()


@pytest.mark.parametrize("name", ["vv-core/data/x", "scan_video/logs/x", "x.pyc", "env", "data2/x"])
def test_a_name_that_only_looks_like_the_boxs_is_named(tree: Path, name: str) -> None:
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text("own")
    assert named(tree) == {("extra", name)}


def test_a_listed_file_is_checked_wherever_it_lies(tmp_path: Path) -> None:
    root = make_tree(tmp_path / "app")
    (root / "data").mkdir()
    (root / "data" / "shipped").write_text("1")
    git(root, "init", "-q")
    git(root, "add", "-f", ".")
    sign_tree(root)
    (root / "data" / "shipped").write_text("2")
    assert named(root) == {("changed", "data/shipped")}


def test_a_stricter_umask_is_no_change(tree: Path) -> None:
    for name in FILES:
        path = tree / name
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o077)
    assert named(tree) == set()


@given(st.integers(0, 0o7777))
def test_modes(found: int) -> None:
    assert is_mode_kept("0644", found) == (found in {0o600, 0o604, 0o640, 0o644})
    if is_mode_kept("0755", found):
        assert found & 0o700 == 0o700
        assert not found & 0o7022


# ── this very checkout ──


@pytest.fixture(scope="module")
def names() -> list[str]:
    tracked = tracked_files(ROOT)
    if tracked is None or shutil.which("git") is None:
        pytest.skip("this is not a git checkout")
    return tracked


def test_no_tracked_file_is_left_out_by_rule(names: list[str]) -> None:
    assert [name for name in names if is_ignored(name)] == []


def test_what_git_ignores_here_is_left_out_by_rule() -> None:
    command = [
        "git",
        "ls-files",
        "-z",
        "--others",
        "--ignored",
        "--exclude-standard",
        "--directory",
    ]
    listed = subprocess.run(command, check=False, timeout=60, capture_output=True, cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout")
    found = [name.rstrip("/") for name in listed.stdout.decode().split("\0") if name]
    assert [name for name in found if not is_ignored(name)] == []


def test_the_root_is_the_folder_of_the_code() -> None:
    assert installation_root() == ROOT
