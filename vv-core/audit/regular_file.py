"""Reading files that an attacker may have placed: no links, no pipes, no devices, no endless ones."""

from __future__ import annotations

import os
import stat

from vv_core.audit.canonical import MalformedError
from vv_core.audit.verdict import Reason, Status, Verdict

_OPEN_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_regular_file(path: str | os.PathLike[str], max_bytes: int) -> bytes:
    """Return the content of a regular file that is not reached through a link.

    Only the last part of the path is looked at; the folders above it are the caller's.

    Raises:
        MalformedError: a link, not a regular file, or larger than ``max_bytes``.
        OSError: it cannot be opened or read.
    """
    descriptor, status = open_regular(path)
    try:
        if status.st_size > max_bytes:
            raise MalformedError(Reason.TOO_LARGE, f"{status.st_size} bytes")
        return _read_up_to(descriptor, max_bytes + 1)
    finally:
        os.close(descriptor)


def read_for_audit(path: str | os.PathLike[str], max_bytes: int) -> bytes | Verdict:
    """Return the content of a file as `read_regular_file` does, or the verdict on one that cannot be had."""
    try:
        return read_regular_file(path, max_bytes)
    except MalformedError as exc:
        return Verdict(Status.MALFORMED, exc.reason, exc.detail)
    except OSError as exc:
        return not_read(exc)


def not_read(exc: OSError) -> Verdict:
    """Return the verdict on what the operating system does not give."""
    if isinstance(exc, FileNotFoundError):
        return Verdict(Status.NOT_READ, Reason.NOT_FOUND)
    return Verdict(Status.NOT_READ, Reason.UNREADABLE, exc.strerror or "")


def _read_up_to(descriptor: int, max_bytes: int) -> bytes:
    data = os.read(descriptor, max_bytes)
    chunk = data
    # A regular file gives all at once, but does not promise to.
    while chunk and len(data) < max_bytes:
        chunk = os.read(descriptor, max_bytes - len(data))
        data += chunk
    return data


def open_regular(path: str | os.PathLike[str]) -> tuple[int, os.stat_result]:
    """Open a regular file and return its descriptor and status.

    It is looked at before, since opening a device may do something, and after, since the name may
    have got another file in between.

    Raises:
        MalformedError: a link or not a regular file.
        OSError: it cannot be opened.
    """
    _refuse_special(os.lstat(path).st_mode)
    descriptor = os.open(path, _OPEN_FLAGS)
    status = os.fstat(descriptor)
    try:
        _refuse_special(status.st_mode)
    except MalformedError:
        os.close(descriptor)
        raise
    return descriptor, status


def _refuse_special(mode: int) -> None:
    if stat.S_ISLNK(mode):
        raise MalformedError(Reason.SYMBOLIC_LINK)
    if not stat.S_ISREG(mode):
        raise MalformedError(Reason.NOT_A_REGULAR_FILE)
