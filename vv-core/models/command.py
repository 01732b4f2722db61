"""``vv-models``: the life of a model on the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import UsageError
from vv_core.logs import printable, setup_logging
from vv_core.models import actions
from vv_core.models.desk import Desk, Told
from vv_core.models.registry import SWITCHED
from vv_core.models.registry_file import load_registry
from vv_core.models.verify import verify
from vv_core.settings import Settings, load_settings

PROG = "vv-models"

Action = Callable[[Desk, argparse.Namespace], Told]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command and its sub-commands."""
    parser = CommandParser(
        PROG,
        "List, fetch, verify, try, switch and measure the models that write and that look.",
        epilog="Exit codes are those of sysexits.h; see docs/errors.md and docs/models.md.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=CommandParser)
    for name, action, description, add_arguments in _COMMANDS:
        sub = commands.add_parser(name, help=description, description=description, is_sub=True)
        sub.add_argument("--json", action="store_true", help="for programs")
        add_arguments(sub)
        sub.set_defaults(action=action)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command is None:
        raise UsageError("a command is needed", advice=f"See {PROG} --help.")
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    desk = Desk(settings, load_registry(settings), SystemClock())
    action: Action = arguments.action
    told = action(desk, arguments)
    _show(settings, told, is_json=arguments.json)
    return told.exit_code


def _show(settings: Settings, told: Told, *, is_json: bool) -> None:
    if is_json:
        print(json.dumps(told.document, indent=2, allow_nan=False))  # noqa: T201
        return
    for portuguese, english in told.lines:
        print(printable(english if settings.language == "en" else portuguese))  # noqa: T201


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    pass


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="+", metavar="NAME", help="as vv-models list shows it")


def _name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="as vv-models list shows it")


def _optional_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="as vv-models list shows it")


def _optional_kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind", nargs="?", choices=SWITCHED, metavar="KIND", help=" or ".join(SWITCHED)
    )


def _source(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, metavar="PATH", help="a file, or a folder to search")
    parser.add_argument("--name", help="as what to keep a file that the list does not know")


_COMMANDS: tuple[tuple[str, Action, str, Callable[[argparse.ArgumentParser], Any]], ...] = (
    ("list", actions.list_models, "Show all models and which are in use.", _no_arguments),
    ("fetch", actions.fetch, "Download models, or go on with a download.", _names),
    ("verify", verify, "Hash model files again.", _optional_name),
    ("activate", actions.activate_model, "Try a model, then switch to it.", _name),
    ("rollback", actions.rollback_model, "Switch back to the model before.", _optional_kind),
    ("bench", actions.bench, "Measure a model on the fixed scenes.", _optional_name),
    ("import", actions.import_files, "Bring models from a file or a USB folder.", _source),
)
