#!/usr/bin/env python3
"""Prepare this folder for use: virtual environment, folders, settings, keys, fallback pictures, models.

Uses the standard library only, since nothing else is there when it starts. May be run again at any
time: what exists is kept. It ends by saying what it did and what is still to do.
"""

from __future__ import annotations

import argparse
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "scripts"))

from _bootstrap_environment import (  # noqa: E402
    EX_CONFIG,
    EX_UNAVAILABLE,
    PYTHON,
    ROOMS,
    BootstrapError,
    check_request,
    find_lacking,
    install_environment,
    say,
)

ENV_FILE = ROOT / ".env"
PREPARE_TIMEOUT_S = 900
FETCH_TIMEOUT_S = 24 * 3600
_OTHERS = 0o077


class Report:
    """What was done, what is missing, and what a person has still to do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.missing: list[str] = []
        self.todo: list[dict[str, str]] = []

    def add(self, other: dict[str, Any]) -> None:
        """Take over what ``vv_core.preparation --json`` said."""
        self.done += other["done"]
        self.missing += other["missing"]
        self.todo += other["todo"]

    def show(self, *, is_quiet: bool) -> None:
        """Tell the person; nothing when nothing was done and ``is_quiet``."""
        for line in self.done:
            say(line)
        for line in self.missing:
            say(f"falta / missing: {line}")
        if self.todo and (self.done or self.missing or not is_quiet):
            say("ainda por fazer / still to do:")
            for item in self.todo:
                print(f"  • {item['pt']}\n    {item['en']}", flush=True)

    def document(self, exit_code: int, problem: BootstrapError | None) -> str:
        """Return it for programs."""
        parts = {"done": self.done, "missing": self.missing, "todo": self.todo}
        error = None if problem is None else {"message": str(problem), "advice": problem.advice}
        whole = {"schema": "vv.bootstrap/1", "exit_code": exit_code, **parts, "error": error}
        return json.dumps(whole, indent=2) + "\n"


def main() -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args()
    # For programs only the document goes to stdout, whatever pip and compilers say.
    answer = os.dup(1) if arguments.json else -1
    if arguments.json:
        os.dup2(2, 1)
    report, problem = Report(), None
    try:
        run(arguments, report)
    except BootstrapError as exc:
        problem = exc
    except OSError as exc:
        problem = BootstrapError(
            str(exc), "Check disk space, access, and that this folder is complete."
        )
    except subprocess.TimeoutExpired as exc:
        problem = BootstrapError(
            str(exc), "Check the network and run it again; it goes on from there.", EX_UNAVAILABLE
        )
    exit_code = problem.exit_code if problem else EX_CONFIG if report.missing else 0
    if problem is not None:
        print(f"bootstrap: {problem}\n→ {problem.advice}", file=sys.stderr)
    if arguments.json:
        os.write(answer, report.document(exit_code, problem).encode())
    else:
        report.show(is_quiet=arguments.quiet)
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
    parser.add_argument(
        "--owner",
        metavar="USER",
        help="who data, logs, keys and .env belong to, where root runs this",
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="change nothing, say what is missing; exit 78 if anything is",
    )
    parser.add_argument("--quiet", action="store_true", help="say nothing when nothing was done")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def run(arguments: argparse.Namespace, report: Report) -> None:
    """Prepare everything, or check that everything is there.

    Raises:
        BootstrapError, OSError, subprocess.TimeoutExpired: a step failed; those before it are in the report.
    """
    rooms = tuple(arguments.rooms.split(","))
    check_request(rooms)
    if arguments.owner and os.geteuid() != 0:
        raise BootstrapError(
            "only root can give files to another user", "Run it with sudo, or without --owner."
        )
    if arguments.check:
        check(rooms, arguments, report)
        return
    report.done += install_environment(rooms, skip_existing=arguments.skip_existing)
    report.done += prepare_settings()
    report.add(prepare_data(arguments))
    if arguments.fetch_models:
        fetch_models(tuple(arguments.fetch_models.split(",")), arguments.owner)
        report.done.append(f"modelos / models: {arguments.fetch_models}")


def check(rooms: tuple[str, ...], arguments: argparse.Namespace, report: Report) -> None:
    """Find what is missing; nothing is changed."""
    lacking = find_lacking(rooms, skip_existing=arguments.skip_existing)
    if lacking:
        report.missing.append(f"ambiente / environment: {', '.join(lacking)}")
    if not ENV_FILE.exists():
        report.missing.append(".env")
    elif ENV_FILE.stat().st_mode & _OTHERS:
        report.missing.append(".env: chmod 600")
    if PYTHON.exists():
        report.add(prepare_data(arguments))


def prepare_settings() -> list[str]:
    """Make ``.env`` from its template; its owner alone may read it, as secrets may stand in it.

    An existing one is kept. No setting needs a secret of its own: keys are files, made by `prepare_data`.
    """
    if ENV_FILE.exists():
        if not ENV_FILE.stat().st_mode & _OTHERS:
            return []
        ENV_FILE.chmod(stat.S_IRUSR | stat.S_IWUSR)
        return [".env: chmod 600"]
    template = (ROOT / ".env.example").read_bytes()
    descriptor = os.open(ENV_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(template)
    return ["criado / created: .env"]


def prepare_data(arguments: argparse.Namespace) -> dict[str, Any]:
    """Make folders, keys, the log and the fallback files, with the product's own code."""
    command = [str(PYTHON), "-m", "vv_core.preparation", "--json"]
    if arguments.owner:
        command += ["--owner", arguments.owner]
    if arguments.check:
        command.append("--check")
    result = subprocess.run(
        command, check=False, timeout=PREPARE_TIMEOUT_S, env=_environment(), stdout=subprocess.PIPE
    )
    if result.returncode != 0:
        raise BootstrapError(
            "folders or key could not be made", "Follow the advice above.", result.returncode
        )
    try:
        return dict(json.loads(result.stdout))
    except ValueError as exc:
        raise BootstrapError(
            f"vv_core.preparation answered something else: {exc}", "Install it again: rm -r .venv"
        ) from exc


def fetch_models(names: tuple[str, ...], owner: str | None) -> None:
    """Download models, with the product's own code; an interrupted download goes on the next time."""
    command = [str(PYTHON), "-m", "vv_core.models", "fetch", *names]
    if owner:
        command = ["setpriv", "--reuid", owner, "--regid", owner, "--init-groups", *command]
    result = subprocess.run(
        command, check=False, timeout=FETCH_TIMEOUT_S, env=_environment(), stdout=sys.stdout
    )
    if result.returncode != 0:
        raise BootstrapError(
            "not all models could be fetched", "Follow the advice above.", result.returncode
        )


def _environment() -> dict[str, str]:
    return {**os.environ, "VV_HOME": os.environ.get("VV_HOME", str(ROOT))}


if __name__ == "__main__":
    sys.exit(main())
