"""``vv-tv-api``: answers TVs, operators and healthchecks over HTTP."""

from __future__ import annotations

import argparse
import socket
import sys
from collections.abc import Sequence

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ConfigError, ExitCode, from_oserror
from vv_core.listen import parse_listen
from vv_core.logs import get_logger, setup_logging
from vv_core.settings import load_settings

PROG = "vv-tv-api"
_MAX_CONNECTIONS = 100
_GRACE_S = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Serve playlists, status and health over HTTP.")
    parser.add_argument("--listen", metavar="HOST:PORT", help="default: VV_TV_API_LISTEN")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    with open_socket(arguments.listen or settings.tv_api_listen) as listening:
        # Heavy, and not needed for --help or a port that is taken.
        import uvicorn

        from tv_ui.app import create_app

        config = uvicorn.Config(
            create_app(settings, SystemClock()),
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_S,
            lifespan="off",
        )
        host, port = listening.getsockname()[:2]
        get_logger("tv_api").info("listening on %s:%s", host, port)
        server = uvicorn.Server(config)
        server.run(sockets=[listening])
    return ExitCode.OK


def open_socket(text: str) -> socket.socket:
    """Return a socket that listens.

    Args:
        text: address and port.

    Raises:
        ConfigError: the text is no address, or it cannot be bound.
    """
    host, port = parse_listen(text)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as exc:
        message = from_oserror(exc, f"listen on {text}").message
        raise ConfigError(
            message, advice="Set VV_TV_API_LISTEN to an address of this machine and a free port."
        ) from exc


if __name__ == "__main__":
    sys.exit(main())
