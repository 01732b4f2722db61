"""``make status``: the box in one screen."""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from vv_core.alerts import read_alerts
from vv_core.box_containers import look_at_containers
from vv_core.box_trust import look_at_key, look_at_log
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode, InputMissingError, TemporaryError, from_oserror
from vv_core.logs import setup_logging
from vv_core.metrics import collect_metrics
from vv_core.models.metrics import read_model_metrics
from vv_core.ownership import act_as_owner
from vv_core.pipeline.history import History
from vv_core.settings import load_settings
from vv_core.status_screen import BoxStatus, status_lines

PROG = "status"
_SHOWN_ALERTS = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(
        PROG, "Show containers, queue, last cycle, disk, keys, the log's head and alerts."
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    act_as_owner(settings)
    storage = settings.storage
    if not storage.orchestrator_data.is_dir():
        raise InputMissingError(
            f"there is no data below {str(storage.root)!r}",
            advice="Run make setup, or set VIDEO_STORAGE_ROOT.",
        )
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    try:
        with closing(History(storage.orchestrator_data / "orchestrator_db.sqlite")) as history:
            metrics = collect_metrics(storage, settings.orchestrator_patterns, history)
            models = read_model_metrics(storage)
        alerts = read_alerts(storage.orchestrator_data / "alerts.jsonl")[-_SHOWN_ALERTS:]
    except OSError as exc:
        raise from_oserror(exc, "look at the data") from exc
    except sqlite3.Error as exc:
        raise TemporaryError(
            f"the run history cannot be read: {exc}",
            advice="Run it as the user of the service, or again when the cycle has ended.",
        ) from exc
    status = BoxStatus(
        root=str(storage.root),
        metrics=metrics,
        models=models,
        containers=look_at_containers(settings),
        key=look_at_key(settings, datetime.now(UTC)),
        log=look_at_log(settings),
        alerts=alerts,
    )
    if arguments.json:
        print(json.dumps(document_of(status), indent=2))
    else:
        print("\n".join(status_lines(status, settings.language)))
    return ExitCode.OK


def document_of(status: BoxStatus) -> dict[str, Any]:
    """Return the screen as data."""
    whole = asdict(status)
    figures = whole.pop("metrics")
    # The figures of the pipeline stood at the top before there was anything else.
    return {**figures, **whole}


if __name__ == "__main__":
    sys.exit(main())
