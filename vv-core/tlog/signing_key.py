"""The Ed25519 key that signs heads: a PEM file (PKCS 8, not encrypted) for its owner's eyes only."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from vv_core.atomic import move_no_replace, temp_name
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import open_regular
from vv_core.errors import ConfigError, KeyAccessError, from_oserror

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_KEY_BYTES = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key, if it is safe where it lies.

    Raises:
        KeyAccessError: it is missing, reached through a link, readable by others, owned by somebody
            else, in a folder that others may change, or not an Ed25519 key.
        ConfigError: `cryptography` is not installed.
    """
    data = _read_safely(path)
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise _no_cryptography() from None
    try:
        key = load_pem_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _broken(path) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _broken(path)
    return key


def create_signing_key(path: Path) -> Ed25519PrivateKey:
    """Create a signing key where there is none, and return it as read back.

    The file appears whole, with mode 600, in a folder that is created with mode 700 if it is missing.

    Raises:
        KeyAccessError: something is there already, which is never overwritten; or what was written
            cannot be read back safely.
        ConfigError: `cryptography` is not installed.
        VvError: the file system refuses.
    """
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )
    except ImportError:
        raise _no_cryptography() from None
    if os.path.lexists(path):
        raise _exists(path)
    key = Ed25519PrivateKey.generate()
    data = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, data)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as exc:
        raise from_oserror(exc, "create the signing key", path) from exc
    return load_signing_key(path)


def _write_new(path: Path, data: bytes) -> None:
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


def _read_safely(path: Path) -> bytes:
    try:
        _check_folder(path)
        descriptor, status = open_regular(path)
        with os.fdopen(descriptor, "rb") as stream:
            _check_access(path, status)
            data = stream.read(MAX_KEY_BYTES + 1)
    except MalformedError:
        raise KeyAccessError(
            f"the signing key {str(path)!r} is not a regular file",
            advice="Give the path of the file itself.",
        ) from None
    except FileNotFoundError:
        raise KeyAccessError(
            f"there is no signing key {str(path)!r}",
            advice="Run bootstrap.py, which creates one, or set VV_LOG_KEY_FILE to the one you have.",
        ) from None
    except OSError as exc:
        raise KeyAccessError(
            f"the signing key {str(path)!r} cannot be read: {exc.strerror}",
            advice="Give the user that runs this the ownership of the file, with mode 600.",
        ) from exc
    if len(data) > MAX_KEY_BYTES:
        raise _broken(path)
    return data


def _check_folder(path: Path) -> None:
    """Refuse a folder in which others may replace the file; in a sticky one (/tmp) they may not."""
    mode = path.parent.stat().st_mode
    if mode & _OTHERS_WRITE and not mode & stat.S_ISVTX:
        raise KeyAccessError(
            f"others may replace the signing key {str(path)!r}: its folder has mode {mode & 0o7777:o}",
            advice=f"Run: chmod go-w {str(path.parent)!r}",
        )


def _check_access(path: Path, status: os.stat_result) -> None:
    if status.st_mode & _OTHERS:
        raise KeyAccessError(
            f"others have access to the signing key {str(path)!r}: "
            f"it has mode {stat.S_IMODE(status.st_mode):o}",
            advice=f"Run: chmod 600 {str(path)!r}. If others may have read it, begin a new log.",
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise KeyAccessError(
            f"the signing key {str(path)!r} belongs to user {status.st_uid}",
            advice=f"Run: chown {os.geteuid()} {str(path)!r}",
        )


def _no_cryptography() -> ConfigError:
    return ConfigError(
        "heads cannot be signed: the package cryptography is not installed",
        advice="Run bootstrap.py again, or: pip install cryptography",
    )


def _broken(path: Path) -> KeyAccessError:
    return KeyAccessError(
        f"the signing key {str(path)!r} is not an Ed25519 key in PEM",
        advice="Restore it from a backup; do not edit it by hand.",
    )


def _exists(path: Path) -> KeyAccessError:
    return KeyAccessError(
        f"{str(path)!r} exists, and a signing key is never overwritten",
        advice="Keep it: the log and its witnesses know the box by it.",
    )
