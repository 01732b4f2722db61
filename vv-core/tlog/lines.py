"""A line on its way into the log: built, signed, in its exact bytes; no files here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vv_core.audit.canonical import MalformedError, canonical_bytes, load_strict
from vv_core.audit.keys import KeyStore
from vv_core.audit.signing import SIGNATURE_FIELD, sign_document
from vv_core.clock import parse_utc
from vv_core.tlog.merkle import leaf_hash
from vv_core.tlog.position import LogPosition
from vv_core.tlog.tiles import LogReader, TileError
from vv_core.tlog.wal import PublishedFile

Build = Callable[[LogPosition], Mapping[str, Any]]
"""Makes an unsigned line for its position."""
FilesOf = Callable[[dict[str, Any], bytes], Sequence[PublishedFile]]
"""Tells, from the signed line and its exact bytes, which files to publish, the line itself last."""


@dataclass(frozen=True)
class Appended:
    """A line that is in the log.

    Attributes:
        seq: its index.
        leaf_hash: of its bytes.
        line: its exact bytes.
        document: the same, as a signed document.
        checkpoint: the head that was signed after it.
    """

    seq: int
    leaf_hash: bytes
    line: bytes
    document: dict[str, Any]
    checkpoint: bytes


def sign_line(build: Build, position: LogPosition, keys: KeyStore) -> tuple[dict[str, Any], bytes]:
    """Return the signed line for a position, and its exact bytes.

    Raises:
        MalformedError: it has no canonical form.
    """
    document = {**build(position), "log": position.to_json()}
    signed = sign_document(document, keys.active, keys.active_secret)
    return signed, canonical_bytes(signed)


def key_id_of(line: bytes) -> str | None:
    """Return the id of the key that signed a line, None when it names none."""
    with suppress(MalformedError, KeyError, TypeError):
        key_id = load_strict(line)[SIGNATURE_FIELD]["key_id"]
        return key_id if isinstance(key_id, str) else None
    return None


def logged_at_of(line: bytes) -> datetime | None:
    """Return when a line says that it was written, None when it does not."""
    with suppress(MalformedError, KeyError, TypeError, ValueError):
        return parse_utc(load_strict(line)["logged_at"])
    return None


def is_logged(reader: LogReader, line: bytes) -> bool:
    """Tell whether a line stands in a log where it says that it does.

    Args:
        reader: of the log.
        line: exact bytes, without the newline of its file.

    Raises:
        TileError: the tile that decides cannot be used.
    """
    seq = None
    with suppress(MalformedError, KeyError, TypeError):
        seq = load_strict(line)["log"]["seq"]
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        return False
    try:
        return reader.get_hash(0, seq) == leaf_hash(line)
    except TileError as exc:
        if exc.is_missing:
            return False
        raise
