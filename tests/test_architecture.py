"""The rules of the house: who may import whom, what stays light, and no traces of a machine."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    "scan_video",
    "summarize_scene",
    "logline_generator",
    "tv_scheduler",
    "tv_ui",
    "tv_mirror_ui",
    "agent_dvr",
    "vv_ingest",
)
PACKAGES = {"vv_core": "vv-core", "vv_schemas": "schemas"} | {name: name for name in ROOMS}
LINTER = Path(sys.executable).with_name("lint-imports")


def check_contracts(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of `.importlinter` for the packages in a folder, under their import names."""
    return subprocess.run(
        [str(LINTER), "--config", str(ROOT / ".importlinter"), "--no-cache"],
        check=False,
        timeout=120,
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": "", "COLUMNS": "200", "NO_COLOR": "1"},
    )


def link_packages(folder: Path) -> None:
    for name, place in PACKAGES.items():
        (folder / name).symlink_to(ROOT / place)


@pytest.mark.skipif(not LINTER.exists(), reason="import-linter is not installed")
def test_imports_point_one_way(tmp_path: Path) -> None:
    link_packages(tmp_path)
    result = check_contracts(tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


FORBIDDEN = {
    "a stage imports a stage": ("summarize_scene", "import scan_video"),
    "a stage imports the orchestrator": ("scan_video", "from vv_core.pipeline import cycle"),
    "the core imports a stage": ("vv_core", "def f():\n    from logline_generator import rules"),
    "the core imports OpenCV": ("vv_core", "import cv2"),
    "schemas import the core": ("vv_schemas", "import vv_core"),
}


@pytest.mark.skipif(not LINTER.exists(), reason="import-linter is not installed")
@pytest.mark.parametrize("name", FORBIDDEN)
def test_an_import_that_is_not_allowed_is_found(tmp_path: Path, name: str) -> None:
    package, statement = FORBIDDEN[name]
    link_packages(tmp_path)
    (tmp_path / package).unlink()
    shutil.copytree(
        ROOT / PACKAGES[package], tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
    )
    (tmp_path / package / "intruder.py").write_text(f"{statement}\n")
    result = check_contracts(tmp_path)
    assert result.returncode == 1
    assert f"{package}.intruder" in result.stdout


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))
BESIDE_BOOTSTRAP = {"_build_progress", "_bootstrap_environment"}
"""What bootstrap.py is made of besides; it runs before anything is installed."""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_thin(script: Path) -> None:
    allowed = {*sys.stdlib_module_names, "vv_core", "vv_schemas", "_environment", "tqdm"}
    if script.stem in BESIDE_BOOTSTRAP:
        allowed = {*sys.stdlib_module_names, *BESIDE_BOOTSTRAP}
    assert imported_packages(script) <= allowed


def test_bootstrap_needs_nothing_but_python() -> None:
    assert imported_packages(ROOT / "bootstrap.py") <= sys.stdlib_module_names | BESIDE_BOOTSTRAP


def modules_after(statement: str) -> set[str]:
    """Return the top-level packages that are loaded after a statement."""
    code = f"import sys; {statement}; print(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=120,
        capture_output=True,
        text=True,
        cwd=ROOT,
        # Coverage, where it watches this process, would load modules of its own there.
        env={name: text for name, text in os.environ.items() if not name.startswith("COV")},
    )
    return set(result.stdout.split())


TORCH = {"torch", "torchvision", "ultralytics"}
OF_STAGES = {
    *TORCH,
    *("av", "cv2", "dlib", "face_recognition", "llama_cpp", "numpy", "onnxruntime", "openvino"),
    *("PIL", "supervision"),
}
PYDANTIC = {"pydantic", "pydantic_core", "pydantic_settings"}


def test_the_orchestrator_starts_without_the_libraries_of_stages() -> None:
    loaded = modules_after("import vv_core.pipeline.orchestrate")
    assert not loaded & {*OF_STAGES, *ROOMS, "apprise", "tqdm", "requests"}


@pytest.mark.parametrize(
    "name",
    ["atomic", "batch_files", "cli", "clock", "errors", "jsonio", "logs", "paths", "process"],
)
def test_small_parts_of_the_core_stay_small(name: str) -> None:
    loaded = modules_after(f"import vv_core.{name}")
    assert not loaded & {*OF_STAGES, *PYDANTIC, "jsonschema_rs", "sqlite3", "dotenv", "yaml"}


@pytest.mark.parametrize("module", ["scan_video.scan_video", "summarize_scene.summarize_scene"])
def test_no_stage_starts_with_torch(module: str) -> None:
    assert not modules_after(f"import {module}") & TORCH


def test_the_writer_starts_without_any_heavy_library() -> None:
    assert not modules_after("import logline_generator.logline_generator") & OF_STAGES


def repository_files() -> list[Path]:
    """Return all files that belong to the repository, those not committed yet among them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, check=False, timeout=60, capture_output=True, cwd=ROOT)
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout")
    paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_place_on_this_machine() -> None:
    places = {str(ROOT), str(ROOT.parent / "shared"), str(Path(sys.executable).parent)}
    places |= {sys.base_prefix} - {"/usr", "/usr/local"}
    found = [
        f"{path.relative_to(ROOT)}: {place}"
        for path in repository_files()
        for place in places
        # A checkout in /app must not forbid the /app of containers.
        if place.count("/") > 1 and place.encode() in path.read_bytes()
    ]
    assert found == []


def test_every_package_is_known_to_setuptools() -> None:
    """A sub-package that pyproject.toml does not list would be missing from a wheel."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    there = {
        ".".join((name, *file.parent.relative_to(ROOT / place).parts))
        for name, place in PACKAGES.items()
        for file in (ROOT / place).rglob("__init__.py")
    }
    assert there == set(project["tool"]["setuptools"]["packages"])
