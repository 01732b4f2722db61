"""What a witness decides about a head that it is asked to cosign; no files, clocks or sockets here.

The rules are those of C2SP ``tlog-witness`` (``POST /add-checkpoint``). A witness promises one thing: of all
heads that it ever cosigned for a log, each larger one begins with the smaller one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from vv_core.errors import InputDataError
from vv_core.tlog.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import EMPTY_ROOT, verify_consistency
from vv_core.tlog.note import NoteError, Verifier, open_note, split_note
from vv_core.tlog.proof import parse_hash_lines
from vv_core.tlog.proof_file import ProofError

MAX_REQUEST_BYTES = 16 * 1024
"""63 hashes and a checkpoint with a dozen signatures are below 6 KB."""

_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})")


class Refusal(StrEnum):
    """Why a witness does not cosign."""

    MALFORMED = "malformed"
    UNKNOWN_ORIGIN = "unknown_origin"
    NOT_SIGNED = "not_signed"
    OLD_SIZE_BEYOND = "old_size_beyond"
    OTHER_SIZE_KNOWN = "other_size_known"
    OTHER_ROOT = "other_root"
    INCONSISTENT = "inconsistent"


HTTP_STATUS = {
    Refusal.MALFORMED: 400,
    Refusal.OLD_SIZE_BEYOND: 400,
    Refusal.NOT_SIGNED: 403,
    Refusal.UNKNOWN_ORIGIN: 404,
    Refusal.OTHER_SIZE_KNOWN: 409,
    Refusal.OTHER_ROOT: 409,
    Refusal.INCONSISTENT: 422,
}


@dataclass(frozen=True, slots=True)
class Head:
    """What a witness keeps of a log: the newest head that it cosigned.

    Attributes:
        size: number of leaves.
        root: their root, 32 bytes.
    """

    size: int
    root: bytes


NOTHING_SEEN = Head(0, EMPTY_ROOT)
"""What a witness knows of a log that it has never cosigned."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A request to cosign, before anything of it is believed.

    Attributes:
        old_size: size of the head that the witness is expected to know.
        hashes: the consistency proof from there.
        note: the signed checkpoint.
        origin: the log that the checkpoint names.
    """

    old_size: int
    hashes: tuple[bytes, ...]
    note: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The witness does not cosign.

    Attributes:
        refusal: why.
        detail: more, in words.
        known_size: size of the newest head cosigned; only with `Refusal.OTHER_SIZE_KNOWN`.
        is_evidence: the log signed two heads that cannot both be right, which is worth keeping.
    """

    refusal: Refusal
    detail: str = ""
    known_size: int | None = None
    is_evidence: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The witness cosigns, once it has stored the new head.

    Attributes:
        head: what to store.
        text: the text to cosign.
    """

    head: Head
    text: str


def parse_submission(body: bytes) -> Submission | Refused:
    """Return the request that a body holds, or why it holds none."""
    head, blank, note = body.partition(b"\n\n")
    if not blank or len(body) > MAX_REQUEST_BYTES:
        return Refused(Refusal.MALFORMED, "an old size, hashes, an empty line, a checkpoint")
    try:
        first, *lines = head.decode("ascii").split("\n")
        hashes = parse_hash_lines(lines)
        origin = parse_checkpoint(split_note(note)[0]).origin
    except UnicodeDecodeError:
        return Refused(Refusal.MALFORMED, "the lines before the checkpoint are ASCII")
    except ProofError as exc:
        return Refused(Refusal.MALFORMED, f"the consistency proof: {exc.problem}")
    except InputDataError as exc:
        return Refused(Refusal.MALFORMED, exc.message)
    match = _OLD.fullmatch(first)
    if match is None or int(match[1]) > MAX_SIZE:
        return Refused(Refusal.MALFORMED, "the first line is not an old size")
    return Submission(int(match[1]), hashes, note, origin)


def encode_submission(old_size: int, hash_lines: Sequence[str], note: bytes) -> bytes:
    """Return the body of a request.

    Args:
        old_size: size of the head that the witness knows.
        hash_lines: the consistency proof, in base64.
        note: the signed checkpoint.
    """
    lines = "".join(f"{line}\n" for line in (f"old {old_size}", *hash_lines))
    return lines.encode("ascii") + b"\n" + note


def authenticate(
    submission: Submission, logs: Mapping[str, Sequence[Verifier]]
) -> tuple[str, Checkpoint] | Refused:
    """Check who signed.

    Args:
        submission: the request.
        logs: the keys of each log that this witness observes, by origin.

    Returns:
        The signed text and what it says; or why not.
    """
    verifiers = logs.get(submission.origin)
    if verifiers is None:
        return Refused(Refusal.UNKNOWN_ORIGIN, submission.origin)
    try:
        note = open_note(submission.note, verifiers)
    except NoteError as exc:
        return Refused(Refusal.NOT_SIGNED, exc.message)
    return note.text, parse_checkpoint(note.text)


def decide(submission: Submission, text: str, new: Checkpoint, known: Head) -> Accepted | Refused:
    """Decide about a request whose log has signed it.

    Args:
        submission: the request.
        text: the signed text.
        new: what it says.
        known: the newest head cosigned for this log, `NOTHING_SEEN` if none.

    Returns:
        What to store and cosign, or why not.
    """
    # 1. It is not older than the head that the sender believes the witness to know.
    if submission.old_size > new.size:
        return Refused(Refusal.OLD_SIZE_BEYOND, f"old {submission.old_size}, new {new.size}")
    # 2. One head has one root. Said before 3, so that a fork shows whatever the sender believes.
    if new.size == known.size and new.root != known.root:
        return Refused(Refusal.OTHER_ROOT, f"size {new.size}", is_evidence=True)
    # 3. The sender starts from the head that the witness knows.
    if submission.old_size != known.size:
        return Refused(Refusal.OTHER_SIZE_KNOWN, f"size {known.size}", known.size)
    # 4. The known head is the beginning of the new one.
    if not verify_consistency(known.size, known.root, new.size, new.root, submission.hashes):
        is_evidence = bool(submission.hashes)
        return Refused(Refusal.INCONSISTENT, f"{known.size} to {new.size}", None, is_evidence)
    return Accepted(Head(new.size, new.root), text)
