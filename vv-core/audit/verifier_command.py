"""`logline_verifier`: reads the options, runs the audit, prints the report, gives the exit code.

Runs where the product is installed and, as a single file, where it is not: then there are no settings,
and nothing but the standard library (and `cryptography`, for signed heads) is needed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vv_core.audit.audit_folder import find_log, find_targets
from vv_core.audit.keys import load_keys, read_key_store
from vv_core.audit.parallel import Workers
from vv_core.audit.report import (
    Tally,
    finding_json,
    format_coverage,
    format_finding,
    format_totals,
    log_json,
    totals_json,
)
from vv_core.audit.single_file import find_log_near
from vv_core.audit.verdict import EXIT_NOT_AUDITED
from vv_core.audit.verifier_options import (
    LANGUAGES,
    PROG,
    count_jobs,
    make_parser,
    make_trust,
    needs_secrets,
    nothing_to_verify_with,
)
from vv_core.audit.whole_audit import AuditPlan, WholeAudit
from vv_core.cli import INTERRUPTED, run_command
from vv_core.errors import ConfigError, InputDataError, KeyAccessError
from vv_core.logs import person_handler
from vv_core.tlog.checkpoint import parse_checkpoint
from vv_core.tlog.note import NoteError, Verifier, split_note
from vv_core.tlog.signing_key import load_signing_key
from vv_core.tlog.tiles import LogReader, TileError

if TYPE_CHECKING:
    from vv_core.settings import Settings

Write = Callable[[str], object]
Advance = Callable[[int], object]


@dataclass(frozen=True)
class Environment:
    """What the machine gives: language and keys of the settings, where there are any."""

    language: str
    keys: Mapping[str, bytes] | None
    verifiers: tuple[Verifier, ...] = ()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    arguments = make_parser().parse_args(argv)
    show_log_on_stderr(arguments.verbose)
    code = run_command(lambda: verify(arguments), PROG)
    return code if code <= EXIT_NOT_AUDITED or code == INTERRUPTED else EXIT_NOT_AUDITED


def verify(arguments: argparse.Namespace) -> int:
    """Verify what the arguments name, print the report, and return the exit code.

    Raises:
        VvError: the settings, the keys or the heads cannot be used.
    """
    environment = look_around(arguments)
    try:
        code = print_report(arguments, environment)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone (as in `| head`): the audit is not complete, and says so.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_NOT_AUDITED
    return code


def look_around(arguments: argparse.Namespace) -> Environment:
    """Return keys and language, from the arguments or else from the settings.

    Raises:
        VvError: they cannot be used; nothing to verify with.
    """
    keys = read_key_store(arguments.key_file).keys if arguments.key_file else None
    try:
        from vv_core.settings import load_settings
    except ImportError:
        # A single file on another machine: no settings.
        if needs_secrets(arguments):
            raise nothing_to_verify_with() from None
        wanted = arguments.language or os.environ.get("VV_LANGUAGE", LANGUAGES[0])
        return Environment(wanted if wanted in LANGUAGES else LANGUAGES[0], keys)
    settings = load_settings()
    language = arguments.language or settings.language
    if needs_secrets(arguments):
        keys = load_keys(settings).keys
    if arguments.vkey or arguments.head:
        return Environment(language, keys)
    return Environment(language, keys, own_verifiers(settings, arguments.paths))


def own_verifiers(settings: Settings, paths: Sequence[str]) -> tuple[Verifier, ...]:
    """Return the public side of the key with which this very box signs heads, where its log is audited.

    Its own secret, not what lies beside the log, says which key that is. The logs of other boxes have
    other names, and their keys have to be given.
    """
    origins = {origin_of_log(path) for path in paths} - {None}
    try:
        head = split_note(LogReader(settings.storage.log).checkpoint_bytes())[0]
        origin = parse_checkpoint(head).origin
        if origin not in origins:
            return ()
        key = load_signing_key(settings.resolve(settings.log_key_file))
        return (Verifier(origin, key.public_key().public_bytes_raw()),)
    except (InputDataError, KeyAccessError, ConfigError):
        return ()


def origin_of_log(path: str) -> str | None:
    """Return the name that the log in or near a path gives itself; None where there is none."""
    folder = find_log(path) or find_log_near(path)
    if folder is None:
        return None
    try:
        return parse_checkpoint(split_note(LogReader(Path(folder)).checkpoint_bytes())[0]).origin
    except (NoteError, TileError):
        return None


def print_report(arguments: argparse.Namespace, environment: Environment) -> int:
    """Verify and print, item by item, then what is known of each log, then the totals."""
    trust = make_trust(arguments, environment.keys, environment.verifiers)
    plan = AuditPlan(arguments.paths, trust, arguments.videos)
    tally = Tally()
    with (
        Workers(count_jobs(arguments.jobs)) as workers,
        progress_bar(arguments.paths) as (write, advance),
    ):
        audit = WholeAudit(plan, workers, advance)
        for finding in audit.run():
            tally.add(finding)
            if arguments.quiet and not finding.is_problem:
                continue
            if arguments.json:
                write(finding_json(finding))
            else:
                write(format_finding(finding, environment.language, arguments.verbose > 0))
    print_end(arguments, audit, tally, environment.language)
    return tally.exit_code


def print_end(
    arguments: argparse.Namespace, audit: WholeAudit, tally: Tally, language: str
) -> None:
    """Print what is known of each log, and the totals."""
    lines: list[str] = []
    if arguments.json:
        lines = [*map(log_json, audit.logs), totals_json(tally)]
    elif tally.exit_code or not arguments.quiet:
        coverage = format_coverage(tally, audit.logs, language)
        lines = [*coverage, format_totals(tally, language)]
    sys.stdout.write("".join(f"{line}\n" for line in lines))


@contextmanager
def progress_bar(paths: Sequence[str]) -> Iterator[tuple[Write, Advance]]:
    """Yield how to print a line and how to say that items are done; with a bar when a person watches."""
    if hasattr(sys.stdout, "reconfigure"):
        # A terminal that cannot show a character shows its escape instead of ending the audit.
        sys.stdout.reconfigure(errors="backslashreplace")
    tqdm = find_tqdm() if sys.stderr.isatty() else None
    if tqdm is None:
        yield print, lambda _count: None
        return
    with tqdm(total=count_work(paths), unit=" LogLine", leave=False) as bar:
        yield (lambda line: bar.write(line, file=sys.stdout)), bar.update


def find_tqdm() -> Any:
    """Return tqdm where it is installed; it is only worth its import for a person."""
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm


def count_work(paths: Sequence[str]) -> int:
    """Return about how many files and lines an audit has to look at."""
    total = 0
    for target in find_targets(paths):
        total += 1 if not target.is_log else _lines_to_look_at(target.path)
    return total


def _lines_to_look_at(path: str) -> int:
    """Return how many entries a log has, doubled where published files lie beside it."""
    return size_of_log(path) * (1 if find_log(path) == path else 2)


def size_of_log(path: str) -> int:
    """Return how many lines a log says to have; 0 where it does not say."""
    reader = LogReader(Path(find_log(path) or path))
    try:
        return parse_checkpoint(split_note(reader.checkpoint_bytes())[0]).size
    except (NoteError, TileError):
        return 0


def show_log_on_stderr(verbosity: int) -> None:
    """Send the product's log to stderr only: an audit leaves nothing behind on the machine."""
    level = logging.DEBUG if verbosity > 1 else logging.WARNING
    logger = logging.getLogger("vv")
    logger.handlers = [person_handler(level)]
    logger.setLevel(level)


if __name__ == "__main__":
    sys.exit(main())
