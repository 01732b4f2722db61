"""Forged proofs, as a table: what was done, and what the verifier says."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN, head_of, key_of, make_line
from tests.tlog_witness.proofs import (
    COUNT,
    HEAD,
    LINES,
    LOG,
    LONG,
    PROOF,
    SEQ,
    WITNESS,
    resigned,
)
from vv_core.audit.verdict import Status
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import leaf_hash, node_hash
from vv_core.tlog.note import Signer, sign_note, split_note
from vv_core.tlog.proof import ClipProof, parse_proof
from vv_core.tlog.proof_verdict import ProofReason, verify_proof


def forged(**changes: Any) -> bytes:
    """Return the proof with parts exchanged, packed as a proof again."""
    return replace(parse_proof(PROOF), **changes).encode()


OTHER_LOG = Signer(ORIGIN, key_of(2))
BAD_NOTE = HEAD.replace(f"\n{COUNT}\n".encode(), f"\n{COUNT + 1}\n".encode())
PLACE = {"origin": ORIGIN, "seq": 0, "previous": None}

BOMB = zlib.compress(b"0" * 50_000_000, 9, wbits=-15)

FORGERIES: dict[str, tuple[Callable[[], bytes], Status, ProofReason]] = {
    "another line": (
        lambda: forged(line=LINES[4]),
        Status.INVALID,
        ProofReason.NOT_INCLUDED,
    ),
    "a line that was edited": (
        lambda: forged(line=LINES[SEQ].replace(b"Duas", b"Tres")),
        Status.INVALID,
        ProofReason.NOT_INCLUDED,
    ),
    "another position": (lambda: forged(index=4), Status.INVALID, ProofReason.NOT_INCLUDED),
    "a hash too many": (
        lambda: forged(hashes=(*parse_proof(PROOF).hashes, b"\0" * 32)),
        Status.INVALID,
        ProofReason.NOT_INCLUDED,
    ),
    "a hash too few": (
        lambda: forged(hashes=parse_proof(PROOF).hashes[:-1]),
        Status.INVALID,
        ProofReason.NOT_INCLUDED,
    ),
    "a head that was edited": (
        lambda: forged(note=BAD_NOTE),
        Status.INVALID,
        ProofReason.WRONG_SIGNATURE,
    ),
    "a head of another key": (
        lambda: forged(note=head_of(LINES, OTHER_LOG)),
        Status.UNVERIFIABLE,
        ProofReason.NO_KEY,
    ),
    "a head that only a witness signed": (
        lambda: forged(note=sign_note(split_note(HEAD)[0], WITNESS, 1)),
        Status.UNVERIFIABLE,
        ProofReason.NO_KEY,
    ),
    "a line that names another place": (
        lambda: resigned(make_line(3)),
        Status.INVALID,
        ProofReason.OTHER_POSITION,
    ),
    "a line of another log": (
        lambda: resigned(make_line(0, "vv-log/other")),
        Status.INVALID,
        ProofReason.OTHER_POSITION,
    ),
    "true is not 1": (
        lambda: ClipProof(
            make_line(0, log={**PLACE, "seq": True}),
            1,
            (leaf_hash(b"x"),),
            sign_note(
                Checkpoint(
                    ORIGIN,
                    2,
                    node_hash(leaf_hash(b"x"), leaf_hash(make_line(0, log={**PLACE, "seq": True}))),
                ).encode(),
                LOG_SIGNER,
            ),
        ).encode(),
        Status.INVALID,
        ProofReason.OTHER_POSITION,
    ),
    "a line without a place": (
        lambda: resigned(b'{"a":1}'),
        Status.INVALID,
        ProofReason.OTHER_POSITION,
    ),
    "a line that is not canonical": (
        lambda: resigned(make_line(0) + b" "),
        Status.INVALID,
        ProofReason.OTHER_POSITION,
    ),
    "a line that is not JSON": (
        lambda: resigned(b"{" * 5000),
        Status.MALFORMED,
        ProofReason.NOT_A_LINE,
    ),
    "an empty file": (lambda: b"", Status.MALFORMED, ProofReason.NOT_A_PROOF),
    "a huge file": (lambda: b"x" * 10_000_000, Status.MALFORMED, ProofReason.NOT_A_PROOF),
    "something after the end": (lambda: PROOF + b"x", Status.MALFORMED, ProofReason.NOT_A_PROOF),
    "another gzip file": (
        lambda: gzip.compress(gzip.decompress(PROOF)),
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "a packed bomb": (
        lambda: b"VVP1" + hashlib.sha256(BOMB).digest()[:16] + BOMB,
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "packed, and something after the end": (
        lambda: b"VVP1" + hashlib.sha256(LONG[20:] + b"x").digest()[:16] + LONG[20:] + b"x",
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "packed, and cut": (
        lambda: b"VVP1" + hashlib.sha256(LONG[20:-9]).digest()[:16] + LONG[20:-9],
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "packed, and no deflate": (
        lambda: b"VVP1" + hashlib.sha256(b"\xff" * 9).digest()[:16] + b"\xff" * 9,
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "a bomb": (lambda: forged(line=b"0" * 50_000_000), Status.MALFORMED, ProofReason.NOT_A_PROOF),
    "an index with a zero in front": (
        lambda: gzip.decompress(PROOF).replace(b"index 5", b"index 05"),
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
    "base64 with other last bits": (
        lambda: gzip.decompress(PROOF).replace(b"=\n", b"=\n ", 1),
        Status.MALFORMED,
        ProofReason.NOT_A_PROOF,
    ),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forgery_is_told(name: str) -> None:
    make, status, reason = FORGERIES[name]
    verdict = verify_proof(make(), [LOG, WITNESS.verifier])
    assert (verdict.status, verdict.reason) == (status, reason)
    assert verdict.document is None
