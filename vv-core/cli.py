"""What all command lines share: usage errors that exit 64, and one handler for every error."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from vv_core import __version__
from vv_core.errors import ExitCode, VvError, from_oserror
from vv_core.logs import get_logger, printable

INTERRUPTED = 130


class CommandParser(argparse.ArgumentParser):
    """An argument parser with ``--version`` and ``-v`` that ends with EX_USAGE, not 2."""

    def __init__(
        self, prog: str, description: str, epilog: str | None = None, *, is_sub: bool = False
    ) -> None:
        """Make a parser; that of a sub-command keeps what was said before it."""
        super().__init__(prog=prog, description=description, epilog=epilog, allow_abbrev=False)
        self.add_argument("--version", action="version", version=f"{prog} {__version__}")
        self.add_argument(
            "-v",
            "--verbose",
            action="count",
            default=argparse.SUPPRESS if is_sub else 0,
            help="say more on stderr (twice: everything)",
        )

    def error(self, message: str) -> NoReturn:
        """Print what is wrong and how to find help, and exit 64."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {printable(message)}\n→ See {self.prog} --help.\n")


def run_command(body: Callable[[], int], prog: str) -> int:
    """Run the body of a command and turn whatever it raises into a message and an exit code.

    Errors of ours say what happened and what to do; an error of the operating system that nobody
    translated is one of them. Anything else is a fault of ours: the traceback goes to the log, a person
    sees what it is called.
    """
    try:
        code = body()
        sys.stdout.flush()
    except VvError as exc:
        report_error(prog, exc)
        return exc.exit_code
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone (as in `| head`); nothing is wrong.
        _settle_stdout()
        return ExitCode.OK
    except OSError as exc:
        _settle_stdout()
        error = from_oserror(exc, "go on")
        report_error(prog, error, exc)
        return error.exit_code
    except Exception as exc:  # the last line of defence of every entry point
        report_crash(prog, exc)
        return ExitCode.SOFTWARE
    return code


def _settle_stdout() -> None:
    """Write out what is left for stdout; lead it nowhere where that fails.

    Otherwise the interpreter, at its end, would fail at it once more.
    """
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def report_error(prog: str, exc: VvError, cause: Exception | None = None) -> None:
    """Tell a person and the log about an error of ours; the cause's traceback goes to the log."""
    print(f"{prog}: {printable(exc.message)}\n→ {printable(exc.advice)}", file=sys.stderr)
    fields = {"exit_code": int(exc.exit_code), "advice": exc.advice}
    get_logger("cli").error(
        "%s", exc.message, exc_info=cause, extra={"fields": fields, "told": True}
    )


def report_crash(prog: str, exc: Exception) -> None:
    """Tell the log everything and a person two lines about a fault of ours."""
    print(
        f"{prog}: failed unexpectedly: {printable(repr(exc))}\n"
        "→ This is a fault of the program: please report it with logs/app.log.",
        file=sys.stderr,
    )
    get_logger("cli").error(
        "%s failed unexpectedly: %r", prog, exc, exc_info=exc, extra={"told": True}
    )
