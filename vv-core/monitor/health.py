"""Whether the monitor does its job: ``python -m vv_core.monitor.health LIMIT_SECONDS``.

The healthcheck of ``self_monitor``: a look that reached the engine leaves a beat. Exit 0: healthy, 1: not, as Docker
wants it. Light imports only: it runs every half a minute.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_EX_USAGE = 64


def problem_of(beat: Path, limit_s: float, now_s: float) -> str | None:
    """Return what is wrong, or None."""
    try:
        age_s = now_s - beat.stat().st_mtime
    except OSError as exc:
        return f"the monitor has not looked yet: {exc.strerror}"
    if age_s > limit_s:
        return f"the last look that reached the engine is {age_s:.0f} s ago"
    return None


def main(argv: Sequence[str] | None = None) -> int:
    """Look once; what is wrong goes to stdout, which ``docker inspect`` shows."""
    arguments = sys.argv[1:] if argv is None else argv
    root = Path(os.environ.get("VIDEO_STORAGE_ROOT") or "data")
    try:
        limit_s = float(arguments[0])
    except (IndexError, ValueError):
        sys.stderr.write("health: the seconds that the last look may be ago are needed\n")
        return _EX_USAGE
    problem = problem_of(root / "orchestrator_data" / "monitor" / "beat", limit_s, time.time())
    if problem is not None:
        sys.stdout.write(f"{problem}\n")
    return 0 if problem is None else 1


if __name__ == "__main__":
    sys.exit(main())
