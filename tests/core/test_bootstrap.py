"""``bootstrap.py`` as a command; where it would install something, a fake stands on the path."""

from __future__ import annotations

import ast
import json
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.core.test_environment import BARE_PYTHON

# Writes down how it is called; `fail-<word>` beside it makes calls with that word fail.
FAKE_PYTHON = """#!/bin/sh
echo "VV_HOME=$VV_HOME" "$@" >> "{calls}"
for word in show install vv_core.preparation; do
    case " $* " in *" $word "*)
        if [ -e "{folder}/fail-$word" ]; then echo "$word: no luck" >&2; exit 75; fi;;
    esac
done
case " $* " in *" vv_core.preparation "*) cat "{folder}/prepared.json";; esac
"""

# Stands for `python -m venv`: makes the fake Python.
FAKE_VENV = """
import pathlib, shutil, sys
folder = pathlib.Path(__file__).parent
if (folder / "fail-venv").exists():
    sys.exit("ensurepip is not available")
assert sys.argv[1] == "--clear"
target = pathlib.Path(sys.argv[2]) / "bin"
shutil.rmtree(target, ignore_errors=True)
target.mkdir(parents=True)
shutil.copy(folder / "fake-python", target / "python")
"""


@dataclass
class Project:
    """A copy of what bootstrap.py needs, beside its fakes."""

    root: Path
    fakes: Path

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run bootstrap.py from another folder."""
        env = {name: text for name, text in os.environ.items() if name != "VV_HOME"} | environment
        return subprocess.run(
            [BARE_PYTHON, str(self.root / "bootstrap.py"), *arguments],
            check=False,
            timeout=60,
            capture_output=True,
            text=True,
            cwd="/",
            env={**env, "PYTHONPATH": str(self.fakes)},
        )

    def calls(self) -> list[str]:
        """Return how the environment's Python was called since the last time."""
        path = self.fakes / "calls"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines

    def fail(self, word: str) -> None:
        """Let calls with a word fail."""
        (self.fakes / f"fail-{word}").touch()

    def mend(self) -> None:
        """Let nothing fail any more."""
        for path in self.fakes.glob("fail-*"):
            path.unlink()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project that was just copied to a machine."""
    root, fakes = tmp_path / "pro ject", tmp_path / "fakes"
    (root / "requirements").mkdir(parents=True)
    (root / "scripts").mkdir()
    fakes.mkdir()
    for name in (
        "bootstrap.py",
        "pyproject.toml",
        ".env.example",
        "requirements/no-deps-scanner.txt",
        "scripts/_bootstrap_environment.py",
        "scripts/_build_progress.py",
    ):
        shutil.copy(ROOT / name, root / name)
    (root / "requirements" / "constraints.txt").write_text(
        "llama_cpp_python==0.3.36\npydantic==2.14.3\n"
    )
    (fakes / "venv.py").write_text(FAKE_VENV)
    (fakes / "prepared.json").write_text('{"done": [], "missing": [], "todo": []}')
    fake = fakes / "fake-python"
    fake.write_text(FAKE_PYTHON.format(calls=fakes / "calls", folder=fakes))
    fake.chmod(0o755)
    return Project(root, fakes)


def test_a_fresh_copy_is_installed_pinned_and_prepared(project: Project) -> None:
    result = project.run("--rooms", "writer,scanner")
    assert (result.returncode, result.stderr) == (0, "")
    root = project.root
    pip = "VV_HOME= -m pip --disable-pip-version-check install"
    assert project.calls() == [
        f"{pip} --constraint {root}/requirements/constraints.txt --editable {root}[scanner,writer] --quiet",
        f"{pip} --no-deps --requirement {root}/requirements/no-deps-scanner.txt --quiet",
        f"VV_HOME={root} -m vv_core.preparation --json",
    ]
    assert (root / ".env").read_bytes() == (root / ".env.example").read_bytes()
    assert stat.S_IMODE((root / ".env").stat().st_mode) == 0o600
    assert "llama.cpp" not in result.stdout


def test_an_environment_that_was_cut_short_is_made_anew(project: Project) -> None:
    """Its Python is there, and its pip is not."""
    python = project.root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    begun = project.root / ".cache" / "venv-begun"
    begun.parent.mkdir()
    begun.touch()
    result = project.run("--rooms", "writer")
    assert (result.returncode, result.stderr) == (0, "")
    assert not begun.exists()


def test_the_second_run_installs_nothing_and_prepares_again(project: Project) -> None:
    project.run("--rooms", "writer")
    project.calls()
    result = project.run("--rooms", "writer")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert project.calls() == [f"VV_HOME={project.root} -m vv_core.preparation --json"]


def test_settings_that_are_there_are_kept(project: Project) -> None:
    (project.root / ".env").write_text("VV_LANGUAGE=en\n")
    assert project.run("--rooms", "writer").returncode == 0
    assert (project.root / ".env").read_text() == "VV_LANGUAGE=en\n"


def test_rooms_are_added_to_those_that_are_there(project: Project) -> None:
    project.run("--rooms", "writer")
    project.calls()
    result = project.run("--rooms", "summarizer")
    assert result.returncode == 0
    assert "[summarizer,writer]" in project.calls()[1]
    project.run("--rooms", "writer,summarizer")
    assert len(project.calls()) == 1


def test_llama_is_compiled_in_sight_where_it_is_not_installed(project: Project) -> None:
    project.fail("show")
    result = project.run("--rooms", "summarizer")
    assert result.returncode == 0
    assert "llama.cpp, só na primeira vez" in result.stdout
    assert project.calls()[1] == (
        "VV_HOME= -m pip --disable-pip-version-check install --verbose "
        f"--constraint {project.root}/requirements/constraints.txt llama_cpp_python==0.3.36"
    )


def test_a_compile_that_fails_shows_its_last_lines(project: Project) -> None:
    project.fail("show")
    project.fail("install")
    result = project.run("--rooms", "summarizer")
    assert result.returncode == 69
    assert "install: no luck" in result.stderr
    assert "apt-get install g++" in result.stderr


def test_without_a_compiler_it_is_asked_for(project: Project) -> None:
    project.fail("show")
    shell = project.fakes / "bin"
    shell.mkdir()
    (shell / "sh").symlink_to("/bin/sh")
    result = project.run("--rooms", "summarizer", PATH=str(shell))
    assert result.returncode == 78
    assert "apt-get install g++" in result.stderr


@pytest.mark.parametrize("name", ["pyproject.toml", "requirements/constraints.txt"])
def test_a_changed_list_of_dependencies_is_installed(project: Project, name: str) -> None:
    project.run("--rooms", "writer")
    project.calls()
    with (project.root / name).open("a") as stream:
        stream.write("\n# changed\n")
    project.run("--rooms", "writer", "--skip-existing")
    assert len(project.calls()) == 1
    project.run("--rooms", "writer")
    assert len(project.calls()) == 2


@pytest.mark.parametrize("content", ["", "one line", "\n\n", "\0"])
def test_a_stamp_that_was_cut_means_install_again(project: Project, content: str) -> None:
    project.run("--rooms", "writer")
    project.calls()
    (project.root / ".venv" / ".vv-installed").write_text(content)
    result = project.run("--rooms", "writer")
    assert (result.returncode, result.stderr) == (0, "")
    assert len(project.calls()) == 2


@pytest.mark.parametrize(
    ("word", "code", "message", "advice"),
    [
        (
            "venv",
            69,
            "virtual environment cannot be made: ensurepip",
            "apt-get install python3-venv",
        ),
        ("install", 69, "pip install --constraint … failed", "Then run it again"),
        ("vv_core.preparation", 75, "folders or key could not be made", "advice above"),
    ],
)
def test_a_step_that_fails_is_named_and_the_next_run_goes_on(
    project: Project, word: str, code: int, message: str, advice: str
) -> None:
    project.fail(word)
    result = project.run("--rooms", "writer")
    assert result.returncode == code
    assert message in result.stderr
    assert advice in result.stderr
    assert "Traceback" not in result.stderr
    project.mend()
    assert project.run("--rooms", "writer").returncode == 0
    assert project.calls()[-1] == f"VV_HOME={project.root} -m vv_core.preparation --json"


@pytest.mark.parametrize("rooms", ["kitchen", "writer,,scanner", "", "writer,kitchen"])
def test_an_unknown_room_is_named_before_anything_is_done(project: Project, rooms: str) -> None:
    result = project.run("--rooms", rooms)
    assert result.returncode == 78
    assert "unknown room" in result.stderr
    assert "→ Choose of scanner, " in result.stderr
    assert not (project.root / ".venv").exists()


def test_a_missing_file_of_the_project_is_named(project: Project) -> None:
    (project.root / "requirements" / "constraints.txt").unlink()
    result = project.run("--rooms", "writer")
    assert result.returncode == 78
    assert "constraints.txt" in result.stderr
    assert "→ " in result.stderr
    assert "Traceback" not in result.stderr


def test_help_names_the_rooms(project: Project) -> None:
    result = project.run("--help")
    assert result.returncode == 0
    for room in ("scanner", "summarizer", "writer", "tracking", "alerts", "dev"):
        assert room in result.stdout


def test_the_rooms_are_the_extras_of_the_project() -> None:
    code = (
        "import sys, tomllib; sys.path.insert(0, sys.argv[1]); import bootstrap\n"
        "extras = tomllib.load(open(sys.argv[1] + '/pyproject.toml', 'rb'))\n"
        "extras = extras['project']['optional-dependencies']\n"
        "print(set(bootstrap.ROOMS) - set(extras))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(ROOT)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert result.stdout == "set()\n"


def test_an_old_python_gets_far_enough_to_be_told_so() -> None:
    for name in ("bootstrap.py", "scripts/_bootstrap_environment.py", "scripts/_build_progress.py"):
        ast.parse((ROOT / name).read_text("utf-8"), feature_version=(3, 7))


def test_models_are_fetched_only_where_they_were_named(project: Project) -> None:
    project.run("--rooms", "writer")
    assert not any("vv_core.models" in call for call in project.calls())
    assert project.run("--rooms", "writer", "--fetch-models", "a,b").returncode == 0
    assert project.calls()[-1] == f"VV_HOME={project.root} -m vv_core.models fetch a b"


TODO = {"code": "dvr", "pt": "falta o DVR", "en": "the DVR lacks"}


def prepared(project: Project, **parts: object) -> None:
    """Say what the product's own preparation answers."""
    document = {"done": [], "missing": [], "todo": [], **parts}
    (project.fakes / "prepared.json").write_text(json.dumps(document))


