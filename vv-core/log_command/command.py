"""The command line of ``vv-log``: which actions there are, and how what they tell is shown."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vv_core.cli import CommandParser, run_command
from vv_core.clock import SystemClock
from vv_core.errors import UsageError
from vv_core.log_command import keeping, proofs, status, witnessing
from vv_core.log_command.told import Box, Told
from vv_core.logs import printable, setup_logging
from vv_core.settings import load_settings

PROG = "vv-log"

Action = Callable[[Box, argparse.Namespace], Told]
AddArguments = Callable[[argparse.ArgumentParser], Any]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = build_parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def build_parser() -> CommandParser:
    """Return the parser of the command and its sub-commands."""
    parser = CommandParser(
        PROG,
        "The provable log: see how it is, prove and export clips, witness it, keep its keys.",
        epilog="Exit codes are those of sysexits.h (docs/errors.md); check: 0 valid, 1 tampering, "
        "2 undecided, 3 not a proof. See docs/provable-log.md.",
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=CommandParser)
    _add_commands(commands, _COMMANDS)
    text = "Have heads cosigned and carried out of the box; or be a witness."
    witness = commands.add_parser("witness", help=text, description=text, is_sub=True)
    kinds = witness.add_subparsers(
        dest="witness_command", metavar="COMMAND", required=True, parser_class=CommandParser
    )
    _add_commands(kinds, _WITNESS_COMMANDS)
    return parser


def _add_commands(commands: Any, table: Sequence[tuple[str, Action, str, AddArguments]]) -> None:
    for name, action, description, add_arguments in table:
        sub = commands.add_parser(name, help=description, description=description, is_sub=True)
        sub.add_argument("--json", action="store_true", help="for programs")
        sub.add_argument(
            "--language", choices=("pt-BR", "en"), help="of what is told (default: VV_LANGUAGE)"
        )
        add_arguments(sub)
        sub.set_defaults(action=action)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.command is None:
        raise UsageError("a command is needed", advice=f"See {PROG} --help.")
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    action: Action = arguments.action
    told = action(Box(settings, SystemClock()), arguments)
    _show(told, arguments.language or settings.language, is_json=arguments.json)
    return told.exit_code


def _show(told: Told, language: str, *, is_json: bool) -> None:
    if hasattr(sys.stdout, "reconfigure"):
        # A terminal that cannot show a character shows its escape instead of failing.
        sys.stdout.reconfigure(errors="backslashreplace")
    if is_json:
        print(json.dumps(told.document, indent=2, allow_nan=False))  # noqa: T201
        return
    for portuguese, english in told.lines:
        print(printable(english if language == "en" else portuguese))  # noqa: T201


def _no_arguments(_parser: argparse.ArgumentParser) -> None:
    pass


def _log_folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--log", type=Path, metavar="DIR", help="folder of the log (default: this box's)"
    )


def _prove(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "logline", metavar="LOGLINE", help="a .logline.json file, or a line's number"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to write the proof")
    _log_folder(parser)


def _export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", type=Path, metavar="CLIP", help="a video that the log names")
    parser.add_argument("--to", type=Path, metavar="DIR", help="where to (default: exports/)")
    _log_folder(parser)


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("proof", type=Path, metavar="PROOF", help="a .vvproof file")
    parser.add_argument(
        "--vkey",
        action="append",
        default=[],
        metavar="KEY",
        help="key of the log, and of witnesses (repeat it), or a file of them; default: this box's",
    )
    parser.add_argument("--clip", type=Path, metavar="FILE", help="the video that came with it")
    parser.add_argument("--show", action="store_true", help="also print the text of the proof")
    parser.add_argument(
        "--min-witnesses", type=_count, default=0, metavar="N", help="known witnesses wanted"
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - below 2**53
        raise argparse.ArgumentTypeError(f"not a whole number: {text[:20]}")
    return int(text)


def _yes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--yes", action="store_true", help="really do what cannot be undone")


def _rotate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--export-key",
        type=Path,
        metavar="FILE",
        help="also write the new key for an auditor, who can derive all later ones; it is a secret",
    )


def _revoke(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key_id", metavar="KEY_ID", help="signature_details.key_id of a bad line")
    parser.add_argument(
        "--from-line",
        dest="from_seq",
        type=_count,
        required=True,
        metavar="N",
        help="number of the first line that does not count",
    )
    _yes(parser)


def _prune(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--below", type=_count, required=True, metavar="N", help="number of the first line to keep"
    )
    _yes(parser)


def _repair(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="DIR",
        help="a copy of loglines/ where missing lines may be",
    )
    parser.add_argument(
        "--new-epoch", action="store_true", help="if lines are lost: close this log, begin another"
    )
    _yes(parser)


def _push(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--now", action="store_true", help="ask also those that wait for a next try"
    )


def _usb(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="DIR", help="where the stick is mounted")


def _qr(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out", type=Path, metavar="BASE", help="BASE.png and BASE.svg (default: exports/log-head)"
    )


def _serve(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--listen", metavar="HOST:PORT", help="default: VV_WITNESS_LISTEN")


_COMMANDS: tuple[tuple[str, Action, str, AddArguments], ...] = (
    ("status", status.show_status, "Show head, witnesses, keys, gaps and problems.", _no_arguments),
    ("prove", proofs.prove, "Write the proof of a LogLine.", _prove),
    ("export", proofs.export, "Copy a clip with its proof and a note on checking.", _export),
    ("check", proofs.check, "Verify a proof, without secrets or network.", _check),
    ("rotate", keeping.rotate_key, "Change the signing key of LogLines, erase the old.", _rotate),
    ("revoke", keeping.revoke_key, "Declare lines of a stolen key invalid.", _revoke),
    ("prune", keeping.prune_entries, "Delete the text of old lines; hashes stay.", _prune),
    ("repair", keeping.repair_log, "Make a log that is refused usable again.", _repair),
)
_WITNESS_COMMANDS: tuple[tuple[str, Action, str, AddArguments], ...] = (
    ("push", witnessing.push_heads, "Send the newest head to the witnesses.", _push),
    ("qr", witnessing.draw_head, "Draw the newest head as QR code, PNG and SVG.", _qr),
    ("usb", witnessing.leave_on_usb, "Compare and leave the head on a USB stick.", _usb),
    ("webhook", witnessing.send_webhook, "Send the newest head to VV_HEAD_URLS.", _no_arguments),
    ("serve", witnessing.serve, "Be a witness of other boxes, over HTTP.", _serve),
    ("key", witnessing.show_key, "Show the key of this box as a witness.", _no_arguments),
)


if __name__ == "__main__":
    sys.exit(main())
