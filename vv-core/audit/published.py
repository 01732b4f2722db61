"""Published files of a log against the log: each is one entry and a newline, under the name of its video."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vv_core.audit.canonical import load_canonical
from vv_core.audit.evidence import DIFFERS, check_video
from vv_core.audit.finding import Finding, LogSummary
from vv_core.audit.log_damage import DamageReport
from vv_core.audit.log_events import LogFacts
from vv_core.audit.log_heads import is_log_key, open_head
from vv_core.audit.log_position import position_of
from vv_core.audit.regular_file import read_for_audit
from vv_core.audit.signing import SIGNATURE_FIELD
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import MAX_FILE_BYTES, verify_bytes
from vv_core.paths import MAX_STEM_BYTES
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import (
    HASH_BYTES,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from vv_core.tlog.note import NoteError, Verifier, split_note
from vv_core.tlog.tiles import WIDTH, LogReader, TileError

LINE_SUFFIX = ".logline.json"
EVENT_SUFFIX = ".logevent.json"
_MARK = re.compile(r"-[0-9a-f]{8}$")
_MARK_CHARS = 9
_MAX_MARKS = 8
_LEAST_CUT_BYTES = MAX_STEM_BYTES - _MARK_CHARS - 4
"""What is cut has more bytes: a cut never splits a character, which has at most four."""
_SHORTENED_BYTES = 90
"""A stem that was cut to fit has at least so many bytes left, with all its marks."""
_DOCUMENT_FIELDS = ("id", "when", "status", "title", "kind")


@dataclass(frozen=True)
class PublishedContext:
    """What the audit of a log knows when its published files are looked at.

    Attributes:
        report: tells the leaf that the head commits to.
        head: of the log.
        facts: keys that were retired or revoked.
        summary: who has witnessed how much.
        anchored_below: positions below are under a head that the auditor trusts.
        verifiers: trusted keys, for a head that has grown meanwhile.
        keys: secrets by key id; None in an audit without secrets.
        videos: folder of videos to hash again.
    """

    report: DamageReport
    head: Checkpoint
    facts: LogFacts
    summary: LogSummary
    anchored_below: int
    verifiers: tuple[Verifier, ...]
    keys: Mapping[str, bytes] | None = field(default=None, repr=False)
    videos: str | None = None


def verify_published(path: str, context: PublishedContext) -> Finding:
    """Verify one file beside a log; ``seq`` of the finding is set when it is an entry of the log."""
    data = read_for_audit(path, MAX_FILE_BYTES)
    if isinstance(data, Verdict):
        return Finding(path, data)
    signature = None if context.keys is None else verify_bytes(data, context.keys)
    document = _document_of(data, signature)
    position = position_of(document)
    if position is None:
        return _verify_unlogged(path, data, document, signature, context)
    if position["origin"] != context.head.origin:
        return Finding(path, _not_in_log(signature, Reason.NOT_IN_LOG, position["origin"]))
    return _verify_logged(path, data, document, signature, context)


def _document_of(data: bytes, signature: Verdict | None) -> Any:
    """Return the document of a file, or None; what it says is not to be believed yet."""
    if signature is not None and signature.document is not None:
        return signature.document
    return load_canonical(data.removesuffix(b"\n"))


def _verify_unlogged(
    path: str, data: bytes, document: Any, signature: Verdict | None, context: PublishedContext
) -> Finding:
    """Verify a file that names no position: a line from before the log, or something bad."""
    verdict = signature or verify_bytes(data, {})
    if verdict.status not in {Status.VALID, Status.UNVERIFIABLE}:
        return Finding(path, verdict)
    logged_at = document.get("logged_at") if isinstance(document, dict) else None
    if isinstance(logged_at, str) and context.facts.began <= logged_at.rstrip("Z"):
        return Finding(path, Verdict(Status.UNLOGGED, Reason.NOT_IN_LOG, key_id=verdict.key_id))
    return Finding(path, slim_verdict(verdict), witnesses=())


def _verify_logged(
    path: str, data: bytes, document: Any, signature: Verdict | None, context: PublishedContext
) -> Finding:
    """Verify a file that names a position in this log; the checks are done in this order."""
    seq, leaf = document["log"]["seq"], leaf_hash(data[:-1])
    # 1. The head covers the position.
    if seq < 0 or seq >= context.head.size:
        if seq > 0 and _is_in_grown_log(leaf, seq, context):
            return _agreed(path, document, signature, seq, context, is_anchored=True)
        return Finding(path, _not_in_log(signature, Reason.BEYOND_HEAD, str(seq)))
    # 2. The leaf there is this line's.
    due = _leaf_at(seq, context)
    if due is None:
        if signature is not None and signature.status is not Status.VALID:
            return Finding(path, signature)
        return Finding(path, Verdict(Status.UNVERIFIABLE, Reason.POSITION_UNPROVEN), seq)
    if leaf != due or not data.endswith(b"\n"):
        return Finding(path, _not_in_log(signature, Reason.NOT_IN_LOG, str(seq)))
    return _agreed(
        path, document, signature, seq, context, is_anchored=seq < context.anchored_below
    )


def _agreed(
    path: str,
    document: Any,
    signature: Verdict | None,
    seq: int,
    context: PublishedContext,
    *,
    is_anchored: bool,
) -> Finding:
    """Go on with a file that is the log's entry at its position."""
    witnesses = context.summary.witnesses_of(seq)
    key_id = _key_id_of(document)
    # 3. The signature is right, where there are keys.
    if signature is not None and signature.status is not Status.VALID:
        return Finding(path, signature, seq, witnesses=witnesses)
    # 4. The key was to sign there.
    problem = context.facts.find_key_problem(seq, key_id)
    # 5. It lies under its own name.
    if problem is None and not is_own_name(path.rpartition("/")[2], document):
        problem = Verdict(Status.INVALID, Reason.WRONG_NAME, key_id=key_id)
    # 6. The video is the one that it speaks of.
    evidence = check_video(document, context.videos) if context.videos else None
    if problem is None and evidence == DIFFERS:
        problem = Verdict(Status.INVALID, Reason.EVIDENCE_DIFFERS, key_id=key_id)
    # 7. A head that the auditor trusts covers it.
    verdict = problem or _good(signature, document, is_anchored)
    return Finding(path, verdict, seq, witnesses=witnesses, evidence=evidence)


