"""The key store: one JSON file with the HMAC keys of this box, for its owner's eyes only.

::

    {"schema": "vv.hmac-keys/2", "active": "<key id>",
     "keys": {"<key id>": {"secret": "<base64 of 32 bytes or more>", "created": "2026-11-21T02:03:04Z"}}}

``active`` names the key that signs; the others still verify. Keys evolve (`vv_core.tlog.key_rotation`): of
a chain only the newest is here, as ``<chain>.<number>``. A store of the form ``vv.hmac-keys/1`` is the same without
such keys. No message of this module holds a secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.secret_file import SecretKind, read_secret, write_new_secret
from vv_core.audit.signing import is_key_id
from vv_core.clock import Clock, SystemClock, format_utc, parse_utc
from vv_core.errors import KeyAccessError, from_oserror
from vv_core.logs import get_logger

if TYPE_CHECKING:
    from vv_core.settings import Settings

SCHEMA = "vv.hmac-keys/2"
READABLE_SCHEMAS = ("vv.hmac-keys/1", SCHEMA)
SECRET_BYTES = 32
MAX_STORE_BYTES = 1024 * 1024
_MIN_DISTINCT_BYTES = 8
_KIND = SecretKind(
    "key store",
    if_missing="Run bootstrap.py, which creates a key store, or set VV_HMAC_KEYS_FILE to the one you have.",
    if_exposed="make a new key",
    max_bytes=MAX_STORE_BYTES,
)
_ADVICE_BROKEN = "Restore the key store from a backup; do not edit it by hand."


@dataclass(frozen=True)
class KeyStore:
    """Keys of a box.

    Attributes:
        active: id of the key that signs; always one of ``keys``.
        keys: secrets by key id; kept out of `repr`.
        created: when each key was made; empty for the key of a trial.
    """

    active: str
    keys: dict[str, bytes] = field(repr=False)
    created: dict[str, datetime] = field(default_factory=dict, repr=False)

    @property
    def active_secret(self) -> bytes:
        """The secret of the key that signs."""
        return self.keys[self.active]


def load_keys(settings: Settings) -> KeyStore:
    """Return the keys that the settings name: the key store, or the key of a trial.

    Raises:
        KeyAccessError: the key store is missing, unsafe or broken; the trial key is weak.
    """
    if settings.hmac_key is None:
        return read_key_store(settings.key_store_path)
    get_logger("audit").warning(
        "VV_HMAC_KEY signs with a key from the environment, which other programs can read; "
        "use it for a trial only, and a key store (VV_HMAC_KEYS_FILE) on a box"
    )
    secret = settings.hmac_key.get_secret_value().encode("utf-8", "surrogateescape")
    if _is_weak(secret):
        raise KeyAccessError(
            "the key in VV_HMAC_KEY is too short or too simple",
            advice=f"Use {SECRET_BYTES} random bytes or more: openssl rand -hex {SECRET_BYTES}.",
        )
    key_id = f"trial-{hashlib.sha256(b'vv.hmac-key-id/1' + secret).hexdigest()[:16]}"
    return KeyStore(key_id, {key_id: secret})


def signing_key(settings: Settings) -> tuple[str, bytes]:
    """Return the id and the secret of the key that signs.

    Raises:
        KeyAccessError: as from `load_keys`.
    """
    store = load_keys(settings)
    return store.active, store.active_secret


def read_key_store(path: Path) -> KeyStore:
    """Read a key store, if it is safe where it lies.

    Raises:
        KeyAccessError: it is missing, reached through a link, readable or writable by others, owned
            by somebody else, in a folder that others may change, or not a key store.
    """
    return parse_key_store(read_secret(path, _KIND), str(path))


def parse_key_store(data: bytes, name: str) -> KeyStore:
    """Return the keys in the content of a key store.

    Args:
        data: the file's content.
        name: what to call the file in messages.

    Raises:
        KeyAccessError: it is not a key store, or one of its keys is weak.
    """
    try:
        document = load_strict(data, max_bytes=MAX_STORE_BYTES)
    except MalformedError as exc:
        raise _broken(name, exc.message) from None
    if not isinstance(document, dict) or document.keys() != {"schema", "active", "keys"}:
        raise _broken(name, "it needs schema, active and keys, and nothing else")
    if document["schema"] not in READABLE_SCHEMAS:
        raise _broken(name, f"its schema is not {SCHEMA}")
    raw_keys = document["keys"]
    if not isinstance(raw_keys, dict):
        raise _broken(name, "keys is not an object")
    keys = {key_id: _parse_key(key_id, raw, name) for key_id, raw in raw_keys.items()}
    created = {key_id: parse_utc(raw["created"]) for key_id, raw in raw_keys.items()}
    active = document["active"]
    if not isinstance(active, str) or active not in keys:
        raise _broken(name, "the active key is not among its keys")
    return KeyStore(active, keys, created)


def create_key_store(path: Path, clock: Clock | None = None) -> str:
    """Create a key store with one strong key and return the key's id.

    The file appears whole, with mode 600, in a folder that is created with mode 700 if it is missing.

    Args:
        path: the file to create.
        clock: where the creation time comes from.

    Raises:
        KeyAccessError: something is there already, which is never overwritten; or what was written
            cannot be read back safely.
        VvError: the file system refuses.
    """
    if os.path.lexists(path):
        raise _exists(path)
    moment = (clock or SystemClock()).now()
    key_id, secret = new_key(moment)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise from_oserror(exc, "create the folder of the key store", path.parent) from exc
    try:
        write_new_secret(
            path, encode_key_store(KeyStore(key_id, {key_id: secret}, {key_id: moment}))
        )
    except FileExistsError:
        raise _exists(path) from None
    except OSError as exc:
        raise from_oserror(exc, "create the key store", path) from exc
    return read_key_store(path).active


def new_key(moment: datetime) -> tuple[str, bytes]:
    """Return the id and the secret of a fresh key, the first of its chain."""
    return f"k{moment:%Y%m%d}-{secrets.token_hex(4)}.0", secrets.token_bytes(SECRET_BYTES)


def encode_key_store(store: KeyStore) -> bytes:
    """Return the content of the file of a key store."""
    keys = {
        key_id: {
            "secret": base64.b64encode(secret).decode("ascii"),
            "created": format_utc(store.created[key_id]),
        }
        for key_id, secret in store.keys.items()
    }
    document = {"schema": SCHEMA, "active": store.active, "keys": keys}
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def _parse_key(key_id: str, raw: Any, name: str) -> bytes:
    if not is_key_id(key_id):
        raise _broken(name, "a key id is not of the form [A-Za-z0-9._-]{1,64}")
    if not isinstance(raw, dict) or raw.keys() != {"secret", "created"}:
        raise _broken(name, f"key {key_id} needs secret and created, and nothing else")
    secret, created = raw["secret"], raw["created"]
    if not isinstance(secret, str) or not isinstance(created, str):
        raise _broken(name, f"secret and created of key {key_id} are not both text")
    try:
        parse_utc(created)
    except ValueError:
        raise _broken(name, f"created of key {key_id} is not a UTC time") from None
    try:
        value = base64.b64decode(secret.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise _broken(name, f"the secret of key {key_id} is not base64") from None
    if _is_weak(value):
        raise KeyAccessError(
            f"key {key_id} in the key store {name!r} is too short or too simple",
            advice="Move the file away and run bootstrap.py, which creates a strong key.",
        )
    return value


def _is_weak(secret: bytes) -> bool:
    """Tell whether a secret cannot be random: too few bytes, or too few different ones."""
    return len(secret) < SECRET_BYTES or len(set(secret)) < _MIN_DISTINCT_BYTES


def _broken(name: str, why: str) -> KeyAccessError:
    return KeyAccessError(f"the key store {name!r} cannot be used: {why}", advice=_ADVICE_BROKEN)


def _exists(path: Path) -> KeyAccessError:
    return KeyAccessError(
        f"{str(path)!r} exists, and a key store is never overwritten",
        advice="Keep it. To begin with a new key, move it away first: old LogLines need it.",
    )
