"""Errors that carry their exit code and the advice for the person who meets them.

The codes follow BSD ``sysexits.h``; what the orchestrator does with each is in ``docs/errors.md``.
"""

from __future__ import annotations

import errno
import os
from enum import IntEnum
from pathlib import Path
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command of this product may end (``sysexits.h``)."""

    OK = 0
    USAGE = 64
    DATAERR = 65
    NOINPUT = 66
    UNAVAILABLE = 69
    SOFTWARE = 70
    TEMPFAIL = 75
    NOPERM = 77
    CONFIG = 78


class VvError(Exception):
    """Base of all errors that a person may see.

    Args:
        message: what happened, and to which file.
        advice: what to do next, as a full sentence.
    """

    exit_code: ClassVar[ExitCode] = ExitCode.SOFTWARE

    def __init__(self, message: str, *, advice: str) -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __reduce__(self) -> tuple[object, ...]:
        """Keep the keyword-only advice when the error crosses a process."""
        return (_rebuild, (type(self), self.message, self.advice))


def _rebuild(kind: type[VvError], message: str, advice: str) -> VvError:
    return kind(message, advice=advice)


class UsageError(VvError):
    """The command line is wrong."""

    exit_code = ExitCode.USAGE


class InputDataError(VvError):
    """This input is bad, and will be bad tomorrow."""

    exit_code = ExitCode.DATAERR


class SchemaViolation(InputDataError):
    """A document does not follow its JSON Schema."""


class InputMissingError(VvError):
    """The input is not there (any more)."""

    exit_code = ExitCode.NOINPUT


class UnavailableError(VvError):
    """Something this depends on does not answer: a model, an engine, a service."""

    exit_code = ExitCode.UNAVAILABLE


class SoftwareError(VvError):
    """A fault of ours."""

    exit_code = ExitCode.SOFTWARE


class TemporaryError(VvError):
    """It failed now and may work later: full disk, busy file."""

    exit_code = ExitCode.TEMPFAIL


class KeyAccessError(VvError):
    """A signing key is missing, unsafe, or does not fit a signature."""

    exit_code = ExitCode.NOPERM


class ConfigError(VvError):
    """The set-up is wrong."""

    exit_code = ExitCode.CONFIG


_KINDS = {
    kind.exit_code: kind
    for kind in (
        UsageError,
        InputDataError,
        InputMissingError,
        UnavailableError,
        SoftwareError,
        TemporaryError,
        KeyAccessError,
        ConfigError,
    )
}


def from_exit_code(code: int, message: str, *, advice: str) -> VvError:
    """Return the error that a command of ours ended with; a signal or foreign code is a fault of ours."""
    kind = _KINDS[ExitCode(code)] if code in _KINDS else SoftwareError
    return kind(message, advice=advice)


_MISSING = {errno.ENOENT, errno.ENOTDIR}
_FREE_SPACE = "Free disk space (make status shows use); it is tried again by itself."
_GIVE_ACCESS = "Give the user that runs this access (owner and mode of the file)."
_MOVE_AWAY = "Something else has that name: move it away."
_ADVICE = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.EACCES: _GIVE_ACCESS,
    errno.EPERM: _GIVE_ACCESS,
    errno.EROFS: "Mount the volume for writing.",
    errno.EEXIST: _MOVE_AWAY,
    errno.EISDIR: "A folder has that name: move it away, or name a file.",
}
_ADVICE_OTHERWISE = "Check the disk (dmesg); it is tried again by itself."


def from_oserror(exc: OSError, doing: str, path: Path | None = None) -> VvError:
    """Translate an operating-system error into one of ours.

    Args:
        exc: what was raised.
        doing: what was being done, as in "write the analytic".
        path: the file concerned; taken from ``exc`` when absent.

    Returns:
        The error to raise, with ``exc`` to be chained by ``from``: what is missing is an
        `InputMissingError`, everything else may work later.
    """
    raw_name = exc.filename if path is None else path
    name = os.fsdecode(raw_name) if isinstance(raw_name, str | bytes | os.PathLike) else ""
    message = f"cannot {doing}{f' ({name!r})' if name else ''}: {exc.strerror or exc}"
    if exc.errno in _MISSING:
        return InputMissingError(message, advice="Check that the file or folder still exists.")
    return TemporaryError(message, advice=_ADVICE.get(exc.errno or 0, _ADVICE_OTHERWISE))
