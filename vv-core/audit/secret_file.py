"""Files for their owner's eyes only: keys are written and read here, and nowhere else."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import move_no_replace, temp_name
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import open_regular
from vv_core.audit.verdict import Reason
from vv_core.errors import KeyAccessError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class SecretKind:
    """What to say about a secret file that cannot be used.

    Attributes:
        name: what it is called in messages.
        if_missing: advice when it is not there.
        if_exposed: what to do when others may have read it, after closing it to them.
        max_bytes: longest content that makes sense.
    """

    name: str
    if_missing: str
    if_exposed: str
    max_bytes: int


def write_new_secret(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, whole, and only where there is none.

    Raises:
        FileExistsError: something is there.
        OSError: from the file system.
    """
    temporary = path.parent / temp_name()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            os.fchmod(descriptor, 0o600)
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        move_no_replace(temporary, path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def read_secret(path: Path, kind: SecretKind) -> bytes:
    """Return the content of a secret file, if it is safe where it lies.

    Returns:
        One byte more than ``kind.max_bytes`` at most, so that a file that is too large can be told.

    Raises:
        KeyAccessError: it is missing, reached through a link, readable or writable by others, owned
            by somebody else, or in a folder that others may change.
    """
    try:
        _check_folder(path, kind)
        descriptor, status = open_regular(path)
        with os.fdopen(descriptor, "rb") as stream:
            _check_access(path, status, kind)
            return stream.read(kind.max_bytes + 1)
    except MalformedError as exc:
        is_link = exc.reason is Reason.SYMBOLIC_LINK
        raise KeyAccessError(
            f"the {kind.name} {str(path)!r} is {'a symbolic link' if is_link else 'not a regular file'}",
            advice="Give the path of the file itself.",
        ) from None
    except FileNotFoundError:
        raise KeyAccessError(
            f"there is no {kind.name} {str(path)!r}", advice=kind.if_missing
        ) from None
    except OSError as exc:
        raise KeyAccessError(
            f"the {kind.name} {str(path)!r} cannot be read: {exc.strerror}",
            advice="Give the user that runs this the ownership of the file, with mode 600.",
        ) from exc


def _check_folder(path: Path, kind: SecretKind) -> None:
    """Refuse a folder in which others may replace the file; in a sticky one (/tmp) they may not."""
    mode = path.parent.stat().st_mode
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise KeyAccessError(
            f"others may replace the {kind.name} {str(path)!r}: its folder has mode {mode & 0o7777:o}",
            advice=f"Run: chmod go-w {str(path.parent)!r}",
        )


def _check_access(path: Path, status: os.stat_result, kind: SecretKind) -> None:
    if status.st_mode & _OTHERS:
        raise KeyAccessError(
            f"others have access to the {kind.name} {str(path)!r}: "
            f"it has mode {stat.S_IMODE(status.st_mode):o}",
            advice=f"Run: chmod 600 {str(path)!r}. If others may have read it, {kind.if_exposed}.",
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise KeyAccessError(
            f"the {kind.name} {str(path)!r} belongs to user {status.st_uid}",
            advice=f"Run: chown {os.geteuid()} {str(path)!r}",
        )
