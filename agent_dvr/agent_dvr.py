"""``vv-capture``: takes what DVRs leave in ``raw/`` into ``input/``, and notices when nothing comes any more."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from agent_dvr.moving import Mover, Round, remove_leftovers
from agent_dvr.watching import CameraState, DvrState, note_cameras, note_dvr
from vv_core.alerts import Alert
from vv_core.cli import CommandParser, run_command
from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode, TemporaryError, from_oserror
from vv_core.logs import get_logger, printable, setup_logging
from vv_core.service import Service, run_service
from vv_core.service_alerts import tell_from_service
from vv_core.settings import Settings, load_settings

PROG = "vv-capture"
NAME = "video_capture"
TURN_S = 30.0
"""After so long a turn leaves the other recordings to the next one."""
PATIENCE_S = 300.0
"""One turn may take so long: a recording of 10 GB is copied where raw/ and input/ are different volumes."""
DVR_PAUSE_S = 30.0
"""Between two looks at the DVR."""
_NAMED = 3

_logger = get_logger("capture")

Reach = Callable[[str, int, float], str | None]
"""Tries to reach an address and port within seconds; returns why it did not, or None."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Take finished recordings from raw/ into input/, watch the DVR.")
    parser.add_argument("--once", action="store_true", help="look once and end")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    job = CaptureJob(settings, SystemClock())
    if arguments.once:
        figures = job(lambda: False)
        sys.stdout.write(f"{figures['moved']} → input/\n")
        return ExitCode.OK
    heartbeat = settings.storage.services / f"{NAME}.json"
    return run_service(Service(NAME, heartbeat, settings.capture_poll_s, PATIENCE_S), job)


def reach_by_tcp(address: str, port: int, timeout_s: float) -> str | None:
    """Connect and hang up; return why that did not work, or None."""
    try:
        with socket.create_connection((address, port), timeout_s):
            return None
    except OSError as exc:
        return exc.strerror or str(exc) or type(exc).__name__


class CaptureJob:
    """Moves recordings and watches cameras and DVR; one call is one turn."""

    def __init__(self, settings: Settings, clock: Clock, reach: Reach = reach_by_tcp) -> None:
        self._settings = settings
        self._clock = clock
        self._reach = reach
        self._mover = Mover(
            settings.storage, settings.orchestrator_patterns, settings.orchestrator_stable_seconds
        )
        self._dvr = DvrState()
        self._dvr_due = clock.monotonic()
        self._cameras: dict[str, CameraState] = {}
        self._has_cleaned = False

    def __call__(self, is_ending: Callable[[], bool]) -> dict[str, object]:
        """Do one turn and return its figures.

        Raises:
            VvError: a folder cannot be read or written, or a recording cannot be moved.
        """
        now = self._clock.now()
        if not self._has_cleaned:
            remove_leftovers(self._settings.storage.input, now.timestamp())
            self._has_cleaned = True
        self._look_at_dvr()
        deadline = self._clock.monotonic() + TURN_S
        result = self._mover.move_finished(
            now.timestamp(), lambda: is_ending() or self._clock.monotonic() > deadline
        )
        for name in result.moved:
            _logger.info("a recording has come", extra={"fields": {"video": printable(name)}})
        self._look_at_cameras(result)
        _refuse_failures(result)
        return {
            "moved": len(result.moved),
            "growing": result.growing,
            "dvr": self._dvr_words(),
            "silent_cameras": sorted(
                name for name, each in self._cameras.items() if each.is_silent
            ),
        }

    def _look_at_dvr(self) -> None:
        settings, moment = self._settings, self._clock.monotonic()
        if not settings.dvr_ip or moment < self._dvr_due:
            return
        self._dvr_due = moment + DVR_PAUSE_S
        reason = self._reach(settings.dvr_ip, settings.dvr_port, settings.dvr_timeout_s)
        address = f"{settings.dvr_ip}:{settings.dvr_port}"
        self._dvr, alert = note_dvr(self._dvr, address, reason)
        if alert is not None:
            self._tell(alert)

    def _dvr_words(self) -> str:
        if not self._settings.dvr_ip:
            return "not set"
        if self._dvr.failures:
            return f"no answer: {self._dvr.reason}"
        return "answers"

    def _look_at_cameras(self, result: Round) -> None:
        folder = self._settings.storage.raw
        try:
            known = [entry.name for entry in os.scandir(folder) if entry.is_dir()]
        except OSError as exc:
            raise from_oserror(exc, "list the cameras in", folder) from exc
        delivered = {camera_of(name) for name in result.moved}
        limit = timedelta(minutes=self._settings.camera_silent_minutes)
        self._cameras, alerts = note_cameras(
            self._cameras, known, delivered, self._clock.now(), limit
        )
        for alert in alerts:
            self._tell(alert)

    def _tell(self, alert: Alert) -> None:
        try:
            tell_from_service(self._settings.storage, alert, self._clock.now())
        except OSError as exc:
            raise from_oserror(exc, "keep an alert") from exc


def camera_of(relative_name: str) -> str:
    """Return the camera of a recording: its first folder, or "" for one that lies in none."""
    parts = Path(relative_name).parts
    return parts[0] if len(parts) > 1 else ""


def _refuse_failures(result: Round) -> None:
    """Raise when recordings could not be moved: they would wait unseen.

    Raises:
        TemporaryError: for all of them.
    """
    if not result.failed:
        return
    name, first = next(iter(result.failed.items()))
    more = f" (and {len(result.failed) - 1} more)" if len(result.failed) > 1 else ""
    raise TemporaryError(
        f"the recording {name!r}{more} cannot be taken: {first.message}", advice=first.advice
    ) from first


if __name__ == "__main__":
    sys.exit(main())
