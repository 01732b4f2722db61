"""``vv-playlist``: the playlists of the TVs, from the LogLines of the last hours; once, or for as long as it may."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from tv_scheduler.config import load_rules
from tv_scheduler.line import line_of
from tv_scheduler.loglines import Found, LogLines
from tv_scheduler.media import Clips
from tv_scheduler.playlist import Scene, build_playlists, choose_all
from tv_scheduler.playlist_files import write_playlists
from vv_core.alerts import Alert, Severity
from vv_core.cli import CommandParser, run_command
from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode, from_oserror
from vv_core.logs import get_logger, setup_logging
from vv_core.service import Service, run_service
from vv_core.service_alerts import tell_from_service
from vv_core.settings import Settings, load_settings

PROG = "vv-playlist"
NAME = "playlist_manager"
PATIENCE_S = 120.0
"""One turn may take so long; a hundred thousand LogLines take a few seconds."""
_NAMED = 5

_logger = get_logger("playlist")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Make the playlists of the TVs from the LogLines that verify.")
    parser.add_argument(
        "--once", action="store_true", help="make them once and end (otherwise: again and again)"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    job = PlaylistJob(settings, SystemClock())
    if arguments.once:
        figures = job(lambda: False)
        words = "itens" if settings.language != "en" else "items"
        items = figures["items"]
        assert isinstance(items, dict)
        for tv, count in items.items():
            sys.stdout.write(f"{tv}: {count} {words}\n")
        return ExitCode.OK
    heartbeat = settings.storage.services / f"{NAME}.json"
    return run_service(Service(NAME, heartbeat, settings.playlist_poll_s, PATIENCE_S), job)


class PlaylistJob:
    """Looks at rules and LogLines and brings the files up to date; one call is one turn."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        storage = settings.storage
        self._loglines = LogLines(storage.loglines, storage.log)
        self._clips = Clips(storage)
        self._told: set[str] = set()

    def __call__(self, _is_ending: Callable[[], bool]) -> dict[str, object]:
        """Do one turn and return its figures.

        Raises:
            VvError: the rules are wrong, or something cannot be read or written.
        """
        rules = load_rules(self._rules_file())
        now = self._clock.now()
        longest = max(rule.window_hours for rule in rules)
        found = self._loglines.look(now - timedelta(hours=longest))
        settings = self._settings
        choices = choose_all(rules, [line_of(line) for line in found.loglines], now, settings.zone)
        shown = {line.video_sha256 for choice in choices.values() for line in choice.shown}
        scene = Scene(now, settings.zone, settings.language)
        playlists = build_playlists(rules, choices, self._clips.find(shown), scene)
        changed = write_playlists(self._settings.storage.playlists, playlists)
        if changed:
            _logger.info("playlists have changed", extra={"fields": {"tvs": changed}})
        self._alert(found, now)
        return {
            "items": {tv: len(document["items"]) for tv, document in playlists.items()},
            "refused": len(found.refused),
            "unreadable": len(found.unreadable),
        }

    def _rules_file(self) -> Path | None:
        path = self._settings.playlist_rules_file
        return self._settings.resolve(path) if path is not None else None

    def _alert(self, found: Found, now: datetime) -> None:
        """Tell, once, about LogLines that are not what the box has signed."""
        new = sorted(found.refused.keys() - self._told)
        self._told = set(found.refused)
        if not new:
            return
        named = ", ".join(repr(name) for name in new[:_NAMED])
        more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        alert = Alert(
            Severity.CRITICAL,
            "logline_refused",
            new[0],
            f"LogLines that the signed log does not have are not shown: {named}{more}",
            "Audit loglines/ with logline_verifier: somebody may have changed them.",
        )
        try:
            tell_from_service(self._settings.storage, alert, now)
        except OSError as exc:
            raise from_oserror(exc, "keep an alert") from exc


if __name__ == "__main__":
    sys.exit(main())