def _key_id_of(document: Mapping[str, Any]) -> str | None:
    details = document.get(SIGNATURE_FIELD)
    key_id = details.get("key_id") if isinstance(details, dict) else None
    return key_id if isinstance(key_id, str) else None


def _good(signature: Verdict | None, document: Any, is_anchored: bool) -> Verdict:
    key_id = _key_id_of(document)
    if is_anchored:
        reason = Reason.LOGGED_KEYLESS if signature is None else Reason.LOGGED
        return Verdict(Status.VALID, reason, key_id=key_id, document=document)
    if signature is None:
        return Verdict(Status.UNVERIFIABLE, Reason.POSITION_UNPROVEN, key_id=key_id)
    return signature


def _not_in_log(signature: Verdict | None, reason: Reason, detail: str) -> Verdict:
    """Return the verdict on a file that is not the entry that the log has."""
    if signature is not None and signature.status is Status.VALID:
        return Verdict(Status.UNLOGGED, reason, detail, signature.key_id)
    if signature is not None and signature.status is not Status.UNVERIFIABLE:
        return signature
    if reason is Reason.NOT_IN_LOG:
        return Verdict(Status.INVALID, Reason.DIFFERS_FROM_LOG, detail)
    return Verdict(Status.UNLOGGED, reason, detail)


