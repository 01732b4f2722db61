"""One published file, with the log that lies near it: an inclusion proof instead of a whole audit."""

from __future__ import annotations

import os
from pathlib import Path

from vv_core.audit.audit_folder import find_log, verify_file
from vv_core.audit.canonical import MalformedError, load_canonical
from vv_core.audit.finding import Finding
from vv_core.audit.log_heads import OwnHead, read_own_head
from vv_core.audit.log_position import position_of
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import MAX_FILE_BYTES
from vv_core.tlog.merkle import inclusion_proof, leaf_hash, verify_inclusion
from vv_core.tlog.tiles import LogReader, TileError


def find_log_near(path: str) -> str | None:
    """Return the log beside a published file, or beside the folder of events in which it lies."""
    folder = path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")
    for above in (folder, os.path.join(folder, os.pardir)):
        log = find_log(above)
        if log is not None and log != above:
            return log
    return None


def prove_file(path: str, log: str, trust: Trust) -> Finding | None:
    """Prove by the log's signed head that a file is the entry at the position that it names.

    Returns:
        The finding; None where the head or the file does not allow a proof, so that the file is judged by
        itself.
    """
    reader = LogReader(Path(log))
    own = read_own_head(reader, f"{log}/checkpoint", trust.verifiers)
    position, data = _read_position(path)
    if own.checkpoint is None or not own.is_signed or position is None:
        return None
    signature = None if trust.keys is None else verify_file(path, trust.keys)
    if signature is not None and signature.status is not Status.VALID:
        return Finding(path, signature)
    seq, origin = position
    is_proven = origin == own.checkpoint.origin and _is_included(reader, own, seq, data)
    if not is_proven:
        verdict = Verdict(Status.UNLOGGED, Reason.NOT_IN_LOG, str(seq))
        if signature is None:
            verdict = Verdict(Status.INVALID, Reason.DIFFERS_FROM_LOG, str(seq))
        return Finding(path, verdict)
    key_id = signature.key_id if signature else None
    document = signature.document if signature else load_canonical(data[:-1])
    reason = Reason.LOGGED if signature else Reason.LOGGED_KEYLESS
    witnesses = [each.name for each in own.held.seen_by()] if own.held else []
    verdict = Verdict(Status.VALID, reason, key_id=key_id, document=document)
    return Finding(path, verdict, seq, witnesses=tuple(witnesses))


def _read_position(path: str) -> tuple[tuple[int, str] | None, bytes]:
    try:
        data = read_regular_file(path, MAX_FILE_BYTES)
    except (MalformedError, OSError):
        return None, b""
    position = position_of(load_canonical(data[:-1])) if data.endswith(b"\n") else None
    return ((position["seq"], position["origin"]) if position else None), data


def _is_included(reader: LogReader, own: OwnHead, seq: int, data: bytes) -> bool:
    head = own.checkpoint
    if head is None or not 0 <= seq < head.size:
        return False
    try:
        proof = inclusion_proof(seq, head.size, reader.get_hash)
    except TileError:
        return False
    return verify_inclusion(leaf_hash(data[:-1]), seq, head.size, proof, head.root)
