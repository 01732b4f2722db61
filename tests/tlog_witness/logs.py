"""Small logs to start tests from: real tiles and heads, written in one go without the log's writer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vv_core.audit.canonical import canonical_bytes
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import EMPTY_ROOT, leaf_hash, node_hash, root_hash
from vv_core.tlog.note import Signer, format_vkey, sign_note
from vv_core.tlog.own_log import OwnLog, open_own_log
from vv_core.tlog.tile_files import WIDTH, bundle_path, encode_bundle, tile_path
from vv_schemas import example_path

ORIGIN = "vv-log/test-box-1234abcd"


def key_of(number: int) -> Ed25519PrivateKey:
    """Return one of many keys, the same each time."""
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


LOG_SIGNER = Signer(ORIGIN, key_of(1))


def make_line(seq: int, origin: str = ORIGIN, **changes: Any) -> bytes:
    """Return an entry of a log: the example LogLine with its place, as exact bytes."""
    document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
    document["schema"] = "vv.logline/2"
    previous = f"{seq:064x}" if seq else None
    document["log"] = {"origin": origin, "seq": seq, "previous": previous}
    return canonical_bytes({**document, **changes})


def plain_entries(count: int, fork_at: int | None = None) -> list[bytes]:
    """Return short entries; from ``fork_at`` on they are those of another history."""
    return [
        f"{'b' if fork_at is not None and number >= fork_at else 'a'}{number}".encode()
        for number in range(count)
    ]


def head_of(entries: Sequence[bytes], signer: Signer = LOG_SIGNER) -> bytes:
    """Return the signed head of a log with these entries."""
    root = root_hash(leaf_hash(each) for each in entries) if entries else EMPTY_ROOT
    return sign_note(Checkpoint(signer.name, len(entries), root).encode(), signer)


def write_log(folder: Path, entries: Sequence[bytes], signer: Signer = LOG_SIGNER) -> OwnLog:
    """Write the tiles, bundles, head and key of a log, and open it."""
    for start in range(0, len(entries), WIDTH):
        part = entries[start : start + WIDTH]
        _write(folder / bundle_path(start // WIDTH, len(part)), encode_bundle(part))
    hashes = [leaf_hash(each) for each in entries]
    level = 0
    while hashes:
        for start in range(0, len(hashes), WIDTH):
            tile = hashes[start : start + WIDTH]
            _write(folder / tile_path(level, start // WIDTH, len(tile)), b"".join(tile))
        hashes = [
            _fold(hashes[start : start + WIDTH])
            for start in range(0, len(hashes) - WIDTH + 1, WIDTH)
        ]
        level += 1
    _write(folder / "checkpoint", head_of(entries, signer))
    _write(folder / "vkey", f"{format_vkey(signer.verifier)}\n".encode())
    return open_own_log(folder)


def _fold(row: list[bytes]) -> bytes:
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


@dataclass
class Tree:
    """The hashes of a log in memory."""

    leaves: list[bytes]

    @classmethod
    def of(cls, entries: Sequence[bytes]) -> Tree:
        """Return the tree over some entries."""
        return cls([leaf_hash(each) for each in entries])

    def get_hash(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree."""
        return root_hash(self.leaves[index << level : (index + 1) << level])
