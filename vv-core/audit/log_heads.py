"""Heads: the log's own, those that witnesses hold, and who has seen how much of the log when."""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from vv_core.audit.canonical import MalformedError
from vv_core.audit.finding import Finding, Witness
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.clock import format_utc
from vv_core.tlog.checkpoint import MAX_SIZE, Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import HASH_BYTES
from vv_core.tlog.note import (
    MAX_NOTE_BYTES,
    NoteError,
    SignatureKind,
    Verifier,
    open_note,
    split_note,
)
from vv_core.tlog.tiles import LogReader, TileError

WITNESS_FOLDER = "witness"
_BARE_HEAD = re.compile(
    r"(?P<size>0|[1-9][0-9]{0,18})[\s+:,](?P<root>[0-9a-f]{64}|[A-Za-z0-9+/]{43}=)"
)


@dataclass(frozen=True, slots=True)
class HeldHead:
    """A head that somebody holds.

    Attributes:
        source: the file, or the text given.
        checkpoint: what it says; the origin is "" where only size and root were given.
        witnesses: who signed that they had seen it: (name, seconds since 1970).
        is_vouched: the auditor brought it, so that it counts without a cosignature.
    """

    source: str
    checkpoint: Checkpoint
    witnesses: tuple[tuple[str, int], ...] = ()
    is_vouched: bool = False

    def seen_by(self) -> list[Witness]:
        """Return who has seen the head, and when."""
        size = self.checkpoint.size
        cosigned = [Witness(name, size, _utc(at)) for name, at in self.witnesses]
        if cosigned or not self.is_vouched:
            return cosigned
        return [Witness(Path(self.source).name, size)]


@dataclass
class OwnHead:
    """The head in the log's folder.

    Attributes:
        checkpoint: what it says; None when it cannot be used.
        is_signed: a trusted key of the log signed it.
        held: the same as a held head, when witnesses have cosigned it.
        findings: what is wrong with it.
    """

    checkpoint: Checkpoint | None = None
    is_signed: bool = False
    held: HeldHead | None = None
    findings: list[Finding] = field(default_factory=list)


def parse_bare_head(text: str) -> Checkpoint | None:
    """Return the head of a text with size and root (hexadecimal or base64), or None."""
    match = _BARE_HEAD.fullmatch(text.strip())
    if match is None or int(match["size"]) > MAX_SIZE:
        return None
    raw_root = match["root"]
    try:
        is_hex = len(raw_root) == 2 * HASH_BYTES
        root = bytes.fromhex(raw_root) if is_hex else base64.b64decode(raw_root, validate=True)
    except (ValueError, binascii.Error):
        return None
    return Checkpoint("", int(match["size"]), root)


def open_head(data: bytes, source: str, verifiers: Sequence[Verifier]) -> HeldHead:
    """Return a head from a note that a trusted key of the log has signed.

    Raises:
        NoteError: it is not a head, or not one that the log signed.
        ConfigError: `cryptography` is not installed.
    """
    note = open_note(data, verifiers)
    checkpoint = parse_checkpoint(note.text)
    logs = [each.name for each in note.verified if is_log_key(each.verifier)]
    if checkpoint.origin not in logs:
        raise NoteError("no trusted key of that log has signed the head")
    cosigned = [(each.name, each.timestamp) for each in note.verified]
    witnesses = tuple((name, at) for name, at in cosigned if at is not None)
    return HeldHead(source, checkpoint, witnesses)


def is_log_key(verifier: Verifier | None) -> bool:
    """Tell whether a key signs heads, rather than what it has seen of others."""
    return verifier is not None and verifier.kind is SignatureKind.ED25519


