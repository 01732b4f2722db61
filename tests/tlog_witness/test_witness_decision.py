"""What a witness decides: whatever it is sent, it never cosigns two heads that contradict each other."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN, Tree, head_of, key_of, plain_entries
from vv_core.tlog.checkpoint import parse_checkpoint
from vv_core.tlog.merkle import consistency_proof, verify_consistency
from vv_core.tlog.note import Signer, sign_note, split_note
from vv_core.tlog.witness_decision import (
    MAX_REQUEST_BYTES,
    NOTHING_SEEN,
    Accepted,
    Head,
    Refusal,
    Refused,
    Submission,
    authenticate,
    decide,
    encode_submission,
    parse_submission,
)

LOGS = {ORIGIN: [LOG_SIGNER.verifier]}
LONGEST = 24


@dataclass(frozen=True)
class History:
    """One history of a log: entries up to a fork are shared with all others."""

    fork_at: int

    def entries(self, size: int) -> list[bytes]:
        return plain_entries(size, self.fork_at)

    def head(self, size: int) -> bytes:
        return head_of(self.entries(size))

    def proof(self, old: int, new: int) -> list[bytes]:
        return consistency_proof(old, new, Tree.of(self.entries(new)).get_hash)


def body_of(history: History, old: int, new: int, signer: Signer = LOG_SIGNER) -> bytes:
    lines = [base64.b64encode(each).decode() for each in history.proof(min(old, new), new)]
    return encode_submission(old, lines, head_of(history.entries(new), signer))


def run(body: bytes, known: Head) -> Accepted | Refused:
    """Take a request through all steps."""
    submission = parse_submission(body)
    if isinstance(submission, Refused):
        return submission
    signed = authenticate(submission, LOGS)
    if isinstance(signed, Refused):
        return signed
    return decide(submission, *signed, known)


TRUE = History(10**9)
FORK = History(5)


def head(history: History, size: int) -> Head:
    checkpoint = parse_checkpoint(split_note(history.head(size))[0])
    return Head(checkpoint.size, checkpoint.root)


def test_the_first_head_is_taken_as_it_is() -> None:
    assert run(body_of(TRUE, 0, 7), NOTHING_SEEN) == Accepted(
        head(TRUE, 7), split_note(TRUE.head(7))[0]
    )


def test_every_step_from_every_size_is_cosigned() -> None:
    for old in range(LONGEST):
        for new in range(old, LONGEST):
            outcome = run(body_of(TRUE, old, new), head(TRUE, old))
            assert isinstance(outcome, Accepted), (old, new)
            assert outcome.head == head(TRUE, new)


REFUSED: dict[str, tuple[Callable[[], bytes], Head, Refusal]] = {
    "older than believed": (lambda: body_of(TRUE, 9, 8), head(TRUE, 9), Refusal.OLD_SIZE_BEYOND),
    "older than known": (lambda: body_of(TRUE, 7, 8), head(TRUE, 9), Refusal.OTHER_SIZE_KNOWN),
    "another start": (lambda: body_of(TRUE, 7, 12), head(TRUE, 9), Refusal.OTHER_SIZE_KNOWN),
    "never seen before": (lambda: body_of(TRUE, 7, 12), NOTHING_SEEN, Refusal.OTHER_SIZE_KNOWN),
    "same size, other root": (lambda: body_of(FORK, 9, 9), head(TRUE, 9), Refusal.OTHER_ROOT),
    "same size, other root, wrong start": (
        lambda: body_of(FORK, 0, 9),
        head(TRUE, 9),
        Refusal.OTHER_ROOT,
    ),
    "forked and grown": (lambda: body_of(FORK, 9, 14), head(TRUE, 9), Refusal.INCONSISTENT),
    "no proof": (
        lambda: encode_submission(9, [], TRUE.head(14)),
        head(TRUE, 9),
        Refusal.INCONSISTENT,
    ),
    "a proof where none belongs": (
        lambda: encode_submission(0, [base64.b64encode(b"\0" * 32).decode()], TRUE.head(14)),
        NOTHING_SEEN,
        Refusal.INCONSISTENT,
    ),
    "a hash too many": (
        lambda: encode_submission(
            9,
            [base64.b64encode(each).decode() for each in [*TRUE.proof(9, 14), b"\0" * 32]],
            TRUE.head(14),
        ),
        head(TRUE, 9),
        Refusal.INCONSISTENT,
    ),
    "an unknown log": (
        lambda: body_of(TRUE, 0, 7, Signer("vv-log/other", key_of(1))),
        NOTHING_SEEN,
        Refusal.UNKNOWN_ORIGIN,
    ),
    "another key of the log's name": (
        lambda: body_of(TRUE, 0, 7, Signer(ORIGIN, key_of(9))),
        NOTHING_SEEN,
        Refusal.NOT_SIGNED,
    ),
    "a changed text": (
        lambda: body_of(TRUE, 0, 7).replace(b"\n7\n", b"\n8\n"),
        NOTHING_SEEN,
        Refusal.NOT_SIGNED,
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    make, known, refusal = REFUSED[name]
    outcome = run(make(), known)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is refusal
    is_conflict = refusal is Refusal.OTHER_SIZE_KNOWN
    assert outcome.known_size == (known.size if is_conflict else None)


HASH = base64.b64encode(b"\0" * 32).decode()
NOTE = TRUE.head(3)
MALFORMED: dict[str, bytes] = {
    "nothing": b"",
    "no empty line": b"old 0\n" + NOTE.replace(b"\n\n", b"\n"),
    "no old size": b"\n\n" + NOTE,
    "another word": b"new 0\n\n" + NOTE,
    "a zero in front": b"old 00\n\n" + NOTE,
    "a sign": b"old +1\n\n" + NOTE,
    "two blanks": b"old  0\n\n" + NOTE,
    "a line end of Windows": b"old 0\r\n\n" + NOTE,
    "other digits": "old ٣\n\n".encode() + NOTE,
    "beyond 2**63": b"old 9223372036854775808\n\n" + NOTE,
    "a short hash": b"old 0\nAAAA\n\n" + NOTE,
    "not base64": b"old 0\n" + b"!" * 44 + b"\n\n" + NOTE,
    "64 hashes": encode_submission(0, [HASH] * 64, NOTE),
    "no checkpoint": b"old 0\n\n",
    "a text without signature": b"old 0\n\n" + split_note(NOTE)[0].encode(),
    "a note that is no checkpoint": b"old 0\n\n" + sign_note("hello\n", LOG_SIGNER),
    "too large": encode_submission(0, [HASH] * 63, NOTE) + b"x" * MAX_REQUEST_BYTES,
    "not UTF-8": b"old 0\n\n\xff" + NOTE,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed_requests(name: str) -> None:
    outcome = run(MALFORMED[name], NOTHING_SEEN)
    assert isinstance(outcome, Refused)
    assert outcome.refusal is Refusal.MALFORMED


@given(st.binary(max_size=300))
def test_no_request_breaks_it(junk: bytes) -> None:
    assert isinstance(run(junk, NOTHING_SEEN), Refused)
    assert isinstance(run(b"old 0\n\n" + junk, NOTHING_SEEN), Refused)


Step = tuple[int, int, int, bool, bytes]
STEPS = st.lists(
    st.tuples(
        st.sampled_from([10**9, 0, 3, 5, 8, 13]),  # where the history that is sent forks
        st.integers(0, LONGEST),  # size sent
        st.integers(0, LONGEST),  # old size claimed
        st.booleans(),  # or the size that is known
        st.sampled_from([b"", b"\0" * 32]),  # a hash put after the proof
    ),
    max_size=40,
)


@given(STEPS)
@settings(max_examples=300)
def test_no_order_of_requests_gets_two_contradicting_heads_cosigned(steps: list[Step]) -> None:
    known, cosigned = NOTHING_SEEN, [(head(TRUE, 0), TRUE)]
    for fork_at, size, claimed, knows, extra in steps:
        history = History(fork_at)
        old = min(known.size, size) if knows else claimed
        hashes = (*history.proof(min(old, size), size), *([extra] if extra else []))
        text = split_note(history.head(size))[0]
        submission = Submission(old, hashes, history.head(size), ORIGIN)
        outcome = decide(submission, text, parse_checkpoint(text), known)
        if isinstance(outcome, Refused):
            continue
        assert outcome.head.size >= known.size
        known = outcome.head
        for earlier, _ in cosigned:
            proof = history.proof(earlier.size, size)
            assert verify_consistency(earlier.size, earlier.root, size, known.root, proof)
        cosigned.append((known, history))


@given(st.integers(1, 60), st.data())
def test_a_changed_proof_is_never_taken(new: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, new))
    hashes = TRUE.proof(old, new)
    known = head(TRUE, old)
    text = split_note(TRUE.head(new))[0]
    where = data.draw(st.integers(0, len(hashes)))
    changed = [*hashes[:where], data.draw(st.binary(min_size=32, max_size=32)), *hashes[where:]]
    submission = Submission(old, tuple(changed), b"", ORIGIN)
    assert isinstance(decide(submission, text, parse_checkpoint(text), known), Refused)
