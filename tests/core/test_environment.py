"""``scripts/_environment.py``: scripts find the project's environment and settings by themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.conftest import ROOT

# The interpreter below the virtual environment: it does not have the project.
BARE_PYTHON = str(Path(sys.executable).resolve())

SCRIPT = """
import os, sys
from _environment import use_project_environment
use_project_environment()
print(os.environ["VV_HOME"])
"""

PYTHON_OF_THE_PROJECT = """#!/bin/sh
echo "project python in $PWD, home $VV_HOME:" "$@"
exit 7
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project that has a script, and no environment yet."""
    root = tmp_path / "pro ject"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "_environment.py", root / "scripts")
    (root / "scripts" / "show.py").write_text(SCRIPT)
    return root


def run(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script from the root folder, with a Python that has not the project."""
    env = {name: text for name, text in os.environ.items() if name != "VV_HOME"}
    return subprocess.run(
        [BARE_PYTHON, str(project / "scripts" / "show.py"), *arguments],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
        cwd="/",
        env={**env, **environment},
    )


def test_without_an_installation_it_says_how_to_get_one(project: Path) -> None:
    result = run(project)
    assert result.returncode == 78
    assert result.stdout == ""
    assert result.stderr == (
        f"show.py: the project is not installed\n→ Run: python3 {project}/bootstrap.py\n"
    )


def test_the_projects_python_takes_over_with_the_same_arguments(project: Path) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    python = project / ".venv" / "bin" / "python"
    python.write_text(PYTHON_OF_THE_PROJECT)
    python.chmod(0o755)
    result = run(project, "--once", "a b")
    script = project / "scripts" / "show.py"
    assert result.stdout == f"project python in /, home {project}: {script} --once a b\n"
    assert result.returncode == 7


def test_an_environment_without_the_project_ends_and_does_not_start_itself_for_ever(
    project: Path,
) -> None:
    (project / ".venv" / "bin").mkdir(parents=True)
    (project / ".venv" / "bin" / "python").symlink_to(BARE_PYTHON)
    (project / ".venv" / "pyvenv.cfg").write_text(f"home = {Path(BARE_PYTHON).parent}\n")
    result = run(project)
    assert result.returncode == 78
    assert "bootstrap.py" in result.stderr


def test_where_the_project_is_installed_nothing_is_started(project: Path) -> None:
    (project / "elsewhere" / "vv_core").mkdir(parents=True)
    (project / "elsewhere" / "vv_core" / "__init__.py").write_text("")
    result = run(project, PYTHONPATH=str(project / "elsewhere"))
    assert (result.returncode, result.stdout) == (0, f"{project}\n")


def test_a_home_that_was_chosen_is_kept(project: Path, tmp_path: Path) -> None:
    (tmp_path / "vv_core.py").write_text("")
    result = run(project, PYTHONPATH=str(tmp_path), VV_HOME="/srv/box")
    assert result.stdout == "/srv/box\n"


@pytest.mark.parametrize(
    "script", ["orchestrator.py", "status.py", "show_logs.py", "simulate.py", "logline_verifier.py"]
)
@pytest.mark.parametrize("option", ["--help", "--version"])
def test_every_script_says_what_it_does(script: str, option: str) -> None:
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / script), option],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
        cwd="/",
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("usage: " if option == "--help" else script.removesuffix(".py"))
