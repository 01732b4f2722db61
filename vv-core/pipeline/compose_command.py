"""``docker compose`` with the box's settings: what ``make up``, ``down`` and ``restart`` start."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from vv_core.cli import run_command
from vv_core.errors import ConfigError, UnavailableError, UsageError, from_oserror
from vv_core.pipeline.compose_environment import client_environment, prepare_folders
from vv_core.settings import load_settings

PROG = "compose"


def main(argv: Sequence[str] | None = None) -> int:
    """Become ``docker compose``, or return the exit code of what stood in the way.

    All arguments are Docker's, so that nothing of it has to be described anew here.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: Sequence[str]) -> NoReturn:
    if not arguments:
        raise UsageError("what shall docker compose do?", advice="As in: scripts/compose.py ps")
    settings = load_settings()
    compose_file = settings.resolve(settings.compose_file)
    if "up" in arguments:
        try:
            settings.storage.ensure()
        except OSError as exc:
            raise from_oserror(exc, "create the folders of", settings.storage.root) from exc
        prepare_folders(settings)
    environment = client_environment(settings)
    if "up" in arguments and "BOX_UID" not in environment:
        raise ConfigError(
            f"the data in {str(settings.storage.root)!r} are root's, and no container runs as root",
            advice="Give them to a user: sudo python3 bootstrap.py --owner USER. Or set BOX_UID and BOX_GID in .env.",
        )
    argv = ["docker", "compose", "--file", str(compose_file), "--env-file", os.devnull, *arguments]
    sys.stdout.flush()
    try:
        os.execvpe("docker", argv, environment)  # noqa: S606, S607 - the person's own docker
    except OSError as exc:
        raise UnavailableError(
            f"docker cannot be started: {exc.strerror}", advice="Install docker with compose v2."
        ) from exc
