#!/usr/bin/env python3
"""Verify the signatures of LogLines: files, folders, or both.

Exit codes: 0 all valid; 1 evidence of tampering; 2 something could not be decided; 3 something is not a
LogLine; 4 usage, I/O, no keys, nothing to verify. Of several, the first of 1, 4, 3, 2 is given.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from vv_core.audit.audit_folder import audit_paths, find_targets
from vv_core.audit.keys import load_keys, read_key_store
from vv_core.audit.report import (
    Tally,
    finding_json,
    format_finding,
    format_totals,
    is_problem,
    totals_json,
)
from vv_core.audit.verdict import EXIT_NOT_AUDITED
from vv_core.cli import INTERRUPTED, CommandParser, run_command
from vv_core.logs import person_handler, printable
from vv_core.settings import Settings, load_settings

PROG = "logline_verifier"

Write = Callable[[str], object]
Advance = Callable[[], object]


class VerifierParser(CommandParser):
    """A command parser that ends with 4, as 2 means something else here."""

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to find help, and exit 4."""
        self.exit(
            EXIT_NOT_AUDITED,
            f"{self.prog}: {printable(message)}\n→ See {self.prog} --help.\n",
        )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = make_parser().parse_args(argv)
    show_log_on_stderr(arguments.verbose)
    code = run_command(lambda: verify(arguments), PROG)
    return code if code <= EXIT_NOT_AUDITED or code == INTERRUPTED else EXIT_NOT_AUDITED


def make_parser() -> VerifierParser:
    """Return the parser of this command."""
    parser = VerifierParser(
        PROG,
        "Verify the signatures of LogLines.",
        epilog="Exit codes: 0 all valid; 1 tampering; 2 undecided (unknown key); 3 not a LogLine; "
        "4 usage, I/O, no keys, nothing to verify. Of several, the first of 1, 4, 3, 2.",
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="a .logline.json file, or a folder to search"
    )
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="key store (default: the one of the settings)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    parser.add_argument("--quiet", action="store_true", help="print problems only")
    parser.add_argument(
        "--language", choices=("pt-BR", "en"), help="language of the report (default: VV_LANGUAGE)"
    )
    return parser


def verify(arguments: argparse.Namespace) -> int:
    """Verify what the arguments name, print the report, and return the exit code.

    Raises:
        VvError: the settings or the keys cannot be used.
    """
    settings = load_settings()
    try:
        code = print_report(arguments, settings)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (as in `| head`): the audit is not complete, and says so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NOT_AUDITED
    return code


def print_report(arguments: argparse.Namespace, settings: Settings) -> int:
    """Verify and print, item by item, then the totals."""
    store = read_key_store(arguments.key_file) if arguments.key_file else load_keys(settings)
    language = arguments.language or settings.language
    tally = Tally()
    with progress_bar(arguments.paths) as (write, advance):
        for finding in audit_paths(arguments.paths, store.keys):
            tally.add(finding)
            advance()
            if arguments.quiet and not is_problem(finding):
                continue
            if arguments.json:
                write(finding_json(finding))
            else:
                write(format_finding(finding, language, arguments.verbose > 0))
    if arguments.json:
        print(totals_json(tally))
    elif tally.exit_code or not arguments.quiet:
        print(format_totals(tally, language))
    return tally.exit_code


@contextmanager
def progress_bar(paths: Sequence[str]) -> Iterator[tuple[Write, Advance]]:
    """Yield how to print a line and how to say that an item is done; with a bar when a person watches."""
    if hasattr(sys.stdout, "reconfigure"):
        # A terminal that cannot show a character shows its escape instead of ending the audit.
        sys.stdout.reconfigure(errors="backslashreplace")
    if not sys.stderr.isatty():
        yield print, lambda: None
        return
    from tqdm import tqdm  # only worth its import for a person

    total = sum(1 for _ in find_targets(paths))
    with tqdm(total=total, unit=" LogLine", leave=False) as bar:
        yield (lambda line: bar.write(line, file=sys.stdout)), bar.update


def show_log_on_stderr(verbosity: int) -> None:
    """Send the product's log to stderr only: an audit leaves nothing behind on the machine."""
    level = logging.DEBUG if verbosity > 1 else logging.WARNING
    logger = logging.getLogger("vv")
    logger.handlers = [person_handler(level)]
    logger.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
