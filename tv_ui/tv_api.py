"""``vv-tv-api``: answers TVs, operators and healthchecks over HTTP."""

from __future__ import annotations

import argparse
import resource
import socket
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ExitCode
from vv_core.listen import open_socket
from vv_core.logs import get_logger, setup_logging
from vv_core.settings import load_settings

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

PROG = "vv-tv-api"
_MAX_CONNECTIONS = 1500
"""200 screens hold up to six connections each. What a connection may hold is limited elsewhere (`tv_ui.media`)."""
_MAX_FILES = 4096
_KEEP_ALIVE_S = 75
"""Longer than TVs are silent, so that none finds its connection closed under a request."""
_DEAD_AFTER_S = 120
"""A TV that was switched off says no goodbye."""
_GRACE_S = 5
_BACKLOG = 512


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Serve playlists, status and health over HTTP.")
    parser.add_argument("--listen", metavar="HOST:PORT", help="default: VV_TV_API_LISTEN")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    with open_listening(arguments.listen or settings.tv_api_listen) as listening:
        # Heavy, and not needed for --help or a port that is taken.
        import uvicorn

        from tv_ui.app import create_app

        raise_file_limit()
        host, port = listening.getsockname()[:2]
        get_logger("tv_api").info("listening on %s:%s", host, port)
        server = uvicorn.Server(configure(create_app(settings, SystemClock())))
        server.run(sockets=[listening])
    return ExitCode.OK


def configure(app: ASGIApp) -> uvicorn.Config:
    """Return how the application is served."""
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_GRACE_S,
        lifespan="on",
    )


def raise_file_limit() -> None:
    """Allow this process a file for each connection and each clip, as far as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_FILES if hard == resource.RLIM_INFINITY else min(_MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_listening(text: str) -> socket.socket:
    """Return a socket that listens; a connection whose TV is gone ends soon, and not after hours.

    Raises:
        ConfigError: the text is no address, or it cannot be bound.
    """
    return open_socket(
        text,
        "VV_TV_API_LISTEN",
        _BACKLOG,
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _DEAD_AFTER_S // 2),
        (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_S * 1000),
    )


if __name__ == "__main__":
    sys.exit(main())
