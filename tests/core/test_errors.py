"""Errors: exit codes, advice, and the translation of what the operating system says."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path

import pytest

from vv_core import errors
from vv_core.errors import ExitCode, InputMissingError, TemporaryError, from_exit_code, from_oserror

CODES = {
    errors.UsageError: os.EX_USAGE,
    errors.InputDataError: os.EX_DATAERR,
    errors.SchemaViolation: os.EX_DATAERR,
    errors.InputMissingError: os.EX_NOINPUT,
    errors.UnavailableError: os.EX_UNAVAILABLE,
    errors.SoftwareError: os.EX_SOFTWARE,
    errors.TemporaryError: os.EX_TEMPFAIL,
    errors.KeyAccessError: os.EX_NOPERM,
    errors.ConfigError: os.EX_CONFIG,
}


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_codes_are_those_of_sysexits(kind: type[errors.VvError]) -> None:
    error = kind("what happened", advice="What to do.")
    assert error.exit_code == CODES[kind]
    assert (str(error), error.message, error.advice) == (
        "what happened",
        "what happened",
        "What to do.",
    )


@pytest.mark.parametrize("kind", CODES, ids=lambda kind: kind.__name__)
def test_an_error_crosses_processes_with_its_advice(kind: type[errors.VvError]) -> None:
    error = pickle.loads(pickle.dumps(kind("what", advice="do")))
    assert type(error) is kind
    assert (error.message, error.advice) == ("what", "do")


def test_advice_cannot_be_forgotten() -> None:
    with pytest.raises(TypeError):
        errors.ConfigError("what happened")  # type: ignore[call-arg]


OS_ERRORS = {
    "missing": (errno.ENOENT, InputMissingError, "still exists"),
    "folder is a file": (errno.ENOTDIR, InputMissingError, "still exists"),
    "disk full": (errno.ENOSPC, TemporaryError, "Free disk space"),
    "quota": (errno.EDQUOT, TemporaryError, "Free disk space"),
    "too large": (errno.EFBIG, TemporaryError, "Free disk space"),
    "no access": (errno.EACCES, TemporaryError, "owner and mode"),
    "not allowed": (errno.EPERM, TemporaryError, "owner and mode"),
    "read-only": (errno.EROFS, TemporaryError, "Mount"),
    "is a folder": (errno.EISDIR, TemporaryError, "move it away"),
    "name is taken": (errno.EEXIST, TemporaryError, "move it away"),
    "disk broken": (errno.EIO, TemporaryError, "dmesg"),
}


@pytest.mark.parametrize("name", OS_ERRORS)
def test_os_errors_become_ours(name: str) -> None:
    number, kind, advice = OS_ERRORS[name]
    error = from_oserror(OSError(number, os.strerror(number), "a b.json"), "read the analytic")
    assert type(error) is kind
    assert error.message == f"cannot read the analytic ('a b.json'): {os.strerror(number)}"
    assert advice in error.advice


@pytest.mark.parametrize(
    ("raw_name", "shown"),
    [
        ("x", " ('x')"),
        (b"x\xff", " ('x\\udcff')"),
        (Path("x"), " ('x')"),
        ("new\nline", " ('new\\nline')"),
        (3, ""),
        (None, ""),
    ],
)
def test_the_file_is_named_whatever_its_type(raw_name: object, shown: str) -> None:
    exc = OSError(errno.EIO, "no luck", raw_name)
    assert from_oserror(exc, "go on").message == f"cannot go on{shown}: no luck"


def test_a_given_path_wins_and_an_error_without_number_is_told() -> None:
    error = from_oserror(OSError("odd"), "go on", Path("mine"))
    assert type(error) is TemporaryError
    assert error.message == "cannot go on ('mine'): odd"


def test_a_full_disk_never_blames_the_input() -> None:
    """An infrastructure failure never sends a good video to ``corrupted/``."""
    for number in errno.errorcode:
        assert from_oserror(OSError(number, "x"), "go on").exit_code != ExitCode.DATAERR


@pytest.mark.parametrize("code", [code for code in ExitCode if code != ExitCode.OK])
def test_an_exit_code_becomes_its_error(code: ExitCode) -> None:
    error = from_exit_code(int(code), "what", advice="do")
    assert (error.exit_code, error.message, error.advice) == (code, "what", "do")


@pytest.mark.parametrize("code", [0, 1, 2, 137, 255])
def test_a_foreign_exit_code_is_a_fault_of_ours(code: int) -> None:
    assert type(from_exit_code(code, "what", advice="do")) is errors.SoftwareError
