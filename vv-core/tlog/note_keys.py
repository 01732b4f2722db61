"""Keys of signed notes: names, ids, verifier key lines, and Ed25519 itself; see `note`."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from vv_core.errors import ConfigError, InputDataError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_NOTE_BYTES = 64 * 1024
SIGNATURE_START = "— "
_PUBLIC_KEY_BYTES = 32
_SIGNATURE_BYTES = 64
ID_BYTES = 4
_TIMESTAMP_BYTES = 8
_MAX_TIMESTAMP = 2**63 - 1
_VKEY = re.compile(r"(?P<name>[^+]+)\+(?P<hash>[0-9a-f]{8})\+(?P<key>[A-Za-z0-9+/]+={0,2})")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(InputDataError):
    """A note, its signatures or a verifier key cannot be used."""

    def __init__(self, message: str, *, advice: str = "Use the file as it was written.") -> None:
        super().__init__(message, advice=advice)


class SignatureKind(IntEnum):
    """How a key signs; the values are C2SP's type bytes."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key that the reader trusts.

    Attributes:
        name: the key's name; of a log it is the log's origin.
        public_key: 32 bytes (RFC 8032).
        kind: how it signs.
    """

    name: str
    public_key: bytes
    kind: SignatureKind = SignatureKind.ED25519

    @property
    def key_hash(self) -> int:
        """The key id: the first four bytes of SHA-256 over name, newline, type and key."""
        digest = sha256(f"{self.name}\n".encode() + bytes([self.kind]) + self.public_key).digest()
        return int.from_bytes(digest[:ID_BYTES], "big")

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check the signature of a text, given without its key id.

        Returns:
            The time of a cosignature (seconds since 1970), None for a plain signature.

        Raises:
            NoteError: it is not this key's signature of this text.
            ConfigError: `cryptography` is not installed.
        """
        timestamp = None
        if self.kind is SignatureKind.COSIGNATURE_V1:
            timestamp = int.from_bytes(signature[:_TIMESTAMP_BYTES], "big")
            signature = signature[_TIMESTAMP_BYTES:]
        is_right = len(signature) == _SIGNATURE_BYTES and (timestamp or 0) <= _MAX_TIMESTAMP
        if not is_right or not verify_ed25519(
            self.public_key, signature, _signed_message(text, timestamp)
        ):
            raise NoteError(f"the signature of {self.name!r} does not match the text")
        return timestamp


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line.

    Attributes:
        name: the key's name, as the line gives it.
        key_hash: the key's id, as the line gives it.
        data: the signature, without the key id.
        verifier: the trusted key that verified it; None where the key is not known.
        timestamp: the time of a verified cosignature, in seconds since 1970.
    """

    name: str
    key_hash: int
    data: bytes = field(repr=False)
    verifier: Verifier | None = None
    timestamp: int | None = None

    @property
    def line(self) -> str:
        """The line as it stands in a note, without its newline."""
        encoded = base64.b64encode(self.key_hash.to_bytes(ID_BYTES, "big") + self.data)
        return f"{SIGNATURE_START}{self.name} {encoded.decode('ascii')}"


@dataclass(frozen=True)
class Signer:
    """A private key that signs notes.

    Attributes:
        name: the key's name.
        private_key: kept out of `repr`.
        kind: how it signs.
    """

    name: str
    private_key: Ed25519PrivateKey = field(repr=False)
    kind: SignatureKind = SignatureKind.ED25519

    @property
    def verifier(self) -> Verifier:
        """The public side of this key.

        Raises:
            NoteError: the name may not name a key.
        """
        _check_name(self.name)
        return Verifier(self.name, self.private_key.public_key().public_bytes_raw(), self.kind)

    def sign(self, text: str, timestamp: int | None = None) -> Signature:
        """Return this key's signature of a text.

        Args:
            text: ends in a newline.
            timestamp: seconds since 1970; exactly for a cosignature.

        Raises:
            NoteError: the text or the name cannot stand in a note.
            ValueError: a timestamp is missing, not wanted, or out of range.
        """
        if (timestamp is None) == (self.kind is SignatureKind.COSIGNATURE_V1):
            raise ValueError("a cosignature has a timestamp, and nothing else has")
        _check_text(text)
        data = self.private_key.sign(_signed_message(text, timestamp))
        if timestamp is not None:
            if not 0 <= timestamp <= _MAX_TIMESTAMP:
                raise ValueError(f"not a timestamp: {timestamp}")
            data = timestamp.to_bytes(_TIMESTAMP_BYTES, "big") + data
        verifier = self.verifier
        return Signature(self.name, verifier.key_hash, data, verifier, timestamp)


def parse_vkey(text: str) -> Verifier:
    """Return the key of a verifier key line: ``<name>+<hex key id>+<base64 of type and key>``.

    Raises:
        NoteError: it is not one, its key id does not fit, or its type is not known.
    """
    advice = "Give the whole line that vv-log prints as the key (name+id+key), in quotes."
    match = _VKEY.fullmatch(text.strip())
    raw_key = decode_base64(match["key"]) if match else None
    if match is None or not raw_key or not is_key_name(match["name"]):
        raise NoteError("not a verifier key", advice=advice)
    if raw_key[0] not in set(SignatureKind):
        raise NoteError(f"the verifier key has the unknown type {raw_key[0]}", advice=advice)
    if len(raw_key) != 1 + _PUBLIC_KEY_BYTES:
        raise NoteError("the verifier key does not have 32 bytes", advice=advice)
    verifier = Verifier(match["name"], raw_key[1:], SignatureKind(raw_key[0]))
    if verifier.key_hash != int(match["hash"], 16):
        raise NoteError("the verifier key does not fit its name and id", advice=advice)
    return verifier


def format_vkey(verifier: Verifier) -> str:
    """Return the verifier key line of a key, without a newline."""
    encoded = base64.b64encode(bytes([verifier.kind]) + verifier.public_key).decode("ascii")
    return f"{verifier.name}+{verifier.key_hash:08x}+{encoded}"


def is_key_name(text: str) -> bool:
    """Tell whether this may name a key: some text without spaces, control characters or "+"."""
    return bool(text) and not any(
        char.isspace() or char == "+" or char < " " or "\ud800" <= char <= "\udfff" for char in text
    )


def decode_base64(text: str) -> bytes | None:
    """Return what canonical standard base64 encodes, or None for anything else."""
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


def _signed_message(text: str, timestamp: int | None) -> bytes:
    head = "" if timestamp is None else f"cosignature/v1\ntime {timestamp}\n"
    return f"{head}{text}".encode()


def _check_name(name: str) -> None:
    if not is_key_name(name):
        raise NoteError(
            f"{name!r} cannot name a key",
            advice="Use a name without spaces and without +, as box-1.example.com/log.",
        )


def _check_text(text: str) -> None:
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        raise NoteError("the text of a note is Unicode") from None
    if not text.endswith("\n") or CONTROL.search(text) or size > MAX_NOTE_BYTES:
        raise NoteError("the text of a note ends in a newline and has no control characters")


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise ConfigError(
            "signed heads cannot be checked: the package cryptography is not installed",
            advice="Install it (pip install cryptography), or audit with --key-file only.",
        ) from None
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
