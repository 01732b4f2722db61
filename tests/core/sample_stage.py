"""A small stage with the real command line: the first word of its input says how it behaves."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from vv_core.atomic import write_text_atomic
from vv_core.errors import (
    ConfigError,
    InputDataError,
    KeyAccessError,
    TemporaryError,
    UnavailableError,
    VvError,
)
from vv_core.settings import Settings
from vv_core.stage import Progress, StageItem, run_stage
from vv_core.utils import compute_sha256

ERRORS: dict[str, type[VvError]] = {
    "bad": InputDataError,
    "busy": TemporaryError,
    "config": ConfigError,
    "nokey": KeyAccessError,
    "unavailable": UnavailableError,
}


class SampleStage:
    """Writes its input's hash, unless it is told to fail."""

    name = "sample_stage"
    version = "1"

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._note: Path | None = arguments.note

    def is_current(self, item: StageItem) -> bool:
        return item.output.exists() and item.output.read_text() == compute_sha256(item.input)

    def process(self, item: StageItem, progress: Progress) -> None:
        self._tell("begun")
        word = item.input.read_text().split()[0]
        progress(0.5)
        if word in ERRORS:
            raise ERRORS[word](f"told to be {word}", advice="Change the word.")
        BEHAVIOURS.get(word, lambda: None)()
        write_text_atomic(item.output, compute_sha256(item.input))
        progress(1.0)

    def close(self) -> None:
        self._tell("closed")

    def _tell(self, word: str) -> None:
        if self._note is not None:
            self._note.write_text(word)


def fill_the_disk() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "output.json")


def have_a_fault() -> None:
    raise RuntimeError("told to have a fault\nin two lines")


def hang() -> None:
    time.sleep(3600)


BEHAVIOURS: dict[str, Callable[[], None]] = {
    "full": fill_the_disk,
    "fault": have_a_fault,
    "hang": hang,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the sample stage's command line."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--note", type=Path, help="says what the stage does")

    def make(_settings: Settings, arguments: argparse.Namespace) -> SampleStage:
        return SampleStage(arguments)

    return run_stage("sample_stage", "A stage for tests.", make, argv, add_arguments)


if __name__ == "__main__":
    sys.exit(main())