def test_it_ends_by_saying_what_it_did_and_what_is_still_to_do(project: Project) -> None:
    prepared(project, done=["chave / key: k1"], todo=[TODO])
    result = project.run("--rooms", "writer")
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert "bootstrap: ambiente / environment: writer" in lines
    assert "bootstrap: criado / created: .env" in lines
    assert lines[-4:] == [
        "bootstrap: chave / key: k1",
        "bootstrap: ainda por fazer / still to do:",
        "  • falta o DVR",
        "    the DVR lacks",
    ]
    prepared(project, todo=[TODO])
    assert project.run("--rooms", "writer").stdout.splitlines() == lines[-3:]
    assert project.run("--rooms", "writer", "--quiet").stdout == ""


def snapshot(project: Project) -> list[tuple[str, int]]:
    paths = sorted(project.root.rglob("*"))
    return [
        (str(path), path.lstat().st_mtime_ns) for path in paths if "__pycache__" not in str(path)
    ]


def test_a_check_changes_nothing_and_says_what_is_missing(project: Project) -> None:
    project.run("--help")
    before = snapshot(project)
    result = project.run("--check", "--rooms", "writer,scanner")
    assert result.returncode == 78
    assert result.stdout.splitlines() == [
        "bootstrap: falta / missing: ambiente / environment: scanner, writer",
        "bootstrap: falta / missing: .env",
    ]
    assert snapshot(project) == before
    assert project.calls() == []


