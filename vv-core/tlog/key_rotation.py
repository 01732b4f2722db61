"""Keys that evolve one way: ``K[i+1] = HMAC-SHA256(K[i], label)``, and the old key is erased.

Who steals the key of today cannot sign what would have been signed yesterday; who was given the first key
of a chain, when it was made, can derive all later ones. Key ids are ``<chain>.<number>``. A key whose id has
no number (``vv.hmac-keys/1``) does not evolve: a new chain follows it, and it stays, only to verify.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.audit.key_chain import MAX_STEPS, evolve, split_key_id
from vv_core.audit.keys import KeyStore, encode_key_store, new_key, read_key_store
from vv_core.errors import from_oserror


def is_rotation_due(store: KeyStore, now: datetime) -> bool:
    """Tell whether the signing key is of an earlier day (UTC); the key of a trial never evolves."""
    created = store.created.get(store.active)
    return created is not None and created.astimezone(UTC).date() < now.astimezone(UTC).date()


def evolve_store(store: KeyStore, now: datetime) -> KeyStore:
    """Return the store with the next key of the chain in place of the one that signs."""
    split = split_key_id(store.active)
    if split is None:
        return replace_key(store, now)
    chain, number = split
    key_id = f"{chain}.{number + 1}"
    keys = {**store.keys, key_id: evolve(store.active_secret)}
    created = {**store.created, key_id: now}
    del keys[store.active], created[store.active]
    return KeyStore(key_id, keys, created)


def catch_up(
    store: KeyStore, last_key: str | None, last_time: datetime | None, now: datetime
) -> KeyStore:
    """Return a store whose key may sign after the last line; the same one nearly always.

    A store from an older backup holds a key that was retired. Of the same chain it is evolved again; of
    another one a new chain follows it.

    Args:
        store: as it is.
        last_key: id of the key of the last line.
        last_time: when that line was written.
        now: aware time.
    """
    active, last = split_key_id(store.active), split_key_id(last_key or "")
    if active and last and active[0] == last[0]:
        for _ in range(min(last[1] - active[1], MAX_STEPS)):
            store = evolve_store(store, now)
        return store
    created = store.created.get(store.active)
    is_same = last_key is None or last_key == store.active
    if is_same or created is None or last_time is None or created >= last_time:
        return store
    return replace_key(store, now)


def replace_key(store: KeyStore, now: datetime, *, drop: bool = False) -> KeyStore:
    """Return the store with the first key of a new chain as the one that signs.

    Args:
        store: as it is.
        now: aware time.
        drop: leave out the keys of the chain that signed so far.
    """
    key_id, secret = new_key(now)
    split = split_key_id(store.active)
    keys = {
        name: value
        for name, value in store.keys.items()
        if not (drop and split and (split_key_id(name) or ("", 0))[0] == split[0])
    }
    created = {name: store.created[name] for name in keys}
    return KeyStore(key_id, {**keys, key_id: secret}, {**created, key_id: now})


def write_store(path: Path, store: KeyStore) -> KeyStore:
    """Replace a key store, whole and durable, and return what can be read back.

    Raises:
        KeyAccessError: what was written cannot be read back safely.
        VvError: the file system refuses.
    """
    try:
        write_bytes_atomic(path, encode_key_store(store), 0o600)
    except OSError as exc:
        raise from_oserror(exc, "write the key store", path) from exc
    return read_key_store(path)


def can_write_store(path: Path) -> bool:
    """Tell whether the key store can be replaced; secrets that are mounted read-only cannot."""
    return os.access(path.parent, os.W_OK)


def export_key(store: KeyStore) -> bytes:
    """Return the signing key as a key store of its own, for an auditor who is to derive the later ones."""
    key_id = store.active
    alone = KeyStore(key_id, {key_id: store.active_secret}, {key_id: store.created[key_id]})
    return encode_key_store(alone)
