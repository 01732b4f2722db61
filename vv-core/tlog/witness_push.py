"""Sending the newest head to every witness: what is due now, what came of it, and when to try again.

Nothing waits for a witness: an append never calls this. Cron and the orchestrator do, and what failed is a
line of data on disk that says when it is due again.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vv_core.clock import Clock
from vv_core.errors import TemporaryError, VvError, from_oserror
from vv_core.logs import get_logger
from vv_core.tlog.own_log import OwnLog
from vv_core.tlog.witness_client import Post, submit_head
from vv_core.tlog.witness_files import WitnessPeer
from vv_core.tlog.witness_receipts import store_receipt
from vv_core.tlog.witness_records import (
    PushRecord,
    is_due,
    read_records,
    record_failure,
    record_success,
    write_records,
)


@dataclass(frozen=True, slots=True)
class PushResult:
    """What came of one witness.

    Attributes:
        name: of the witness.
        outcome: "cosigned", "current" (nothing new), "waiting" (not due), "failed" or "contradicted".
        size: of the newest head that it cosigned.
        error: in words.
        advice: what to do about it.
    """

    name: str
    outcome: str
    size: int
    error: str = ""
    advice: str = ""


def push_head(
    log: OwnLog,
    peers: Sequence[WitnessPeer],
    state_path: Path,
    post: Post,
    clock: Clock,
    *,
    ignores_waits: bool = False,
) -> list[PushResult]:
    """Send the newest head to every witness that is due, one after the other.

    Args:
        log: the log and its newest head.
        peers: the witnesses.
        state_path: where waits are kept.
        post: sends a request.
        clock: the time.
        ignores_waits: ask also those that are not due.

    Returns:
        One result for each witness. One that fails does not stop the others.

    Raises:
        TemporaryError: another push runs, or files cannot be written.
    """
    with _only_one(state_path):
        records = read_records(state_path)
        results = []
        for peer in peers:
            record = records.get(peer.name, PushRecord())
            if not (ignores_waits or is_due(record, log.head, clock.now())):
                outcome = "waiting" if record.failures else "current"
                results.append(PushResult(peer.name, outcome, record.size, record.error))
                continue
            records[peer.name], result = _push_one(log, peer, record, post, clock)
            results.append(result)
            write_records(state_path, records, [each.name for each in peers])
        return results


def _push_one(
    log: OwnLog, peer: WitnessPeer, record: PushRecord, post: Post, clock: Clock
) -> tuple[PushRecord, PushResult]:
    try:
        note = submit_head(post, peer, log, record.size)
        store_receipt(log.reader.folder, peer.name, note)
    except VvError as exc:
        get_logger("witness").warning("witness %s: %s → %s", peer.name, exc.message, exc.advice)
        record = record_failure(record, exc, clock.now())
        outcome = "contradicted" if record.is_contradicted else "failed"
        return record, PushResult(peer.name, outcome, record.size, exc.message, exc.advice)
    return record_success(log.head), PushResult(peer.name, "cosigned", log.head.size)


@contextmanager
def _only_one(state_path: Path) -> Iterator[None]:
    """Let one push run at a time."""
    try:
        state_path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(
            state_path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
        )
    except OSError as exc:
        raise from_oserror(exc, "keep what witnesses said", state_path) from exc
    try:
        _lock(descriptor)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise TemporaryError(
            "heads are being sent already", advice="Nothing to do: the other one does the work."
        ) from None
