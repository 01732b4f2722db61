"""The Docker commands that images are renewed by, each with a time-out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vv_core.errors import UnavailableError
from vv_core.jsonio import read_json
from vv_core.process import ChildResult, run_child

_SHORT_S, _BUILD_S, _TRY_S = 60.0, 2 * 3600.0, 120.0
_ADVICE = (
    "Check that the engine runs: systemctl status docker; and that docker compose v2 is installed."
)


class ComposeEngine:
    """``docker`` and ``docker compose`` for one compose file."""

    def __init__(self, compose_file: Path, environment: Mapping[str, str]) -> None:
        self._file = compose_file
        self._environment = dict(environment)

    def describe(self) -> Any:
        """Return the compose file as compose reads it.

        Raises:
            UnavailableError: compose cannot read it, or is not there.
        """
        with tempfile.TemporaryDirectory() as folder:
            # Not by stdout, of which only the end is kept.
            path = Path(folder) / "config.json"
            result = self._compose("config", "--format", "json", "--output", str(path))
            _require(result, "read the compose file")
            return read_json(path)

    def check(self) -> None:
        """See to it that the engine answers.

        Raises:
            UnavailableError: it does not.
        """
        result = self._docker("version", "--format", "{{.Server.Version}}")
        _require(result, "reach the Docker engine")

    def image_id(self, name: str) -> str:
        """Return the id of an image, or "" when the engine has none by that name."""
        result = self._docker("image", "inspect", "--format", "{{.Id}}", name)
        return result.stdout_lines[-1] if result.exit_code == 0 and result.stdout_lines else ""

    def tag(self, image_id: str, name: str) -> None:
        """Give an image a name.

        Raises:
            UnavailableError: the engine refuses.
        """
        _require(self._docker("tag", image_id, name), f"name an image {name}")

    def remove(self, image_id: str) -> bool:
        """Remove an image that nobody uses any more; return whether it is gone."""
        return self._docker("image", "rm", image_id).exit_code == 0

    def build(self, service: str, *, is_pulling: bool) -> str:
        """Build the image of a service; return why it failed, or ""."""
        pull = ["--pull"] if is_pulling else []
        arguments = ["--progress", "plain", "build", *pull, service]
        return _problem(self._compose(*arguments, timeout_s=_BUILD_S))

    def running(self) -> set[str]:
        """Return the services that run, or are being restarted.

        Raises:
            UnavailableError: compose does not say.
        """
        arguments = ["ps", "--services", "--status", "running", "--status", "restarting"]
        result = self._compose(*arguments)
        _require(result, "list the services that run")
        return set(result.stdout_lines)

    def start(self, services: Sequence[str], wait_s: int) -> str:
        """Start services with the image that has their name now, and wait; return why they are not healthy, or ""."""
        arguments = ["up", "--detach", "--no-deps", "--no-build", "--wait"]
        arguments += ["--wait-timeout", str(wait_s), *services]
        return _problem(self._compose(*arguments, timeout_s=wait_s + _SHORT_S))

    def try_job(self, service: str) -> str:
        """Let a job say its version; return why it could not, or ""."""
        arguments = ["run", "--rm", "--no-deps", "--no-TTY", service, "--version"]
        return _problem(self._compose(*arguments, timeout_s=_TRY_S))

    def _compose(self, *arguments: str, timeout_s: float = _SHORT_S) -> ChildResult:
        fixed = ["compose", "--file", str(self._file), "--env-file", os.devnull, "--profile", "*"]
        return self._docker(*fixed, *arguments, timeout_s=timeout_s)

    def _docker(self, *arguments: str, timeout_s: float = _SHORT_S) -> ChildResult:
        try:
            return run_child(
                ["docker", *arguments],
                timeout_s=timeout_s,
                env=self._environment,
                cwd=self._file.parent,
                keep_stdout=True,
            )
        except OSError as exc:
            raise UnavailableError(
                f"docker cannot be started: {exc}", advice="Install docker with compose v2."
            ) from exc


def _problem(result: ChildResult) -> str:
    if result.timed_out:
        return f"not finished within {result.duration_s:.0f} s"
    if result.exit_code:
        return result.stderr_tail[-1] if result.stderr_tail else f"exit code {result.exit_code}"
    return ""


def _require(result: ChildResult, doing: str) -> None:
    if problem := _problem(result):
        raise UnavailableError(f"cannot {doing}: {problem}", advice=_ADVICE)
