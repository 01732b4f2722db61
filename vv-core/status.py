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

from vv_core.alerts import read_alerts
from vv_core.cli import CommandParser, run_command
from vv_core.clock import format_utc
from vv_core.errors import ExitCode, InputMissingError, TemporaryError, from_oserror
from vv_core.logs import printable, setup_logging
from vv_core.metrics import PipelineMetrics, collect_metrics
from vv_core.models.metrics import ModelFigures, read_model_metrics
from vv_core.models.rows import figures_text
from vv_core.pipeline.history import CycleRun, History
from vv_core.settings import Settings, load_settings

PROG = "status"
_SHOWN_ALERTS = 5
_SHOWN_MODELS = 3
_GIB = 1024**3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Show queue, last cycle, quarantine, disk and alerts.")
    parser.add_argument("--json", action="store_true", help="for programs")
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
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
    if arguments.json:
        used = [asdict(figures) for figures in models]
        print(json.dumps({**asdict(metrics), "models": used, "alerts": alerts}, indent=2))
    else:
        print("\n".join(status_lines(settings, metrics, alerts, models)))
    return ExitCode.OK


def status_lines(
    settings: Settings,
    metrics: PipelineMetrics,
    alerts: Sequence[dict[str, object]],
    models: Sequence[ModelFigures] = (),
) -> list[str]:
    """Return the screen as lines, in the language of the settings."""
    is_english = settings.language == "en"

    def say(portuguese: str, english: str) -> str:
        return english if is_english else portuguese

    rows = [
        (say("Dados", "Data"), str(settings.storage.root)),
        (say("Fila", "Queue"), f"{metrics.queued}"),
        (say("Para tentar de novo", "To be tried again"), f"{metrics.retrying}"),
        (say("Quarentena", "Quarantine"), f"{metrics.quarantined}"),
        (say("Ignorados", "Ignored"), f"{metrics.ignored}"),
        (say("Último ciclo", "Last cycle"), _cycle_text(metrics.last_cycle, is_english)),
        (
            say("Disco livre", "Disk free"),
            f"{metrics.disk_free_bytes / _GIB:.1f} / {metrics.disk_total_bytes / _GIB:.1f} GiB",
        ),
        (say("Chave", "Key"), _key_text(settings, is_english)),
    ]
    for name, stage in metrics.stages.items():
        failed = say("falhas", "failures")
        rows.append((name, f"{stage.runs} ({stage.failures} {failed}), {stage.median_s:.2f} s"))
    for figures in models[:_SHOWN_MODELS]:
        writer = figures.model or say("regras", "rules")
        rows.append(
            (say("Texto por", "Text by"), f"{writer}: {figures_text(figures, settings.language)}")
        )
    lines = [f"{head:<20} {printable(text)}" for head, text in rows]
    for alert in alerts:
        lines.append(
            printable(f"! {alert['time']} {alert.get('severity', '')} {alert.get('message', '')}")
        )
        lines.append(printable(f"  → {alert.get('advice', '')}"))
    return lines


def _key_text(settings: Settings, is_english: bool) -> str:
    if settings.hmac_key is not None:
        return "VV_HMAC_KEY"
    try:
        settings.key_store_path.stat()
    except FileNotFoundError:
        return "MISSING: run make setup" if is_english else "FALTA: rode make setup"
    except OSError as exc:
        return f"{settings.key_store_path} ({exc.strerror})"
    return str(settings.key_store_path)


def _cycle_text(cycle: CycleRun | None, is_english: bool) -> str:
    if cycle is None:
        return "never" if is_english else "nunca"
    started = format_utc(datetime.fromtimestamp(cycle.started, UTC))
    words = ("done", "quarantined") if is_english else ("concluídos", "em quarentena")
    text = f"{started}, {cycle.duration_s:.1f} s, {cycle.done} {words[0]}, {cycle.quarantined} {words[1]}"
    return f"{text}, {cycle.stopped_by}" if cycle.stopped_by else text


if __name__ == "__main__":
    sys.exit(main())
