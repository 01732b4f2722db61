"""Whether a program that stays does its job: ``python -m vv_core.service_health HEARTBEAT_FILE``.

The healthcheck of services that work in turns. Exit 0: healthy, 1: not, as Docker wants it; what is wrong goes to
stdout, which ``docker inspect`` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from os import sysconf
from pathlib import Path

from vv_core.clock import SystemClock
from vv_core.errors import ExitCode, VvError
from vv_core.heartbeat import find_problem, read_heartbeat

_PROC = Path("/proc")
_START_TICKS = 19
"""Place of the start among the fields of stat that follow the command's name (proc(5): field 22)."""
_SLACK_S = 0.1
"""Of the kernel's clocks. A container that is replaced is gone for longer before the next one begins."""


def started_at(now: datetime, proc: Path = _PROC) -> datetime | None:
    """Return when process 1 began, which is when this container did; None where the kernel does not say.

    Counted back from now: the time of the boot, which the kernel tells too, is of whole seconds, and within one the
    container before may have said that all is well.
    """
    try:
        # The name may hold spaces and parentheses.
        ticks = (proc / "1" / "stat").read_text("ascii", "replace").rpartition(")")[2].split()
        uptime_s = float((proc / "uptime").read_text("ascii", "replace").split()[0])
        age_s = uptime_s - int(ticks[_START_TICKS]) / sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None
    # Where /proc tells the uptime of something else (lxcfs), it says nothing.
    return now - timedelta(seconds=age_s) if age_s >= 0 else None


def check(path: Path, now: datetime, started: datetime | None = None) -> str | None:
    """Return what is wrong, or None.

    Args:
        path: of the heartbeat.
        now: the time.
        started: when the service was; what was written before was said by the one before it, which may have been
            another version.
    """
    try:
        heartbeat = read_heartbeat(path)
        written_s = path.stat().st_mtime
    except VvError as exc:
        return f"{exc.message} → {exc.advice}"
    except OSError as exc:
        return f"{path}: {exc.strerror}"
    if started is not None and written_s < started.timestamp() - _SLACK_S:
        return f"{heartbeat.service} has not done anything yet since it was started"
    return find_problem(heartbeat, now)


def main(argv: Sequence[str] | None = None) -> int:
    """Look once."""
    arguments = sys.argv[1:] if argv is None else argv
    if len(arguments) != 1:
        sys.stderr.write("service_health: the heartbeat's file is needed\n")
        return ExitCode.USAGE
    now = SystemClock().now()
    problem = check(Path(arguments[0]), now, started_at(now))
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
