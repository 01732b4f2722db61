"""``vv-playlist``: the playlists of the TVs, from the LogLines of the last hours; once, or for as long as it may."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tv_scheduler.config import load_rules
from tv_scheduler.explain_command import explain
from tv_scheduler.job import PlaylistJob
from tv_scheduler.watch import Watch
from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ExitCode
from vv_core.logs import setup_logging
from vv_core.service import Service, run_service
from vv_core.settings import Settings, load_settings

PROG = "vv-playlist"
NAME = "playlist_manager"
PATIENCE_S = 120.0
"""One turn may take so long; it takes a few seconds at most."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Make the playlists of the TVs from the LogLines that verify.")
    parser.add_argument(
        "--once", action="store_true", help="make them once and end (otherwise: as things change)"
    )
    parser.add_argument(
        "--explain",
        nargs="+",
        metavar=("TV", "LOGLINE"),
        help="say why LogLines are on a TV or are not, of all of its hours or of one (id or file name)",
    )
    arguments = parser.parse_args(argv)
    if arguments.explain is not None and len(arguments.explain) > 2:  # noqa: PLR2004 - TV and LogLine
        parser.error("--explain takes a TV and at most one LogLine")
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    if arguments.explain is not None:
        tv, wanted = (*arguments.explain, None)[:2]
        rules = settings.playlist_rules_file
        path = settings.resolve(rules) if rules is not None else None
        for text in explain(settings, SystemClock(), load_rules(path), tv, wanted):
            sys.stdout.write(f"{text}\n")
        return ExitCode.OK
    return _make_once(settings) if arguments.once else _stay(settings)


def _make_once(settings: Settings) -> int:
    job = PlaylistJob(settings, SystemClock())
    try:
        figures = job(lambda: False)
        while not job.is_whole:
            figures = job(lambda: False)
    finally:
        job.close()
    words = "itens" if settings.language != "en" else "items"
    items = figures["items"]
    assert isinstance(items, dict)
    for tv, count in items.items():
        sys.stdout.write(f"{tv}: {count} {words}\n")
    return ExitCode.OK


def _stay(settings: Settings) -> int:
    heartbeat = settings.storage.services / f"{NAME}.json"
    service = Service(NAME, heartbeat, settings.playlist_poll_s, PATIENCE_S)
    job = PlaylistJob(settings, SystemClock(), Watch())
    try:
        return run_service(service, job, rest=job.rest)
    finally:
        job.close()


if __name__ == "__main__":
    sys.exit(main())
