"""Signed notes: text with Ed25519 signatures of logs and timestamped cosignatures of witnesses.

Formats: C2SP ``signed-note`` and ``tlog-cosignature`` (type 0x04), as Go's ``sumdb/note`` reads and writes
them. A text means nothing before a key that the reader was given has verified it; keys that a note or its
folder bring along are never used. `cryptography` is imported only to sign or verify.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from vv_core.tlog.note_keys import (
    CONTROL,
    ID_BYTES,
    MAX_NOTE_BYTES,
    SIGNATURE_START,
    NoteError,
    Signature,
    SignatureKind,
    Signer,
    Verifier,
    decode_base64,
    format_vkey,
    is_key_name,
    parse_vkey,
)

__all__ = [
    "MAX_NOTE_BYTES",
    "MAX_SIGNATURES",
    "Note",
    "NoteError",
    "Signature",
    "SignatureKind",
    "Signer",
    "Verifier",
    "add_signature_line",
    "decode_base64",
    "format_vkey",
    "is_key_name",
    "open_note",
    "parse_vkey",
    "sign_note",
    "split_note",
]

MAX_SIGNATURES = 100


@dataclass(frozen=True, slots=True)
class Note:
    """A text that at least one trusted key has signed.

    Attributes:
        text: the signed text, with its last newline.
        verified: one signature for each trusted key that signed.
        unverified: signatures of other keys; they prove nothing.
    """

    text: str
    verified: tuple[Signature, ...]
    unverified: tuple[Signature, ...] = ()


def sign_note(text: str, signer: Signer, timestamp: int | None = None) -> bytes:
    """Return a note with this text and one signature.

    Raises:
        NoteError: the text or the signer's name cannot stand in a note.
    """
    return f"{text}\n{signer.sign(text, timestamp).line}\n".encode()


def add_signature_line(data: bytes, signature: Signature) -> bytes:
    """Return the note with one more signature; an older one of the same key is replaced.

    Raises:
        NoteError: the data is not a note, or would get too many signatures.
    """
    text, signatures = split_note(data)
    key = (signature.name, signature.key_hash)
    kept = [each for each in signatures if (each.name, each.key_hash) != key]
    if len(kept) >= MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    lines = "".join(f"{each.line}\n" for each in [*kept, signature])
    return f"{text}\n{lines}".encode()


def split_note(data: bytes) -> tuple[str, list[Signature]]:
    """Return the text of a note and its signature lines, none of them verified.

    Raises:
        NoteError: the data is not a note.
    """
    if len(data) > MAX_NOTE_BYTES:
        raise NoteError(f"the note is larger than {MAX_NOTE_BYTES} bytes")
    try:
        content = data.decode("utf-8")
    except UnicodeDecodeError:
        raise NoteError("the note is not UTF-8") from None
    head, blank, tail = content.rpartition("\n\n")
    if not blank or not tail.endswith("\n") or CONTROL.search(content):
        raise NoteError("not a signed note: text, blank line and signature lines are expected")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("the note has too many signatures")
    return f"{head}\n", [_parse_signature(line) for line in lines]


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """Return a note after checking the signatures of the trusted keys.

    Args:
        data: the note.
        verifiers: the keys to trust; never taken from the note or from beside it.

    Raises:
        NoteError: it is not a note, a trusted key's signature is wrong, or none has signed.
        ConfigError: `cryptography` is not installed.
    """
    text, signatures = split_note(data)
    known = _by_name_and_hash(verifiers)
    verified: dict[Verifier, Signature] = {}
    unverified: dict[str, Signature] = {}
    for each in signatures:
        verifier = known.get((each.name, each.key_hash))
        if verifier is None:
            unverified.setdefault(each.line, each)
        elif verifier not in verified:
            timestamp = verifier.verify(text, each.data)
            verified[verifier] = Signature(each.name, each.key_hash, each.data, verifier, timestamp)
    if not verified:
        raise NoteError(
            "no trusted key has signed the note",
            advice="Give the verifier key of the log (or witness) that signed.",
        )
    return Note(text, tuple(verified.values()), tuple(unverified.values()))


def _parse_signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(SIGNATURE_START).partition(" ")
    data = decode_base64(encoded)
    if not line.startswith(SIGNATURE_START) or not is_key_name(name) or data is None:
        raise NoteError("a signature line of the note is malformed")
    if len(data) <= ID_BYTES:
        raise NoteError("a signature of the note is too short")
    return Signature(name, int.from_bytes(data[:ID_BYTES], "big"), data[ID_BYTES:])


def _by_name_and_hash(verifiers: Iterable[Verifier]) -> dict[tuple[str, int], Verifier]:
    known: dict[tuple[str, int], Verifier] = {}
    for verifier in verifiers:
        other = known.setdefault((verifier.name, verifier.key_hash), verifier)
        if other != verifier:
            raise NoteError(f"two of the given keys have the name and id of {verifier.name!r}")
    return known
