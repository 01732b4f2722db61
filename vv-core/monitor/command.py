"""``self_monitor``: look at the project's containers and heal them."""

from __future__ import annotations

import argparse
import json
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from vv_core.alerts import make_alerter
from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock, format_utc
from vv_core.errors import ExitCode, VvError, from_oserror
from vv_core.logs import setup_logging
from vv_core.monitor.decision import Limits
from vv_core.monitor.engine import DockerEngine
from vv_core.monitor.look import Look, Monitor, look
from vv_core.monitor.proposal import Proposal
from vv_core.monitor.state_file import FOLDER
from vv_core.monitor.texts import look_lines, proposal_lines, say
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.service import Service, run_service
from vv_core.service_alerts import FILE_NAME, relay_alerts
from vv_core.settings import Settings, load_settings

PROG = "self_monitor"
_CONTAINER_MARK = Path("/.dockerenv")
_PATIENCE_S = 60.0


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
    for folder in (_folder(settings), settings.storage.services):
        try:
            folder.mkdir(mode=0o755, exist_ok=True)
        except OSError as exc:
            raise from_oserror(exc, "create the folder", folder) from exc
    with closing(DockerEngine(settings.docker_host, settings.docker_timeout_s)) as engine:
        if arguments.loop:
            return run_service(_service(settings), lambda _: _turn(settings, engine, arguments))
        _look_and_show(settings, engine, arguments)
        return ExitCode.OK


def _folder(settings: Settings) -> Path:
    return settings.storage.orchestrator_data / FOLDER


def _service(settings: Settings) -> Service:
    return Service(
        PROG,
        settings.storage.services / f"{PROG}.json",
        settings.monitor_interval_s,
        # A few containers that are slow to stop are no reason to call the monitor ill.
        _PATIENCE_S + 4 * settings.docker_timeout_s,
    )


def _turn(
    settings: Settings, engine: DockerEngine, arguments: argparse.Namespace
) -> Mapping[str, object]:
    """Look once in the loop; return figures for the heartbeat."""
    try:
        seen = _look_and_show(settings, engine, arguments)
    except VvError:
        # A new connection next time: the engine may have been restarted.
        engine.close()
        raise
    if seen is None:
        return {}
    records = seen.plan.state.records.values()
    return {
        "containers": len(seen.plan.sightings),
        "ill": sum(1 for record in records if record.bad_looks),
        "given_up": sum(1 for record in records if record.has_given_up),
    }


def _look_and_show(
    settings: Settings, engine: DockerEngine, arguments: argparse.Namespace
) -> Look | None:
    """Look once, unless another monitor does; show what came of it."""
    monitor = make_monitor(settings, engine, is_dry_run=arguments.dry_run)
    try:
        seen, proposal = _look(settings, monitor)
    except AlreadyRunning:
        words = (
            "outro monitor está olhando; nada a fazer",
            "another monitor is looking; nothing to do",
        )
        _print(say(settings.language, *words))
        return None
    except OSError as exc:
        raise from_oserror(exc, "use the monitor's folder", monitor.folder) from exc
    if arguments.json:
        _print(json.dumps(look_document(seen, proposal, format_utc(monitor.clock.now()))))
        return seen
    lines = []
    if not arguments.loop or seen.outcomes or seen.told or arguments.verbose:
        lines = look_lines(
            seen.plan, seen.outcomes, settings.language, is_dry_run=arguments.dry_run
        )
    if proposal is not None:
        lines += proposal_lines(proposal, settings.language)
    if lines:
        _print("\n".join(lines))
    return seen


def _look(settings: Settings, monitor: Monitor) -> tuple[Look, Proposal | None]:
    proposal = None
    try:
        seen = look(monitor)
        if settings.monitor_diagnosis != "off":
            from vv_core.monitor.diagnose import diagnose_once  # only where it is on

            with CycleLock(monitor.folder / "diagnosis.lock"):
                proposal = diagnose_once(settings, seen, monitor)
    finally:
        # Where alerts may be sent (not in a container: the URLs are secrets), they need not wait for a cycle.
        if settings.alert_urls is not None and not monitor.is_dry_run:
            _relay(settings, monitor)
    return seen, proposal


def _relay(settings: Settings, monitor: Monitor) -> None:
    assert settings.alert_urls is not None
    moment = monitor.clock.now()
    path = settings.storage.orchestrator_data / "alerts.jsonl"
    alerter = make_alerter(path, settings.alert_urls.get_secret_value(), moment)
    relay_alerts(settings.storage, alerter, moment)


def make_monitor(settings: Settings, engine: DockerEngine, *, is_dry_run: bool) -> Monitor:
    """Return the monitor of this box."""
    return Monitor(
        engine=engine,
        folder=_folder(settings),
        alert_file=settings.storage.services / FILE_NAME,
        limits=limits_of(settings),
        project=settings.compose_project,
        clock=SystemClock(),
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


def look_document(seen: Look, proposal: Proposal | None, moment: str) -> dict[str, object]:
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
        "proposal": asdict(proposal) if proposal is not None else None,
    }


def _print(text: str) -> None:
    # At once: in a loop whose output goes to the journal, somebody waits for it.
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
