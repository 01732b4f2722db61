"""``self_monitor``: look at the project's containers and heal them."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from vv_core.alerts import Alert, AppriseSink, split_urls
from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock, format_utc
from vv_core.errors import ExitCode, VvError, from_oserror
from vv_core.logs import get_logger, setup_logging
from vv_core.monitor.decision import Limits
from vv_core.monitor.engine import DockerEngine
from vv_core.monitor.look import Look, Monitor, SendOutside, look
from vv_core.monitor.state_file import FOLDER
from vv_core.monitor.texts import look_lines, say
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.settings import Settings, load_settings
from vv_core.stop_sign import StopSign

PROG = "self_monitor"
_CONTAINER_MARK = Path("/.dockerenv")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        PROG,
        "Look at the containers of this project, restart what stays ill, and tell when that does not help.",
        epilog="Exit codes are those of sysexits.h (69: the engine does not answer); see docs/self-healing.md.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="look once; the default, for cron")
    how.add_argument("--loop", action="store_true", help="look every VV_MONITOR_INTERVAL seconds")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, do nothing")
    parser.add_argument("--json", action="store_true", help="for programs; one line a look")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    folder = settings.storage.orchestrator_data / FOLDER
    try:
        folder.mkdir(mode=0o755, exist_ok=True)
    except OSError as exc:
        raise from_oserror(exc, "create the folder", folder) from exc
    with closing(DockerEngine(settings.docker_host, settings.docker_timeout_s)) as engine:
        if arguments.loop:
            _loop(settings, engine, folder, arguments)
        _look_locked(settings, engine, folder, arguments)
    return ExitCode.OK


def _loop(
    settings: Settings, engine: DockerEngine, folder: Path, arguments: argparse.Namespace
) -> NoReturn:
    """Look again and again, until the process is asked to end."""
    with StopSign() as sign:
        while not sign.is_set():
            _look_in_loop(settings, engine, folder, arguments)
            sign.wait(settings.monitor_interval_s)
        sign.obey()


def _look_in_loop(
    settings: Settings, engine: DockerEngine, folder: Path, arguments: argparse.Namespace
) -> None:
    """Look once; a fault is told and does not end the loop."""
    try:
        _look_locked(settings, engine, folder, arguments)
    except VvError as exc:
        # A new connection next time: the engine may have been restarted.
        engine.close()
        print(f"{PROG}: {exc.message}\n→ {exc.advice}", file=sys.stderr, flush=True)  # noqa: T201
        fields = {"advice": exc.advice, "exit_code": int(exc.exit_code)}
        get_logger("monitor").error("%s", exc.message, extra={"fields": fields, "told": True})


def _look_locked(
    settings: Settings, engine: DockerEngine, folder: Path, arguments: argparse.Namespace
) -> None:
    monitor = make_monitor(settings, engine, folder, is_dry_run=arguments.dry_run)
    try:
        with CycleLock(folder / "monitor.lock"):
            seen = look(monitor)
            if settings.monitor_diagnosis != "off":
                from vv_core.monitor.diagnose import diagnose_once  # only where it is on

                diagnose_once(settings, seen, monitor)
    except AlreadyRunning:
        _print(
            say(
                settings.language,
                "outro monitor está olhando; nada a fazer",
                "another monitor is looking; nothing to do",
            )
        )
        return
    except OSError as exc:
        raise from_oserror(exc, "use the monitor's folder", folder) from exc
    if arguments.json:
        _print(json.dumps(look_document(seen, format_utc(monitor.clock.now()))))
    elif not arguments.loop or seen.outcomes or seen.told or arguments.verbose:
        lines = look_lines(
            seen.plan, seen.outcomes, settings.language, is_dry_run=arguments.dry_run
        )
        _print("\n".join(lines))


def make_monitor(
    settings: Settings, engine: DockerEngine, folder: Path, *, is_dry_run: bool
) -> Monitor:
    """Return the monitor of this box."""
    return Monitor(
        engine=engine,
        folder=folder,
        limits=limits_of(settings),
        project=settings.compose_project,
        clock=SystemClock(),
        send_outside=_outside(settings),
        own_id=socket.gethostname() if _CONTAINER_MARK.exists() else "",
        language=settings.language,
        is_dry_run=is_dry_run,
    )


def limits_of(settings: Settings) -> Limits:
    """Return how patient the settings want the monitor to be."""
    return Limits(
        settings.healthcheck_failure_threshold,
        settings.container_max_restart_attempts,
        settings.monitor_pause_s,
        settings.monitor_pause_max_s,
        settings.monitor_calm_s,
    )


def _outside(settings: Settings) -> SendOutside | None:
    """Return what sends an alert to the operator's services, where there are any."""
    if settings.alert_urls is None:
        return None
    try:
        sink = AppriseSink(split_urls(settings.alert_urls.get_secret_value()))
    except ImportError:
        get_logger("alerts").error(
            "VV_ALERT_URLS is set, but apprise is not installed: alerts stay on this box"
            " → Run: python3 bootstrap.py --rooms alerts"
        )
        return None

    def send(alert: Alert) -> bool:
        if sink.notify(alert):
            return True
        get_logger("alerts").warning("an alert did not reach every service of VV_ALERT_URLS")
        return False

    return send


def look_document(seen: Look, moment: str) -> dict[str, object]:
    """Return a look as data for programs."""
    records = seen.plan.state.records
    return {
        "time": moment,
        "containers": [
            {
                **asdict(sighting.container),
                "condition": str(sighting.condition),
                "is_due": sighting.is_due,
                "wait_s": round(sighting.wait_s, 3),
                "bad_looks": records[sighting.container.name].bad_looks,
                "attempts": records[sighting.container.name].attempts,
                "has_given_up": records[sighting.container.name].has_given_up,
                "outcome": str(seen.outcomes.get(sighting.container.name, "")),
            }
            for sighting in seen.plan.sightings
        ],
        "told": list(seen.told),
    }


def _print(text: str) -> None:
    # At once: in a loop whose output goes to the journal, somebody waits for it.
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
