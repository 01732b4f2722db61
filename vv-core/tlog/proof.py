"""The proof of an exported clip: its LogLine, where that stands in the log, and a signed head; no files here.

The text is one line with the exact bytes of the log's entry, followed by a C2SP ``tlog-proof@v1``
(index, inclusion proof, checkpoint). How that becomes a file of 2 KB is told in `proof_file`.

Verifying needs no secret: only the log's verifier key, from somewhere else than the proof.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vv_core.tlog.checkpoint import parse_checkpoint
from vv_core.tlog.merkle import HASH_BYTES, inclusion_proof
from vv_core.tlog.note import MAX_NOTE_BYTES, decode_base64, split_note
from vv_core.tlog.proof_file import ProofError, pack, unpack

HEADER = "c2sp.org/tlog-proof@v1"
MAX_LINE_BYTES = 65_535
MAX_HASHES = 63
MAX_TEXT_BYTES = MAX_LINE_BYTES + MAX_NOTE_BYTES + MAX_HASHES * 45 + 100
MAX_PROOF_BYTES = MAX_TEXT_BYTES + 1024

_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


class HashSource(Protocol):
    """Where the hashes of a log's tree come from; `vv_core.tlog.tiles.LogReader` is one."""

    def get_hash(self, level: int, index: int) -> bytes:
        """Return the hash of a complete subtree, as in `vv_core.tlog.merkle`."""


@dataclass(frozen=True, slots=True)
class ClipProof:
    """What a proof says, before anything of it is believed.

    Attributes:
        line: the exact bytes of the log's entry, a signed LogLine without newline.
        index: its position in the log, from 0.
        hashes: the inclusion proof, from the leaf's sibling upwards.
        note: the signed checkpoint.
    """

    line: bytes
    index: int
    hashes: tuple[bytes, ...]
    note: bytes

    @property
    def tlog_proof(self) -> bytes:
        """The C2SP ``tlog-proof`` of this proof, for other tools."""
        hashes = "".join(f"{base64.b64encode(each).decode('ascii')}\n" for each in self.hashes)
        return f"{HEADER}\nindex {self.index}\n{hashes}\n".encode("ascii") + self.note

    def encode(self) -> bytes:
        """Return the content of the proof file."""
        return pack(self.line + b"\n", self.tlog_proof)


def make_proof(source: HashSource, line: bytes, index: int, note: bytes) -> bytes:
    """Return the proof file of an entry.

    Args:
        source: the log's hashes.
        line: the entry, exact bytes.
        index: its position.
        note: a signed checkpoint of this log that covers it; not verified here.

    Raises:
        ProofError: the entry or the checkpoint cannot stand in a proof.
        VvError: the note is no checkpoint, or a hash cannot be read.
    """
    size = parse_checkpoint(split_note(note)[0]).size
    if not 0 <= index < size:
        raise ProofError(f"the head covers {size} entries, and not number {index}")
    if b"\n" in line or not 0 < len(line) <= MAX_LINE_BYTES:
        raise ProofError("the entry is not one line")
    hashes = tuple(inclusion_proof(index, size, source.get_hash))
    return ClipProof(line, index, hashes, note).encode()


def parse_proof(data: bytes) -> ClipProof:
    """Return what a proof file says; it is not verified.

    The plain text is taken too, as ``zcat`` or ``vv-log check --show`` shows it.

    Raises:
        ProofError: it is not a proof file, to the last bit.
    """
    if len(data) > MAX_PROOF_BYTES:
        raise ProofError(f"larger than {MAX_PROOF_BYTES} bytes")
    text = unpack(data, MAX_TEXT_BYTES)
    line, newline, rest = text.partition(b"\n")
    if not newline or not 0 < len(line) <= MAX_LINE_BYTES:
        raise ProofError("its first line is not an entry of a log")
    head, blank, note = rest.partition(b"\n\n")
    if not blank or not note:
        raise ProofError("it has no checkpoint")
    index, hashes = _parse_head(head)
    return ClipProof(line, index, hashes, note)


def _parse_head(head: bytes) -> tuple[int, tuple[bytes, ...]]:
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise ProofError("it is not text") from None
    match = _INDEX.fullmatch(lines[1]) if lines[0] == HEADER and len(lines) > 1 else None
    if match is None:
        raise ProofError(f"it is not of the form {HEADER}")
    return int(match[1]), parse_hash_lines(lines[2:])


def parse_hash_lines(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Return the hashes of a proof in C2SP's form: one in canonical base64 a line, at most 63.

    Raises:
        ProofError: too many, or one that is not a hash.
    """
    if len(lines) > MAX_HASHES:
        raise ProofError(f"it has more than {MAX_HASHES} hashes")
    hashes = tuple(decode_base64(line) for line in lines)
    found = tuple(each for each in hashes if each is not None and len(each) == HASH_BYTES)
    if len(found) != len(hashes):
        raise ProofError("one of its hashes is malformed")
    return found