def read_own_head(reader: LogReader, path: str, verifiers: Sequence[Verifier]) -> OwnHead:
    """Read the checkpoint in a log's folder.

    Args:
        reader: of the log.
        path: what to call the checkpoint.
        verifiers: trusted keys, of logs and of witnesses.
    """
    try:
        data = reader.checkpoint_bytes()
    except TileError as exc:
        if exc.is_missing:
            return _bad_head(path, Verdict(Status.MISSING, Reason.HEAD_MISSING))
        return _bad_head(path, Verdict(Status.MALFORMED, Reason.NOT_A_HEAD, exc.problem))
    try:
        checkpoint = parse_checkpoint(split_note(data)[0])
    except NoteError as exc:
        return _bad_head(path, Verdict(Status.MALFORMED, Reason.NOT_A_HEAD, exc.message))
    if not any(is_log_key(each) for each in verifiers):
        return OwnHead(checkpoint)
    return _verify_own_head(data, checkpoint, path, verifiers)


def _verify_own_head(
    data: bytes, checkpoint: Checkpoint, path: str, verifiers: Sequence[Verifier]
) -> OwnHead:
    own = OwnHead(checkpoint)
    if not any(is_log_key(each) and each.name == checkpoint.origin for each in verifiers):
        verdict = Verdict(Status.INVALID, Reason.HEAD_OF_ANOTHER_LOG, checkpoint.origin)
        own.findings.append(Finding(path, verdict))
        return own
    try:
        own.held = open_head(data, path, verifiers)
    except NoteError as exc:
        verdict = Verdict(Status.INVALID, Reason.HEAD_SIGNATURE, exc.message)
        own.findings.append(Finding(path, verdict))
        return own
    own.is_signed = True
    strangers = find_strangers(data, verifiers)
    if strangers:
        own.findings.append(Finding(path, _strange(strangers)))
    return own


def find_strangers(data: bytes, verifiers: Sequence[Verifier]) -> list[str]:
    """Return signers that have the name or the id of a trusted key, but not both.

    Such a line proves nothing and harms nothing; it is what a damaged signature of a trusted key looks
    like, so that a person should know.
    """
    keys = {(each.name, each.key_hash) for each in verifiers}
    names = {name for name, _ in keys}
    hashes = {key_hash for _, key_hash in keys}
    return [
        each.name
        for each in split_note(data)[1]
        if (each.name, each.key_hash) not in keys
        and (each.name in names or each.key_hash in hashes)
    ]


def read_witness_folder(
    folder: Path, path: str, verifiers: Sequence[Verifier]
) -> tuple[list[HeldHead], list[Finding]]:
    """Read the heads that witnesses cosigned, as the box keeps them beside its log.

    They are on the box itself, so that only a trusted witness's signature makes one count.
    """
    heads: list[HeldHead] = []
    findings: list[Finding] = []
    for name in _list_files(folder):
        source = f"{path}/{name}"
        try:
            data = read_regular_file(folder / name, MAX_NOTE_BYTES)
            heads.append(open_head(data, source, verifiers))
        except NoteError as exc:
            findings.append(Finding(source, _bad_note(exc.message)))
        except MalformedError as exc:
            verdict = Verdict(Status.MALFORMED, Reason.NOT_A_HEAD, exc.detail or exc.reason)
            findings.append(Finding(source, verdict))
        except OSError as exc:
            verdict = Verdict(Status.NOT_READ, Reason.UNREADABLE, exc.strerror or "")
            findings.append(Finding(source, verdict))
        else:
            strangers = find_strangers(data, verifiers)
            if strangers:
                findings.append(Finding(source, _strange(strangers)))
    return heads, findings


def _strange(names: list[str]) -> Verdict:
    return Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_SIGNER, ", ".join(names))


def _bad_note(problem: str) -> Verdict:
    return Verdict(Status.INVALID, Reason.HEAD_SIGNATURE, problem)


def _list_files(folder: Path) -> list[str]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if not entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for name in names if not name.startswith(".vv-tmp-")]


def _bad_head(path: str, verdict: Verdict) -> OwnHead:
    return OwnHead(findings=[Finding(path, verdict)])


def _utc(seconds: int) -> str:
    """Return the text of a time; "" for one beyond what a calendar has."""
    try:
        return format_utc(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return ""
