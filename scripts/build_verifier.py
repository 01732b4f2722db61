#!/usr/bin/env python3
"""Build the verifier as one file that an auditor copies to another machine."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from vv_core.audit.verifier_archive import write_archive
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ExitCode
from vv_core.utils import compute_sha256

PROG = "build_verifier"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    parser = CommandParser(PROG, "Build the verifier as one file for other machines.")
    parser.add_argument(
        "output",
        nargs="?",
        type=Path,
        default=Path("logline_verifier.pyz"),
        metavar="FILE",
        help="where to write it (default: logline_verifier.pyz)",
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: build(arguments), PROG)


def build(arguments: argparse.Namespace) -> int:
    """Write the archive and say what to compare it by."""
    size = write_archive(arguments.output)
    print(f"{compute_sha256(arguments.output)}  {arguments.output}  {size} bytes")
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
