"""Proofs to start tests from: a common one, and one so long that it is packed."""

from __future__ import annotations

import hashlib
import json

from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN, Tree, head_of, key_of, make_line
from vv_core.audit.canonical import canonical_bytes
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import leaf_hash
from vv_core.tlog.note import SignatureKind, Signer, add_signature_line, sign_note, split_note
from vv_core.tlog.proof import ClipProof, make_proof

COUNT = 9
SEQ = 5
LINES = [make_line(seq) for seq in range(COUNT)]
TREE = Tree.of(LINES)
HEAD = head_of(LINES)
LOG = LOG_SIGNER.verifier
WITNESS = Signer("vv-witness/sala-2", key_of(7), SignatureKind.COSIGNATURE_V1)
COSIGNED = add_signature_line(HEAD, WITNESS.sign(split_note(HEAD)[0], 1_790_000_000))
PROOF = make_proof(TREE, LINES[SEQ], SEQ, COSIGNED)
CLIP_SHA256 = "a1" * 32


def random_line(seq: int, more: str = "") -> bytes:
    """Return a line whose hashes are as random as real ones: the example's pack too well."""
    names = ("analytic", "detector", "rules", "summary", "video", "model", "prompt")
    line = json.loads(make_line(seq))
    for name in names:
        line["evidence"][f"{name}_sha256"] = hashlib.sha256(name.encode()).hexdigest()
    line["media"]["picture_sha256"] = hashlib.sha256(b"picture").hexdigest()
    line["log"]["previous"] = hashlib.sha256(b"previous").hexdigest()
    line["this"] += more
    return canonical_bytes(line)


LONG_LINE = random_line(0, "".join(hashlib.sha256(bytes([each])).hexdigest() for each in range(30)))
LONG = ClipProof(
    LONG_LINE,
    0,
    (),
    sign_note(Checkpoint(ORIGIN, 1, leaf_hash(LONG_LINE)).encode(), LOG_SIGNER),
).encode()


def resigned(line: bytes, index: int = 0, size: int = 1) -> bytes:
    """Return a proof for a log of this one line, signed by the log's key."""
    return ClipProof(
        line, index, (), sign_note(Checkpoint(ORIGIN, size, leaf_hash(line)).encode(), LOG_SIGNER)
    ).encode()
