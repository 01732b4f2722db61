#!/usr/bin/env python3
"""Prepare this folder for use: virtual environment, folders, settings, signing key.

Uses the standard library only, since nothing else is there when it starts. May be run again at any
time: what exists is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from _build_progress import run_with_progress  # noqa: E402

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / ".vv-installed"
CONSTRAINTS = ROOT / "requirements" / "constraints.txt"
NO_DEPS = ROOT / "requirements"
"""Folder of ``no-deps-<room>.txt``: packages whose stated needs would do harm."""
ROOMS = (
    "scanner",
    "summarizer",
    "writer",
    "api",
    "monitor",
    "tracking",
    "alerts",
    "onnx",
    "ultralytics",
    "training",
    "dev",
)
LLAMA = "llama_cpp_python"
OLDEST_PYTHON = (3, 11)
INSTALL_TIMEOUT_S = 3600
FETCH_TIMEOUT_S = 24 * 3600
EX_UNAVAILABLE, EX_CONFIG = 69, 78


class BootstrapError(Exception):
    """What went wrong, what to do about it, and the exit code."""

    def __init__(self, message: str, advice: str, exit_code: int = EX_CONFIG) -> None:
        super().__init__(message)
        self.advice = advice
        self.exit_code = exit_code


def main() -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args()
    try:
        install_environment(tuple(arguments.rooms.split(",")), arguments.skip_existing)
        prepare_settings()
        prepare_data()
        if arguments.fetch_models:
            fetch_models(tuple(arguments.fetch_models.split(",")))
    except BootstrapError as exc:
        return complain(str(exc), exc.advice, exc.exit_code)
    except OSError as exc:
        return complain(
            str(exc), "Check disk space, access, and that this folder is complete.", EX_CONFIG
        )
    except subprocess.TimeoutExpired as exc:
        return complain(
            str(exc), "Check the network and run it again; it goes on from there.", EX_UNAVAILABLE
        )
    return 0


def complain(message: str, advice: str, exit_code: int) -> int:
    """Tell the person what went wrong and what to do; return the exit code."""
    print(f"bootstrap: {message}\n→ {advice}", file=sys.stderr)
    return exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=__doc__)
    parser.add_argument(
        "--rooms",
        default="scanner,summarizer,writer",
        help=f"what to install, comma-separated, of: {', '.join(ROOMS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--skip-existing", action="store_true", help="keep an environment that is there as it is"
    )
    parser.add_argument(
        "--fetch-models",
        metavar="NAME,…",
        help="models to download afterwards, as vv-models list names them; nothing is downloaded otherwise",
    )
    return parser


def install_environment(rooms: tuple[str, ...], skip_existing: bool) -> None:
    """Make the virtual environment and install the rooms into it, pinned.

    Raises:
        BootstrapError: Python is too old, a room is unknown, or an installation step failed.
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
    installed = _installed()
    wanted = set(rooms) | installed[1]
    if installed[0] == _fingerprint() and set(rooms) <= installed[1]:
        return
    if skip_existing and PYTHON.exists() and installed[1] >= set(rooms):
        return
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
    if PYTHON.exists():
        return
    say("criando o ambiente virtual / creating the virtual environment …")
    result = subprocess.run(
        [sys.executable, "-m", "venv", str(VENV)],
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


def _pip(*arguments: str) -> None:
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    result = subprocess.run(command, check=False, timeout=INSTALL_TIMEOUT_S)
    if result.returncode != 0:
        raise BootstrapError(
            f"pip {' '.join(arguments[:2])} … failed",
            "Read pip's message above. A compiler is needed: apt-get install gcc g++ cmake. Then run it again.",
            EX_UNAVAILABLE,
        )


def prepare_settings() -> None:
    """Make ``.env`` from its template, readable by its owner alone; an existing one is kept."""
    target = ROOT / ".env"
    if target.exists():
        return
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write((ROOT / ".env.example").read_bytes())
    say("criado / created: .env")


def prepare_data() -> None:
    """Make the data folders and the signing key, with the product's own code."""
    environment = {**os.environ, "VV_HOME": os.environ.get("VV_HOME", str(ROOT))}
    command = [str(PYTHON), "-m", "vv_core.preparation"]
    result = subprocess.run(command, check=False, timeout=120, env=environment)
    if result.returncode != 0:
        raise BootstrapError(
            "folders or key could not be made", "Follow the advice above.", result.returncode
        )


def fetch_models(names: tuple[str, ...]) -> None:
    """Download models, with the product's own code; an interrupted download goes on the next time."""
    environment = {**os.environ, "VV_HOME": os.environ.get("VV_HOME", str(ROOT))}
    command = [str(PYTHON), "-m", "vv_core.models", "fetch", *names]
    result = subprocess.run(command, check=False, timeout=FETCH_TIMEOUT_S, env=environment)
    if result.returncode != 0:
        raise BootstrapError(
            "not all models could be fetched", "Follow the advice above.", result.returncode
        )


def say(text: str) -> None:
    """Tell the person what happens."""
    print(f"bootstrap: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
