"""Whether a program that stays does its job: ``python -m vv_core.service_health HEARTBEAT_FILE``.

The healthcheck of services that work in turns. Exit 0: healthy, 1: not, as Docker wants it; what is wrong goes to
stdout, which ``docker inspect`` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from vv_core.clock import SystemClock
from vv_core.errors import ExitCode, VvError
from vv_core.heartbeat import find_problem, read_heartbeat


def check(path: Path, now: datetime) -> str | None:
    """Return what is wrong, or None."""
    try:
        return find_problem(read_heartbeat(path), now)
    except VvError as exc:
        return f"{exc.message} → {exc.advice}"


def main(argv: Sequence[str] | None = None) -> int:
    """Look once."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        sys.stderr.write("service_health: the heartbeat's file is needed\n")
        return ExitCode.USAGE
    problem = check(Path(arguments[0]), SystemClock().now())
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
