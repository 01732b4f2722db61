"""What a proof of an exported clip costs: its size by the size of the log, and the time to verify it.

    python bench/clip_proof.py

The line is the example LogLine, with hashes as random as real ones, at its place in the log; the head carries
the log's signature and one witness's. Verifying is measured within a process, with the import of
`cryptography` apart.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from measure import machine_line, measure, median

from vv_core.audit.canonical import canonical_bytes
from vv_core.audit.verdict import Status
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import leaf_hash, node_hash
from vv_core.tlog.note import (
    SignatureKind,
    Signer,
    Verifier,
    add_signature_line,
    sign_note,
)
from vv_core.tlog.proof import make_proof
from vv_core.tlog.proof_verdict import verify_proof
from vv_schemas import example_path

SIZES = (1, 1_000, 1_000_000)
RUNS = 1000
STARTS = 9
IMPORTS = "import vv_core.tlog.proof_verdict"
KEYS = f"{IMPORTS}; import cryptography.hazmat.primitives.asymmetric.ed25519"


class Levels:
    """All hashes of a tree, level by level."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.rows = [leaves]
        while len(self.rows[-1]) > 1:
            row = self.rows[-1]
            self.rows.append([node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])

    def get_hash(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree."""
        return self.rows[level][index]

    def root(self) -> bytes:
        """Return the root."""
        size, parts, start = len(self.rows[0]), [], 0
        while start < size:
            level = (size - start).bit_length() - 1
            parts.append(self.rows[level][start >> level])
            start += 1 << level
        root = parts.pop()
        while parts:
            root = node_hash(parts.pop(), root)
        return root


def main() -> None:
    """Print the tables."""
    print(machine_line("cryptography"), end="\n\n")
    print("| lines in the log | LogLine bytes | proof bytes | verify ms |\n|---|---|---|---|")
    for size in SIZES:
        line, data, verifiers = _proof_in(size)
        took = statistics.median(_verify_ms(data, verifiers) for _ in range(RUNS))
        print(f"| {size:,} | {len(line)} | {len(data)} | {took:.3f} |")
    print("\n| start of a process | wall s |\n|---|---|")
    for name, code in {
        "Python": "pass",
        "and our verifier": IMPORTS,
        "and cryptography": KEYS,
    }.items():
        usage = median([measure([sys.executable, "-c", code]) for _ in range(STARTS)])
        print(f"| {name} | {usage.wall_s:.3f} |")


def _proof_in(size: int) -> tuple[bytes, bytes, list[Verifier]]:
    """Return a line, its proof in a log of this size, and the keys that verify it."""
    log = Signer("vv-log/vv-01-0a1b2c3d", Ed25519PrivateKey.generate())
    witness = Signer(
        "vv-witness/sala-2", Ed25519PrivateKey.generate(), SignatureKind.COSIGNATURE_V1
    )
    seq = size * 2 // 3
    line = _line_at(log.name, seq)
    leaves = [leaf_hash(b"%d" % number) for number in range(size)]
    leaves[seq] = leaf_hash(line)
    tree = Levels(leaves)
    text = Checkpoint(log.name, size, tree.root()).encode()
    note = add_signature_line(sign_note(text, log), witness.sign(text, int(time.time())))
    return line, make_proof(tree, line, seq, note), [log.verifier, witness.verifier]


def _line_at(origin: str, seq: int) -> bytes:
    document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
    document["schema"] = "vv.logline/2"
    # The example's hashes are made-up digits, which would pack too well.
    for name in ("analytic", "detector", "rules", "summary", "video", "model", "prompt"):
        document["evidence"][f"{name}_sha256"] = leaf_hash(name.encode()).hex()
    document["media"]["picture_sha256"] = leaf_hash(b"picture").hex()
    document["signature_details"]["signature"] = leaf_hash(b"signature").hex()
    document["signature_details"]["key_id"] = "k20261121-5e6f7a8b.123"
    document["log"] = {"origin": origin, "seq": seq, "previous": leaf_hash(b"x").hex()}
    return canonical_bytes(document)


def _verify_ms(data: bytes, verifiers: list[Verifier]) -> float:
    started = time.perf_counter()
    verdict = verify_proof(data, verifiers, min_witnesses=1)
    took = time.perf_counter() - started
    if verdict.status is not Status.VALID:
        raise RuntimeError(f"the proof is {verdict.status}: {verdict.reason}")
    return took * 1000


if __name__ == "__main__":
    main()
