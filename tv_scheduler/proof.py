"""Whether a LogLine is one that this box signed, told without a secret.

The key that signs LogLines would let whoever holds it forge them, so it is the writer's alone. But every LogLine is
a leaf of the provable log, whose head is signed with a key that anybody may check: a line whose bytes are at the
place that it names, below a head that the log's key has signed, is what was written.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from vv_core.audit.canonical import load_canonical
from vv_core.audit.log_position import position_of
from vv_core.tlog.merkle import inclusion_proof, leaf_hash, verify_inclusion
from vv_core.tlog.own_log import OwnLog

_NODES = 4096


class LogProver:
    """Proves LogLines by one head of a log; what neighbours have in common is read once."""

    def __init__(self, log: OwnLog) -> None:
        """Take the log with the head, which `open_own_log` has verified."""
        self._head = log.head
        self._get_hash = lru_cache(_NODES)(log.reader.get_hash)

    def prove(self, data: bytes) -> dict[str, Any] | None:
        """Return the LogLine in a file if the log's signed head commits to its very bytes, else None.

        Args:
            data: content of the file: the line and its newline.

        Raises:
            TileError: a hash of the log cannot be read; that says nothing about the line.
        """
        document = load_canonical(data[:-1]) if data.endswith(b"\n") else None
        position = position_of(document)
        if position is None or position["origin"] != self._head.origin:
            return None
        seq, size = position["seq"], self._head.size
        if not 0 <= seq < size:
            return None
        proof = inclusion_proof(seq, size, self._get_hash)
        if not verify_inclusion(leaf_hash(data[:-1]), seq, size, proof, self._head.root):
            return None
        assert isinstance(document, dict)
        return document