def slim_verdict(verdict: Verdict) -> Verdict:
    """Keep of the document only what a report shows, as verdicts travel between processes."""
    if verdict.document is None:
        return verdict
    document = {name: verdict.document.get(name) for name in _DOCUMENT_FIELDS}
    return Verdict(verdict.status, verdict.reason, verdict.detail, verdict.key_id, document)


def _leaf_at(seq: int, context: PublishedContext) -> bytes | None:
    leaves = context.report.leaves(seq // WIDTH)
    at = seq % WIDTH * HASH_BYTES
    leaf = leaves[at : at + HASH_BYTES] if leaves is not None else b""
    return leaf if len(leaf) == HASH_BYTES else None


def _is_in_grown_log(leaf: bytes, seq: int, context: PublishedContext) -> bool:
    """Tell whether the log has grown since its head was read, and now holds the line."""
    reader = LogReader(context.report.reader.folder)
    old = context.head
    try:
        new = _read_head_again(reader, context.verifiers)
        if new.origin != old.origin or not old.size <= seq < new.size:
            return False
        consistency = consistency_proof(old.size, new.size, reader.get_hash)
        inclusion = inclusion_proof(seq, new.size, reader.get_hash)
    except (NoteError, TileError):
        return False
    return verify_consistency(
        old.size, old.root, new.size, new.root, consistency
    ) and verify_inclusion(leaf, seq, new.size, inclusion, new.root)


def _read_head_again(reader: LogReader, verifiers: tuple[Verifier, ...]) -> Checkpoint:
    data = reader.checkpoint_bytes()
    if any(is_log_key(each) for each in verifiers):
        return open_head(data, "checkpoint", verifiers).checkpoint
    return parse_checkpoint(split_note(data)[0])


def is_own_name(name: str, document: Mapping[str, Any]) -> bool:
    """Tell whether a file has the name under which its line is published.

    An event's is made of position and kind. A LogLine's is its video's, with marks of the video's hash
    where the name was taken or had to be repaired; see `vv_core.paths.output_stem`.
    """
    if name.endswith(EVENT_SUFFIX):
        return name == f"{document['log']['seq']:010d}-{document.get('kind')}{EVENT_SUFFIX}"
    source, evidence = document.get("source"), document.get("evidence")
    digest = evidence.get("video_sha256") if isinstance(evidence, dict) else None
    if not isinstance(source, str) or not isinstance(digest, str):
        return False
    stem = name.removesuffix(LINE_SUFFIX)
    due = os.path.splitext(source.rpartition("/")[2])[0]
    if stem == due:
        return True
    bare = _without_marks(stem, digest)
    return bare != stem and _is_repaired(_repair(bare), _repair(due))


def _without_marks(stem: str, digest: str) -> str:
    marks = [digest[start : start + 8] for start in range(0, len(digest), 8)]
    for _ in range(_MAX_MARKS):
        match = _MARK.search(stem)
        if match is None or match[0][1:] not in marks:
            break
        stem = _without_cut_mark(stem[:-_MARK_CHARS], marks)
    return stem


def _without_cut_mark(stem: str, marks: Sequence[str]) -> str:
    """Take off what is left of a mark in a stem so long that it was cut to make room for the next mark."""
    if len(stem.encode("utf-8", "replace")) <= _LEAST_CUT_BYTES:
        return stem
    before, dash, rest = stem.rpartition("-")
    is_cut = dash and len(rest) < _MARK_CHARS - 1 and any(mark.startswith(rest) for mark in marks)
    return before if is_cut else stem


def _repair(stem: str) -> str:
    """Return what is left of a stem when everything that a repair may change is changed."""
    return "".join(char if char.isprintable() and char != "\ufffd" else "_" for char in stem)


def _is_repaired(bare: str, due: str) -> bool:
    return any(
        bare == text or (len(bare.encode()) >= _SHORTENED_BYTES and text.startswith(bare))
        for text in (due, f"_{due}")
    )
