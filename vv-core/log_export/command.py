"""``log_exporter``: pack the logs of one day with a manifest, or check such an archive."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import ExitCode, UsageError
from vv_core.log_export.exporting import Export, destination_of, export_day
from vv_core.log_export.manifest import verify_export
from vv_core.log_export.selection import Day
from vv_core.logs import printable, setup_logging
from vv_core.number_text import size_text
from vv_core.ownership import act_as_owner
from vv_core.settings import Settings, load_settings

PROG = "log_exporter"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command."""
    parser = CommandParser(
        PROG,
        "Pack the logs of one day into vv_ai_logs_YYYYMMDD.tar.gz, with a manifest of hashes.",
        epilog="Settings: LOG_SOURCE_DIRECTORIES, LOG_EXPORT_DESTINATION, RETENTION_DAYS_EXPORTED_LOGS, "
        "LOG_EXPORT_CONTAINERS. Exit 75: a log could not be read; the others are in the archive.",
    )
    parser.add_argument(
        "--date", type=parse_day, metavar="YYYY-MM-DD", help="which day (default: yesterday)"
    )
    parser.add_argument(
        "--containers",
        action="store_true",
        help="pack what containers said too, whatever LOG_EXPORT_CONTAINERS says",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what would be packed")
    parser.add_argument(
        "--verify", type=Path, metavar="MANIFEST", help="check an archive against its manifest"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def parse_day(raw_text: str) -> date:
    """Return the day that a text names.

    Raises:
        argparse.ArgumentTypeError: it names none.
    """
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(raw_text, form).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            continue
    raise argparse.ArgumentTypeError("must be a day, as 2026-11-25")


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    act_as_owner(settings)
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    if arguments.verify is not None:
        return _verify(settings, arguments)
    clock = SystemClock()
    today = clock.now().astimezone(settings.zone).date()
    day = arguments.date or today - timedelta(days=1)
    if day > today:
        raise UsageError(f"{day} is not over yet", advice="Name a day that is.")
    export = export_day(
        settings,
        Day.of(day, settings.zone),
        clock,
        with_containers=arguments.containers or settings.log_export_containers,
        is_dry=arguments.dry_run,
    )
    if arguments.json:
        document = {"action": export.action, "manifest": export.manifest, "pruned": export.pruned}
        print(json.dumps(document, indent=2))
    else:
        for line in export_lines(export, destination_of(settings), settings.language):
            print(printable(line))
        for path, reason in export.problems:
            print(f"! {printable(f'{path}: {reason}')}", file=sys.stderr)
    return ExitCode.TEMPFAIL if export.problems else ExitCode.OK


def _verify(settings: Settings, arguments: argparse.Namespace) -> int:
    document = verify_export(arguments.verify)
    count = len(document["files"])
    if arguments.json:
        print(json.dumps({"verified": True, "manifest": document}, indent=2))
    elif settings.language == "en":
        print(
            f"whole: {printable(document['archive'])}, {count} {'file' if count == 1 else 'files'}"
        )
    else:
        noun = "arquivo" if count == 1 else "arquivos"
        print(f"íntegro: {printable(document['archive'])}, {count} {noun}")
    return ExitCode.OK


_WORDS = {
    "written": ("exportado", "exported"),
    "unchanged": ("já exportado, sem mudança", "exported before, unchanged"),
    "kept": ("mantido: o que já está lá tem mais", "kept: what is there holds more"),
    "nothing": ("nenhum log desse dia", "no logs of that day"),
    "dry_run": ("simulação", "dry run"),
}


def export_lines(export: Export, folder: Path, language: str) -> list[str]:
    """Return what became of an export as lines of text."""
    is_english, manifest = language == "en", export.manifest
    place = "" if export.action in {"nothing", "dry_run"} else f": {folder / manifest['archive']}"
    size = f" ({size_text(manifest['archive_bytes'], language)})" if place else ""
    lines = [f"{manifest['day']}: {_WORDS[export.action][is_english]}{place}{size}"]
    lines += [
        f"  {file['name']} ({size_text(file['bytes'], language)})" for file in manifest["files"]
    ]
    if export.pruned:
        words = "old exports removed" if is_english else "exportações antigas apagadas"
        lines.append(f"{words}: {', '.join(export.pruned)}")
    return lines


if __name__ == "__main__":
    sys.exit(main())
