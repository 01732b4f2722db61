"""The Ed25519 key that signs heads: a PEM file (PKCS 8, not encrypted) for its owner's eyes only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from vv_core.audit.secret_file import SecretKind, read_secret, write_new_secret
from vv_core.errors import ConfigError, KeyAccessError, from_oserror

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_KEY_BYTES = 4096
_KIND = SecretKind(
    "signing key",
    if_missing="Run bootstrap.py, which creates one, or set VV_LOG_KEY_FILE to the one you have.",
    if_exposed="begin a new log",
    max_bytes=MAX_KEY_BYTES,
)


def load_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a signing key, if it is safe where it lies.

    Raises:
        KeyAccessError: it is missing, reached through a link, readable by others, owned by somebody
            else, in a folder that others may change, or not an Ed25519 key.
        ConfigError: `cryptography` is not installed.
    """
    data = read_secret(path, _KIND)
    if len(data) > MAX_KEY_BYTES:
        raise _broken(path)
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
        write_new_secret(path, data)
    except FileExistsError:
        raise _exists(path) from None
    except OSError as exc:
        raise from_oserror(exc, "create the signing key", path) from exc
    return load_signing_key(path)


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
