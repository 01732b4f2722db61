"""kill -9 of the witness before and after every step that changes a file: it never contradicts itself."""

from __future__ import annotations

import base64
import os
import posix
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.killing import OPERATIONS
from tests.support.forking import end_unmeasured, fork
from tests.tlog_witness.boxes import LOGS, NAME, START, StepClock, identity
from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN, Tree, head_of, plain_entries
from vv_core.tlog.merkle import consistency_proof
from vv_core.tlog.note import open_note, split_note
from vv_core.tlog.witness import Answer, Witness
from vv_core.tlog.witness_decision import encode_submission
from vv_core.tlog.witness_state import WitnessState

pytestmark = pytest.mark.integration

STEPS = [(0, 3), (3, 8), (8, 9)]
FEWEST = 20


def submission(old: int, new: int, fork_at: int | None = None) -> bytes:
    entries = plain_entries(new, fork_at)
    hashes = consistency_proof(old, new, Tree.of(entries).get_hash)
    return encode_submission(
        old, [base64.b64encode(each).decode() for each in hashes], head_of(entries)
    )


def work(home: Path, requests: list[bytes], tell: Callable[[Answer], object]) -> None:
    """Start a witness and answer requests, one after the other."""
    signer = identity(home)
    with WitnessState(home / "witness", signer) as state:
        witness = Witness(LOGS, signer, state, StepClock(START))
        witness.load()
        for body in requests:
            tell(witness.answer(body))


def arm(at: int, is_after: bool) -> None:
    """Have this process killed at a step, counted over all operations that change files."""
    steps = 0

    def watched(operation: Callable[..., Any]) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == at and not is_after:
                os.kill(os.getpid(), signal.SIGKILL)
            try:
                return operation(*args, **kwargs)
            finally:
                if steps == at and is_after:
                    os.kill(os.getpid(), signal.SIGKILL)

        return step

    for name in OPERATIONS:
        setattr(os, name, watched(getattr(os, name)))


def run_killed(home: Path, at: int, is_after: bool) -> tuple[bool, list[int]]:
    """Work in a child that is killed; return whether it came to its end, and the answers that left it."""
    reader, writer = os.pipe()
    child = fork(is_measured=False)
    if not child:
        code = 70
        try:
            raw_write = posix.write
            arm(at, is_after)
            work(
                home,
                [submission(*step) for step in STEPS],
                lambda answer: raw_write(writer, bytes([answer.status == 200])),
            )
            code = 0
        finally:
            end_unmeasured(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = list(stream.read())
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in {0, -signal.SIGKILL}
    return status == 0, told


@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_step(tmp_path: Path, is_after: bool) -> None:
    at, is_done = 0, False
    while not is_done:
        at += 1
        home = tmp_path / str(at)
        is_done, told = run_killed(home, at, is_after)
        assert told == [1] * len(told)
        answers: list[Answer] = []
        last = STEPS[len(told) - 1][1] if told else 0
        # Of another history, at and after every size that was cosigned: none is taken.
        forks = (
            [submission(last, new, fork_at=1) for new in range(max(last, 1), 12)] if told else []
        )
        work(home, [*forks, submission(0, 12)], answers.append)
        assert all(answer.status in {409, 422} for answer in answers[:-1])
        known = int(answers[-1].body) if answers[-1].status == 409 else 0
        assert known >= last
        # And the true history goes on, from whatever the witness knows.
        work(home, [submission(known, 12)] if known else [], answers.append)
        assert answers[-1].status == 200
        names = list((home / "witness" / "heads").iterdir())
        assert len(names) == 1, "nothing half-written stays"
    assert at > FEWEST


def test_the_state_is_a_note_that_others_can_read(tmp_path: Path) -> None:
    work(tmp_path, [submission(0, 3)], lambda _: None)
    (path,) = (tmp_path / "witness" / "heads").iterdir()
    note = open_note(path.read_bytes(), [LOG_SIGNER.verifier, identity(tmp_path).verifier])
    assert note.text == split_note(head_of(plain_entries(3)))[0]
    assert [each.name for each in note.verified] == [ORIGIN, NAME]
