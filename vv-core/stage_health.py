"""Whether the stage in this container does its job: ``python -m vv_core.stage_health LIMIT_SECONDS``.

The healthcheck of the one-shot services. A stage writes a line into its journal when an item begins and when it ends; a
batch whose journal has not grown for longer than one item may take is stuck, whatever its process looks
like. Exit 0: healthy, 1: not, as Docker wants it. Light imports only: it runs every half a minute.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from vv_core.batch_files import JOURNAL_SUFFIX

ALLOWANCE_S = 120.0
"""For start and end; longer than the orchestrator's own, which ends a stage that is stuck."""

_COMMAND_LINE = Path("/proc/1/cmdline")
_OPTION = "--batch"
_EX_USAGE = 64


def batch_list(raw_command_line: bytes) -> Path | None:
    """Return the batch list in a command line as proc(5) shows it, or None for a single item."""
    words = [os.fsdecode(word) for word in raw_command_line.split(b"\0")]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == _OPTION and following:
            return Path(following)
        if word.startswith(f"{_OPTION}="):
            return Path(word.removeprefix(f"{_OPTION}="))
    return None


def is_moving(last_change_s: float, now_s: float, limit_s: float) -> bool:
    """Tell whether a batch still moves.

    Args:
        last_change_s: when its journal last grew, or it began; seconds since the epoch.
        now_s: the time, likewise.
        limit_s: what one item may take.
    """
    return now_s - last_change_s <= limit_s + ALLOWANCE_S


def last_change(path: Path) -> float | None:
    """Return when a batch last moved: its journal's time, else the list's; None when both are gone."""
    for file in (path.with_name(path.name + JOURNAL_SUFFIX), path):
        try:
            return file.stat().st_mtime
        except FileNotFoundError:
            continue
    return None


def check(command_line: Path, limit_s: float, now_s: float) -> str | None:
    """Return what is wrong, or None.

    Raises:
        OSError: the journal or the command line cannot be looked at.
    """
    path = batch_list(command_line.read_bytes())
    moved = last_change(path) if path is not None else now_s
    if moved is None:
        return f"the batch {path} is gone; the stage works for nobody"
    if not is_moving(moved, now_s, limit_s):
        return f"no item began or ended for {now_s - moved:.0f} s; one may take {limit_s:.0f} s"
    return None


def main(argv: Sequence[str] | None = None, command_line: Path = _COMMAND_LINE) -> int:
    """Look once; what is wrong goes to stdout, which ``docker inspect`` shows."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        limit_s = float(arguments[0])
    except (IndexError, ValueError):
        sys.stderr.write("stage_health: the seconds that one item may take are needed\n")
        return _EX_USAGE
    try:
        problem = check(command_line, limit_s, time.time())
    except OSError as exc:
        problem = f"the batch cannot be looked at: {exc}"
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
