"""The virtual environment of the project: made, filled with the rooms that are wanted, and looked at.

Standard library only: `bootstrap.py` uses it before anything is installed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from _build_progress import run_with_progress

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".vv-installed"
BEGUN = ROOT / ".cache" / "venv-begun"
"""Is there while the virtual environment is made: one that was cut short has a Python, and no pip."""
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
NO_DEPS = ROOT / "requirements"
"""Folder of ``no-deps-<room>.txt``: packages whose stated needs would do harm."""
ROOMS = (
    "scanner",
    "summarizer",
    "writer",
    "api",
    "playlists",
    "monitor",
    "tracking",
    "alerts",
    "onnx",
    "ultralytics",
    "training",
    "selftest",
    "dev",
)
LLAMA = "llama_cpp_python"
OLDEST_PYTHON = (3, 11)
INSTALL_TIMEOUT_S = 3600
EX_UNAVAILABLE, EX_CONFIG = 69, 78


class BootstrapError(Exception):
    """What went wrong, what to do about it, and the exit code."""

    def __init__(self, message: str, advice: str, exit_code: int = EX_CONFIG) -> None:
        super().__init__(message)
        self.advice = advice
        self.exit_code = exit_code


def say(text: str) -> None:
    """Tell the person what happens."""
    print(f"bootstrap: {text}", flush=True)


def check_request(rooms: tuple[str, ...]) -> None:
    """Check what can be known before anything is done.

    Raises:
        BootstrapError: Python is too old, or a room is unknown.
    """
    if sys.version_info < OLDEST_PYTHON:
        raise BootstrapError(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed, this is {sys.version.split()[0]}",
            "Install python3.11 or newer and run bootstrap.py with it.",
        )
    unknown = set(rooms) - set(ROOMS)
    if unknown:
        raise BootstrapError(
            f"unknown room: {', '.join(sorted(unknown))}", f"Choose of {', '.join(ROOMS)}."
        )


def find_lacking(rooms: tuple[str, ...], *, skip_existing: bool) -> list[str]:
    """Return the rooms that are to be installed, or installed anew; none when all is there.

    Args:
        rooms: that are wanted.
        skip_existing: what was installed for other versions of the pinned packages will do.
    """
    fingerprint, there = _installed()
    if not skip_existing and fingerprint != _fingerprint():
        return sorted(set(rooms) | there)
    return sorted(set(rooms) - there)


def install_environment(rooms: tuple[str, ...], *, skip_existing: bool) -> list[str]:
    """Make the virtual environment and install the rooms into it, pinned.

    Returns:
        A line when something was installed.

    Raises:
        BootstrapError: an installation step failed.
    """
    if not find_lacking(rooms, skip_existing=skip_existing):
        return []
    wanted = set(rooms) | _installed()[1]
    _make_venv()
    say(f"instalando ({', '.join(sorted(wanted))}) / installing …")
    if "summarizer" in wanted:
        _install_llama()
    _pip(
        "install",
        "--constraint",
        str(CONSTRAINTS),
        "--editable",
        f"{ROOT}[{','.join(sorted(wanted))}]",
    )
    for path in _no_deps_files(wanted):
        _pip("install", "--no-deps", "--requirement", str(path))
    STAMP.write_text(f"{_fingerprint()}\n{','.join(sorted(wanted))}\n", "utf-8")
    return [f"ambiente / environment: {', '.join(sorted(wanted))}"]


def _install_llama() -> None:
    """Install llama.cpp's Python package, which is compiled here; pip keeps the wheel for the next time."""
    pinned = next(line for line in CONSTRAINTS.read_text("utf-8").split() if line.startswith(LLAMA))
    show = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "show", "--quiet", LLAMA]
    if subprocess.run(show, check=False, timeout=120, stderr=subprocess.DEVNULL).returncode == 0:
        return
    if not any(shutil.which(compiler) for compiler in ("c++", "g++", "clang++")):
        raise BootstrapError(
            "the model's runtime (llama.cpp) has to be compiled, and there is no C++ compiler",
            "On Debian and Ubuntu: apt-get install g++. Then run it again.",
        )
    say(
        "compilando llama.cpp, só na primeira vez (5 a 10 min) / "
        "compiling llama.cpp, the first time only (5 to 10 min) …"
    )
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--verbose"]
    command += ["--constraint", str(CONSTRAINTS), pinned]
    code, last = run_with_progress(command, "llama.cpp", INSTALL_TIMEOUT_S)
    if code != 0:
        raise BootstrapError(
            "llama.cpp was not installed:\n" + "\n".join(last),
            "Read the messages above. A C++ compiler is needed: apt-get install g++. Then run it again.",
            EX_UNAVAILABLE,
        )


def _no_deps_files(rooms: set[str]) -> list[Path]:
    """Return the lists of what some rooms need installed without its own needs."""
    paths = [NO_DEPS / f"no-deps-{room}.txt" for room in sorted(rooms)]
    return [path for path in paths if path.is_file()]


def _fingerprint() -> str:
    """Return what an installation depends on, as a hash."""
    digest = hashlib.sha256(sys.version.encode())
    for path in (ROOT / "pyproject.toml", CONSTRAINTS, *_no_deps_files(set(ROOMS))):
        digest.update(path.read_bytes())
    digest.update(str(ROOT).encode())
    return digest.hexdigest()


def _installed() -> tuple[str, set[str]]:
    """Return the fingerprint and rooms of the environment that is there."""
    lines = STAMP.read_text("utf-8").splitlines() if STAMP.is_file() and PYTHON.exists() else []
    if len(lines) < 2:  # noqa: PLR2004 - fingerprint and rooms; fewer: it was cut short
        return "", set()
    return lines[0], set(lines[1].split(",")) & set(ROOMS)


def _make_venv() -> None:
    if PYTHON.exists() and not BEGUN.exists():
        return
    say("criando o ambiente virtual / creating the virtual environment …")
    BEGUN.parent.mkdir(exist_ok=True)
    BEGUN.touch()
    result = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        check=False,
        timeout=300,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise BootstrapError(
            f"the virtual environment cannot be made: {(result.stdout + result.stderr).strip()[-500:]}",
            "On Debian and Ubuntu: apt-get install python3-venv.",
            EX_UNAVAILABLE,
        )
    BEGUN.unlink()


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    result = subprocess.run(command, check=False, timeout=INSTALL_TIMEOUT_S)
    if result.returncode != 0:
        raise BootstrapError(
            f"pip {' '.join(arguments[:2])} … failed",
            "Read pip's message above. A compiler is needed: apt-get install gcc g++ cmake. Then run it again.",
            EX_UNAVAILABLE,
        )
