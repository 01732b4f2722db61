"""The command line that every stage has: one item, or a batch with one start for many."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from vv_core.batch_files import JOURNAL_SUFFIX, Journal, StageItem, read_batch
from vv_core.cli import CommandParser, report_crash, report_error, run_command
from vv_core.errors import (
    ExitCode,
    InputMissingError,
    SoftwareError,
    TemporaryError,
    UsageError,
    VvError,
    from_oserror,
)
from vv_core.logs import get_logger, setup_logging
from vv_core.process import die_with_parent
from vv_core.settings import Settings, load_settings

__all__ = [
    "JOURNAL_SUFFIX",
    "WHOLE_BATCH",
    "MakeStage",
    "Progress",
    "Stage",
    "StageItem",
    "run_item",
    "run_stage",
]

WHOLE_BATCH = frozenset({ExitCode.USAGE, ExitCode.CONFIG, ExitCode.NOPERM, ExitCode.UNAVAILABLE})
"""Codes that concern every item alike: the batch ends with the first."""

Progress = Callable[[float], None]


class Stage(Protocol):
    """What a stage does for one item; one object serves all items of a process."""

    name: str
    version: str

    def is_current(self, item: StageItem) -> bool:
        """Tell whether a valid output that names the same input's hash exists already."""

    def process(self, item: StageItem, progress: Progress) -> None:
        """Write the item's output, atomically.

        Args:
            item: what to do.
            progress: to be called with the fraction done, 0 to 1.

        Raises:
            VvError: the output was not written; the exit code says whose fault it is.
        """

    def close(self) -> None:
        """Let go of models and files."""


MakeStage = Callable[[Settings, argparse.Namespace], Stage]


def run_stage(
    prog: str,
    description: str,
    make_stage: MakeStage,
    argv: Sequence[str] | None = None,
    add_arguments: Callable[[argparse.ArgumentParser], None] | None = None,
) -> int:
    """Run a stage's whole command line.

    Args:
        prog: the command's name, also the component in the log.
        description: one sentence for ``--help``.
        make_stage: makes the stage; must be cheap, models are loaded with the first item.
        argv: arguments without the program; those of the process by default.
        add_arguments: adds options of this stage.

    Returns:
        The exit code. For a batch: 0 when all items are done, else that of the first that failed.
    """
    parser = _parser(prog, description)
    if add_arguments is not None:
        add_arguments(parser)
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(prog, make_stage, arguments), prog)


def _parser(prog: str, description: str) -> CommandParser:
    parser = CommandParser(
        prog, description, epilog="Exit codes are those of sysexits.h; see docs/errors.md."
    )
    parser.add_argument("input", nargs="?", type=Path, help="file to read")
    parser.add_argument("output", nargs="?", type=Path, help="file to write")
    parser.add_argument(
        "--batch", type=Path, metavar="LIST", help="file with one item a line, as JSON"
    )
    return parser


def _run(prog: str, make_stage: MakeStage, arguments: argparse.Namespace) -> int:
    die_with_parent()
    settings = load_settings()
    setup_logging(prog, settings.resolve(settings.log_dir), arguments.verbose)
    single = arguments.input is not None and arguments.output is not None
    if single == (arguments.batch is not None) or (arguments.input and not single):
        raise UsageError(
            "either INPUT and OUTPUT or --batch LIST is needed", advice=f"See {prog} --help."
        )
    stage = make_stage(settings, arguments)
    try:
        if arguments.batch is not None:
            return _run_batch(prog, stage, arguments.batch)
        with _progress_bar(stage.name, 1) as advance:
            run_item(
                stage, StageItem(arguments.input.absolute(), arguments.output.absolute()), advance
            )
        return ExitCode.OK
    finally:
        stage.close()


def run_item(stage: Stage, item: StageItem, progress: Progress) -> bool:
    """Do one item, unless its output is there already.

    Returns:
        True when the existing output was kept.

    Raises:
        UsageError: the output would replace the input.
        VvError: from the stage; an OSError that it let through is translated.
    """
    if _is_same_file(item.input, item.output):
        raise UsageError(
            f"input and output are the same file ({str(item.input)!r})",
            advice="Name another output.",
        )
    logger = get_logger(stage.name)
    fields = {"input": str(item.input), "output": str(item.output)}
    try:
        if stage.is_current(item):
            logger.info("kept the existing output", extra={"fields": fields})
            return True
        stage.process(item, progress)
    except OSError as exc:
        raise _translate(exc, item) from exc
    logger.info("wrote the output", extra={"fields": fields})
    return False


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False


def _translate(exc: OSError, item: StageItem) -> VvError:
    """Name the fault; only the input itself can be the input that is missing."""
    error = from_oserror(exc, f"process {item.input.name!r}")
    if isinstance(error, InputMissingError) and os.path.exists(item.input):  # noqa: PTH110
        return TemporaryError(error.message, advice="Check that the output's folder exists.")
    return error


def _run_batch(prog: str, stage: Stage, list_path: Path) -> int:
    items = read_batch(list_path)
    worst = ExitCode.OK
    with (
        _progress_bar(stage.name, len(items)) as advance,
        Journal(list_path.with_name(list_path.name + JOURNAL_SUFFIX)) as journal,
    ):
        for index, item in enumerate(items):
            journal.start(index)
            error = _attempt(prog, stage, item, _part_of(advance, index))
            journal.end(index, error)
            if error is not None:
                worst = worst or error.exit_code
                if error.exit_code in WHOLE_BATCH:
                    break
            advance(index + 1)
    return worst


def _part_of(advance: Progress, done: int) -> Progress:
    return lambda part: advance(done + part)


def _attempt(prog: str, stage: Stage, item: StageItem, progress: Progress) -> VvError | None:
    """Do one item of a batch; whatever it raises concerns this item only."""
    try:
        run_item(stage, item, progress)
    except VvError as exc:
        report_error(prog, exc)
        return exc
    except Exception as exc:  # noqa: BLE001 - one bad item never stops the next
        report_crash(prog, exc)
        return SoftwareError(repr(exc), advice="Report it with logs/app.log.")
    return None


@contextmanager
def _progress_bar(name: str, total: int) -> Iterator[Progress]:
    """Yield a function that shows progress, when a person is watching."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from tqdm import tqdm  # only worth its import for a person

    with tqdm(
        total=total,
        desc=name,
        unit="",
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
    ) as bar:

        def show(done: float) -> None:
            bar.update(done - bar.n)

        yield show
