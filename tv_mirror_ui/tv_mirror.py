"""``vv-tv-mirror``: shows the cameras' live pictures to TVs; nothing is recorded, nothing written to disk."""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from tv_mirror_ui.cameras import Defaults, load_cameras
from tv_mirror_ui.hub import Hub
from tv_mirror_ui.logins import load_logins
from tv_mirror_ui.no_writing import forbid_writing
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode
from vv_core.listen import open_socket
from vv_core.logs import JsonFormatter, get_logger
from vv_core.settings import Settings, load_settings

PROG = "vv-tv-mirror"
SEND_BUFFER = 128 * 1024
"""Of each viewer, in the kernel; with its own size, slow viewers saw pictures 10 to 21 s old."""
LOGINS = Path("logins", "mirror.yaml")
_MAX_CONNECTIONS = 200
_GRACE_S = 1
_BACKLOG = 128


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Show the cameras' live pictures to TVs over HTTP.")
    parser.add_argument("--listen", metavar="HOST:PORT", help="default: VV_MIRROR_LISTEN")
    parser.add_argument(
        "--check", action="store_true", help="read the list of cameras and the logins, and end"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    hub = make_hub(settings)
    if arguments.check:
        for problem in hub.problems():
            sys.stdout.write(f"{problem}\n")
        return ExitCode.OK
    _log_to_stderr()
    with open_listening(arguments.listen or settings.mirror_listen) as listening:
        # Heavy, and not needed for --help or a port that is taken.
        import uvicorn

        from tv_mirror_ui.app import create_app

        app = create_app(hub, settings.mirror_hosts, settings.storage.fallback)
        forbid_writing()
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=_MAX_CONNECTIONS,
            timeout_graceful_shutdown=_GRACE_S,
            lifespan="on",
        )
        host, port = listening.getsockname()[:2]
        get_logger("mirror").info("listening on %s:%s", host, port)
        uvicorn.Server(config).run(sockets=[listening])
    return ExitCode.OK


def make_hub(settings: Settings) -> Hub:
    """Return the hub of this box.

    Raises:
        ConfigError: the list of cameras or the file of logins is wrong.
        KeyAccessError: others could read the logins.
    """
    defaults = Defaults(settings.dvr_ip, settings.dvr_port, settings.mirror_blur_faces)
    path = settings.mirror_cameras_file
    cameras = load_cameras(settings.resolve(path) if path else None, defaults)
    own_logins = settings.mirror_logins_file
    place = settings.resolve(own_logins) if own_logins else settings.storage.root / LOGINS
    logins = load_logins(place)
    hub = Hub(cameras, logins, settings.mirror_linger_s)
    for problem in hub.problems():
        get_logger("mirror").warning("%s", problem)
    return hub


def _log_to_stderr() -> None:
    """Not into app.log: this program writes to no file, and the kernel holds it to that."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(PROG))
    root = logging.getLogger("vv")
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    root.propagate = False


def open_listening(text: str) -> socket.socket:
    """Return a socket that listens; its connections hold little that is not sent yet.

    Raises:
        ConfigError: the text is no address, or it cannot be bound.
    """
    little = (socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    return open_socket(text, "VV_MIRROR_LISTEN", _BACKLOG, little)


if __name__ == "__main__":
    sys.exit(main())
