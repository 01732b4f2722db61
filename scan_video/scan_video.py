"""The scanner's command line: a video in, an analytic and its pictures out.

``python -m scan_video.scan_video INPUT OUTPUT``, or ``--batch LIST`` for many with one model load.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from scan_video.scanner import NAME, ScanStage
from vv_core.stage import run_stage

_DESCRIPTION = "Look at a video and write down what is in it: people, things, faces, and when."


def main(argv: Sequence[str] | None = None) -> int:
    """Run the scanner's command line and return its exit code."""
    return run_stage(NAME, _DESCRIPTION, lambda settings, _arguments: ScanStage(settings), argv)


if __name__ == "__main__":
    sys.exit(main())
