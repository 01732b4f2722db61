"""What every command line shares: exit codes, advice, and no traceback for people."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vv_core import __version__
from vv_core.cli import CommandParser, run_command
from vv_core.errors import ConfigError
from vv_core.logs import setup_logging


def parse(*argv: str) -> int:
    """Parse arguments that end the program; return the exit code."""
    with pytest.raises(SystemExit) as caught:
        CommandParser("prog", "Does things.", epilog="The end.").parse_args(argv)
    assert isinstance(caught.value.code, int)
    return int(caught.value.code)


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse("--help") == 0
    text = capsys.readouterr().out
    assert all(part in text for part in ("Does things.", "The end.", "--version", "--verbose"))
    assert parse("--version") == 0
    assert capsys.readouterr().out == f"prog {__version__}\n"


@pytest.mark.parametrize("argument", ["--nothing", "--verbos", "extra", "\x1b[2J"])
def test_wrong_usage_exits_64_and_says_where_help_is(
    capsys: pytest.CaptureFixture[str], argument: str
) -> None:
    assert parse(argument) == 64
    error = capsys.readouterr().err
    assert error.endswith("→ See prog --help.\n")
    assert "\x1b" not in error


@pytest.mark.parametrize(("argv", "expected"), [([], 0), (["-v"], 1), (["-vv"], 2)])
def test_verbosity_is_counted(argv: list[str], expected: int) -> None:
    assert CommandParser("prog", "x").parse_args(argv).verbose == expected


def raiser(exc: BaseException) -> Callable[[], int]:
    def body() -> int:
        raise exc

    return body


def run_logged(exc: BaseException, folder: Path) -> tuple[int, dict[str, object] | None]:
    """Run a command that raises; return its exit code and the last log entry."""
    setup_logging("prog", folder, verbosity=2)
    code = run_command(raiser(exc), "prog")
    log = folder / "app.log"
    entry = json.loads(log.read_text().splitlines()[-1]) if log.exists() else None
    return code, entry


def test_the_bodys_code_is_the_exit_code() -> None:
    assert run_command(lambda: 7, "prog") == 7


def test_an_error_of_ours_is_told_once_with_its_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = ConfigError("set up\nwrongly \x1b[2J", advice="Set it up.")
    code, entry = run_logged(error, tmp_path)
    assert code == 78
    assert capsys.readouterr().err == "prog: set up\\nwrongly \\x1b[2J\n→ Set it up.\n"
    assert entry is not None
    assert (entry["level"], entry["message"]) == ("ERROR", "set up\nwrongly \x1b[2J")
    assert entry["fields"] == {"exit_code": 78, "advice": "Set it up."}


def test_a_percent_sign_in_an_error_is_only_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, entry = run_logged(ConfigError("100%s full", advice="%d"), tmp_path)
    assert entry is not None
    assert entry["message"] == "100%s full"
    assert "100%s full" in capsys.readouterr().err


def test_a_fault_of_ours_shows_its_traceback_to_the_log_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, entry = run_logged(RuntimeError("odd\nthing"), tmp_path)
    assert code == 70
    error = capsys.readouterr().err
    assert error.startswith("prog: failed unexpectedly: RuntimeError('odd\\nthing')\n→ ")
    assert error.count("\n") == 2
    assert "Traceback" not in error
    assert entry is not None
    assert "Traceback" in str(entry["traceback"])


def test_an_error_of_the_system_is_no_fault_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, entry = run_logged(OSError(errno.ENOSPC, "No space left", "x"), tmp_path)
    assert code == 75
    assert "Free disk space" in capsys.readouterr().err
    assert entry is not None
    assert "Traceback" in str(entry["traceback"])


def test_ctrl_c_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_logged(KeyboardInterrupt(), tmp_path) == (130, None)
    assert capsys.readouterr().err == "prog: interrupted\n"


def test_a_request_to_exit_is_no_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        run_command(raiser(SystemExit(143)), "prog")
    assert caught.value.code == 143


COMMAND = (
    "import sys\n"
    "from vv_core.cli import run_command\n"
    "def body():\n"
    "    for number in range(int(sys.argv[1])): print('line', number)\n"
    "    return 0\n"
    "sys.exit(run_command(body, 'prog'))"
)


def run_into(target: str, lines: int) -> subprocess.CompletedProcess[str]:
    command = f'"$0" -c "$1" {lines} {target}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, sys.executable, COMMAND],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("lines", [1, 100_000])
def test_a_reader_that_goes_away_is_no_error(lines: int) -> None:
    result = run_into("| true", lines)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("lines", [1, 100_000])
def test_output_that_cannot_be_written_is_an_error_with_advice(lines: int) -> None:
    result = run_into("> /dev/full", lines)
    assert result.returncode == 75
    assert result.stderr.startswith("prog: cannot go on: No space left")
    assert result.stderr.count("\n") == 2
