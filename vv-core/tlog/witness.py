"""A witness: the decision, its memory and its key put together. The HTTP edge is `witness_service`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vv_core.clock import Clock
from vv_core.logs import get_logger
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.note import Signature, Signer, Verifier, add_signature_line
from vv_core.tlog.witness_decision import (
    HTTP_STATUS,
    Accepted,
    Head,
    Refusal,
    Refused,
    Submission,
    authenticate,
    decide,
    parse_submission,
)
from vv_core.tlog.witness_state import WitnessState

SIZE_TYPE = "text/x.tlog.size"
TEXT_TYPE = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request to cosign is answered with.

    Attributes:
        status: of HTTP.
        body: cosignature lines, the known size, or the reason in words.
        content_type: of the body.
    """

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


class Witness:
    """Cosigns heads of the logs that it observes, if they continue what it cosigned before."""

    def __init__(
        self,
        logs: Mapping[str, Sequence[Verifier]],
        signer: Signer,
        state: WitnessState,
        clock: Clock,
    ) -> None:
        """Put the parts together.

        Args:
            logs: keys of the observed logs, by origin.
            signer: the cosigning key.
            state: what was cosigned so far; entered.
            clock: the time in cosignatures.
        """
        self._logs = logs
        self._signer = signer
        self._state = state
        self._clock = clock

    def load(self) -> dict[str, Head]:
        """Return the newest head of each observed log, so that a damaged state shows at the start.

        Raises:
            ConfigError: a head is damaged.
            OSError: it cannot be read.
        """
        return {origin: self._state.known(origin) for origin in self._logs}

    def answer(self, body: bytes) -> Answer:
        """Answer a request to cosign.

        Raises:
            ConfigError: the stored head is damaged.
            OSError: the new head cannot be stored.
        """
        submission = parse_submission(body)
        if isinstance(submission, Refused):
            return _refuse(submission, "")
        signed = authenticate(submission, self._logs)
        if isinstance(signed, Refused):
            return _refuse(signed, submission.origin)
        return self._answer_signed(submission, *signed)

    def _answer_signed(self, submission: Submission, text: str, new: Checkpoint) -> Answer:
        made: list[Signature] = []

        def cosign(accepted: Accepted) -> bytes:
            moment = int(self._clock.now().timestamp())
            made.append(self._signer.sign(accepted.text, moment))
            return add_signature_line(submission.note, made[0])

        outcome = self._state.update(
            submission.origin, lambda known: decide(submission, text, new, known), cosign
        )
        if isinstance(outcome, Refused):
            if outcome.is_evidence:
                self._state.keep_evidence(submission.origin, submission.note)
            return _refuse(outcome, submission.origin)
        get_logger("witness").info(
            "cosigned", extra={"fields": {"origin": new.origin, "size": new.size}}
        )
        return Answer(200, f"{made[0].line}\n".encode())


def _refuse(refused: Refused, origin: str) -> Answer:
    get_logger("witness").log(
        _level_of(refused),
        "a head is not cosigned: %s (%s)",
        refused.refusal,
        refused.detail,
        extra={"fields": {"origin": origin, "refusal": refused.refusal}},
    )
    status = HTTP_STATUS[refused.refusal]
    if refused.known_size is not None:
        return Answer(status, f"{refused.known_size}\n".encode("ascii"), SIZE_TYPE)
    return Answer(status, f"{refused.refusal}: {refused.detail}\n".encode())


def _level_of(refused: Refused) -> int:
    import logging

    if refused.is_evidence:
        return logging.ERROR
    return logging.DEBUG if refused.refusal is Refusal.OTHER_SIZE_KNOWN else logging.WARNING
