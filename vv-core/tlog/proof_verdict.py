"""The decision about a proof of an exported clip; no files here. The checks are numbered, and done in this order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from vv_core.audit.canonical import MalformedError, encode_checked, load_strict
from vv_core.audit.verdict import Status
from vv_core.errors import InputDataError
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import leaf_hash, verify_inclusion
from vv_core.tlog.note import Note, NoteError, SignatureKind, Verifier, open_note, split_note
from vv_core.tlog.proof import ClipProof, parse_proof


class ProofReason(StrEnum):
    """Why the verdict on a proof is what it is."""

    PROVEN = "proven"
    NOT_A_PROOF = "not_a_proof"
    NOT_A_LINE = "not_a_line"
    NO_KEY = "no_key"
    WRONG_SIGNATURE = "wrong_signature"
    NOT_INCLUDED = "not_included"
    OTHER_POSITION = "other_position"
    OTHER_CLIP = "other_clip"
    NO_CLIP_NAMED = "no_clip_named"
    TOO_FEW_WITNESSES = "too_few_witnesses"


@dataclass(frozen=True, slots=True)
class Witnessed:
    """Who else has seen a head, and when."""

    name: str
    when: datetime


@dataclass(frozen=True, slots=True)
class ProofVerdict:
    """What was decided about one proof.

    Attributes:
        status: VALID, INVALID, UNVERIFIABLE or MALFORMED.
        reason: why.
        detail: more, for a person; may hold untrusted text.
        checkpoint: the signed head, once its signature is known to be right.
        witnesses: whose cosignatures of it are right.
        document: the LogLine; only when VALID.
    """

    status: Status
    reason: ProofReason
    detail: str = ""
    checkpoint: Checkpoint | None = None
    witnesses: tuple[Witnessed, ...] = ()
    document: dict[str, Any] | None = field(default=None, repr=False, compare=False)


def verify_proof(
    data: bytes,
    verifiers: Sequence[Verifier],
    *,
    clip_sha256: str | None = None,
    min_witnesses: int = 0,
) -> ProofVerdict:
    """Decide about a proof file.

    Args:
        data: the file's content.
        verifiers: keys that the auditor trusts: the log's, and those of witnesses.
        clip_sha256: hash of the video at hand, to be the one that the LogLine names; None: not asked.
        min_witnesses: trusted witnesses that must have cosigned the head.

    Returns:
        The verdict; never raises for what stands in ``data``.

    Raises:
        ConfigError: `cryptography` is not installed.
        NoteError: two of the keys have the same name and id.
    """
    # 1. It has the form of a proof, to the last bit, with a strict JSON object as its line.
    try:
        proof = parse_proof(data)
        text, signatures = split_note(proof.note)
        checkpoint = parse_checkpoint(text)
    except InputDataError as exc:
        return ProofVerdict(Status.MALFORMED, ProofReason.NOT_A_PROOF, exc.message)
    try:
        document = _parse_line(proof.line)
    except MalformedError as exc:
        return ProofVerdict(Status.MALFORMED, ProofReason.NOT_A_LINE, exc.message)
    # 2. The key of this log is among those that the auditor trusts, and signed.
    log_keys = _log_keys(verifiers, checkpoint.origin)
    ids = {(each.name, each.key_hash) for each in signatures}
    if not any((each.name, each.key_hash) in ids for each in log_keys):
        return ProofVerdict(Status.UNVERIFIABLE, ProofReason.NO_KEY, checkpoint.origin)
    # 3. Every signature of a trusted key is right.
    try:
        note = open_note(proof.note, verifiers)
    except NoteError as exc:
        return ProofVerdict(Status.INVALID, ProofReason.WRONG_SIGNATURE, exc.message)
    reason = _find_contradiction(proof, checkpoint, document)
    if reason is not None:
        return ProofVerdict(Status.INVALID, reason, "", checkpoint)
    return _judge_rest(document, checkpoint, note, clip_sha256, min_witnesses)


def witnesses_of(note: Note) -> tuple[Witnessed, ...]:
    """Return the verified cosignatures of a note, by name."""
    found = [
        Witnessed(each.name, datetime.fromtimestamp(each.timestamp, UTC))
        for each in note.verified
        if each.timestamp is not None and each.timestamp < _YEAR_9999
    ]
    return tuple(sorted(found, key=lambda each: each.name))


_YEAR_9999 = 253_370_764_800


def _parse_line(line: bytes) -> dict[str, Any]:
    document = load_strict(line)
    if not isinstance(document, dict) or encode_checked(document) != line:
        return {}
    return document


def _log_keys(verifiers: Sequence[Verifier], origin: str) -> list[Verifier]:
    return [
        each for each in verifiers if each.kind is SignatureKind.ED25519 and each.name == origin
    ]


def _find_contradiction(
    proof: ClipProof, checkpoint: Checkpoint, document: dict[str, Any]
) -> ProofReason | None:
    # 4. The line's exact bytes are the leaf at that position of the signed tree.
    leaf = leaf_hash(proof.line)
    if not verify_inclusion(leaf, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        return ProofReason.NOT_INCLUDED
    # 5. The line itself says that it stands there.
    place = document.get("log")
    own = (place.get("origin"), place.get("seq")) if isinstance(place, dict) else (None, None)
    if own != (checkpoint.origin, proof.index) or isinstance(own[1], bool):
        return ProofReason.OTHER_POSITION
    return None


def _judge_rest(
    document: dict[str, Any],
    checkpoint: Checkpoint,
    note: Note,
    clip_sha256: str | None,
    min_witnesses: int,
) -> ProofVerdict:
    witnesses = witnesses_of(note)
    # 6. The video at hand is the one that the line names.
    if clip_sha256 is not None:
        named = video_sha256(document)
        if named is None:
            return ProofVerdict(
                Status.UNVERIFIABLE, ProofReason.NO_CLIP_NAMED, "", checkpoint, witnesses
            )
        if named != clip_sha256:
            return ProofVerdict(Status.INVALID, ProofReason.OTHER_CLIP, "", checkpoint, witnesses)
    # 7. As many others as wanted have seen this head.
    if len({each.name for each in witnesses}) < min_witnesses:
        detail = f"{len(witnesses)}/{min_witnesses}"
        return ProofVerdict(
            Status.UNVERIFIABLE, ProofReason.TOO_FEW_WITNESSES, detail, checkpoint, witnesses
        )
    return ProofVerdict(Status.VALID, ProofReason.PROVEN, "", checkpoint, witnesses, document)


def video_sha256(document: dict[str, Any]) -> str | None:
    """Return the hash of the video that a line names, or None for a line without one."""
    evidence = document.get("evidence")
    named = evidence.get("video_sha256") if isinstance(evidence, dict) else None
    return named if isinstance(named, str) else None