def test_a_check_after_the_installation(project: Project) -> None:
    project.run("--rooms", "writer")
    project.calls()
    before = snapshot(project)
    assert project.run("--check", "--rooms", "writer").returncode == 0
    assert project.calls() == [f"VV_HOME={project.root} -m vv_core.preparation --json --check"]
    assert snapshot(project) == before
    prepared(project, missing=["data/input/"], todo=[TODO])
    result = project.run("--check", "--rooms", "writer")
    assert result.returncode == 78
    assert "falta / missing: data/input/" in result.stdout
    assert "the DVR lacks" in result.stdout
    result = project.run("--check", "--rooms", "writer,scanner", "--skip-existing")
    assert "environment: scanner\n" in result.stdout


def test_settings_that_others_can_read_are_closed(project: Project) -> None:
    project.run("--rooms", "writer")
    (project.root / ".env").chmod(0o644)
    result = project.run("--rooms", "writer", "--check")
    assert (result.returncode, ".env: chmod 600" in result.stdout) == (78, True)
    assert ".env: chmod 600" in project.run("--rooms", "writer").stdout
    assert stat.S_IMODE((project.root / ".env").stat().st_mode) == 0o600


def test_for_programs_stdout_holds_the_document_alone(project: Project) -> None:
    prepared(project, done=["key"], todo=[TODO])
    result = project.run("--rooms", "writer", "--json")
    document = json.loads(result.stdout)
    assert document == {
        "schema": "vv.bootstrap/1",
        "exit_code": 0,
        "done": ["ambiente / environment: writer", "criado / created: .env", "key"],
        "missing": [],
        "todo": [TODO],
        "error": None,
    }
    assert "criando o ambiente virtual" in result.stderr
    project.fail("vv_core.preparation")
    result = project.run("--rooms", "writer", "--json")
    document = json.loads(result.stdout)
    assert (result.returncode, document["exit_code"]) == (75, 75)
    assert document["error"]["advice"] == "Follow the advice above."


def test_an_answer_that_is_none(project: Project) -> None:
    (project.fakes / "prepared.json").write_text("Traceback")
    result = project.run("--rooms", "writer")
    assert result.returncode == 78
    assert "answered something else" in result.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_the_owner_is_handed_on(project: Project) -> None:
    assert project.run("--rooms", "writer", "--owner", "nobody").returncode == 0
    assert project.calls()[-1] == (
        f"VV_HOME={project.root} -m vv_core.preparation --json --owner nobody"
    )
