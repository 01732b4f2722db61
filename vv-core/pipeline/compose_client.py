"""Asking ``docker compose`` about this box's containers: for screens and archives, which do without an answer."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import IO

from vv_core.errors import UnavailableError
from vv_core.pipeline.compose_environment import client_environment
from vv_core.process import run_child
from vv_core.settings import Settings


def ask_compose(
    settings: Settings,
    arguments: Sequence[str],
    answer: IO[bytes],
    *,
    timeout_s: float,
    max_bytes: int,
) -> None:
    """Run ``docker compose`` with the box's settings and put what it says into a file.

    Args:
        settings: of the box.
        arguments: after ``docker compose --file … --profile *``.
        answer: an empty file that is open for reading and writing; read it from the start.
        timeout_s: longest wall time, seconds.
        max_bytes: an answer that is longer is cut off.

    Raises:
        UnavailableError: docker is missing, or the engine does not answer, or refuses.
        VvError: settings cannot be met in containers.
    """
    compose_file = settings.resolve(settings.compose_file)
    argv = ["docker", "compose", "--file", str(compose_file), "--env-file", os.devnull]
    argv += ["--profile", "*", *arguments]
    try:
        result = run_child(
            argv,
            timeout_s=timeout_s,
            is_stalled=lambda: os.fstat(answer.fileno()).st_size > max_bytes,
            env=client_environment(settings),
            cwd=compose_file.parent,
            stdout_to=answer,
        )
    except OSError as exc:
        raise UnavailableError(
            f"docker cannot be started: {exc.strerror or exc}",
            advice="Install docker with compose v2.",
        ) from exc
    if os.fstat(answer.fileno()).st_size > max_bytes:
        answer.truncate(max_bytes)
    elif result.timed_out:
        raise UnavailableError(
            f"the Docker engine did not answer within {timeout_s:g} s",
            advice="Look at it: systemctl status docker.",
        )
    elif result.exit_code != 0:
        reason = " ".join(result.stderr_tail) or f"exit code {result.exit_code}"
        raise UnavailableError(
            f"docker compose {arguments[0]} failed: {reason}",
            advice="Check that the engine runs: systemctl status docker.",
        )
    answer.seek(0)
