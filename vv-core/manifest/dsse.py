"""DSSE envelopes with one Ed25519 signature (secure-systems-lab/dsse, protocol v1.0.0).

What is signed is PAE(type, payload), so that neither type nor length of the payload can be argued about.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.errors import InputDataError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 16 * 1024 * 1024


class EnvelopeError(InputDataError):
    """A manifest does not have the form of one."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"vv-signature.json is malformed: {problem}",
            advice="Install this version again, or sign what is there: make sign.",
        )


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and its signature, not verified.

    Attributes:
        payload: the exact bytes that were signed.
        keyid: a hint which key signed; proves nothing.
        signature: 64 bytes.
    """

    payload: bytes
    keyid: str
    signature: bytes

    @property
    def signed_message(self) -> bytes:
        """The bytes that the signature covers."""
        return pre_authentication_encoding(PAYLOAD_TYPE, self.payload)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return PAE of DSSE v1: ``DSSEv1 <len> <type> <len> <payload>``."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, keyid: str, sign: Callable[[bytes], bytes]) -> bytes:
    """Return the file of an envelope.

    Args:
        payload: what to sign.
        keyid: names the key.
        sign: returns the Ed25519 signature of a message.
    """
    signature = sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    document = {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.b64encode(payload).decode("ascii"),
        "signatures": [{"keyid": keyid, "sig": base64.b64encode(signature).decode("ascii")}],
    }
    return json.dumps(document, indent=2).encode("ascii") + b"\n"


def parse_envelope(data: bytes) -> Envelope:
    """Return the payload and signature of an envelope.

    Raises:
        EnvelopeError: it is not an envelope with exactly one signature and our type of payload.
    """
    try:
        document = load_strict(data, max_bytes=MAX_ENVELOPE_BYTES)
    except MalformedError as exc:
        raise EnvelopeError(exc.reason.replace("_", " ")) from None
    if not isinstance(document, dict) or document.keys() != {
        "payloadType",
        "payload",
        "signatures",
    }:
        raise EnvelopeError("it needs payloadType, payload and signatures, and nothing else")
    if document["payloadType"] != PAYLOAD_TYPE:
        raise EnvelopeError(f"its payload is not {PAYLOAD_TYPE}")
    signatures = document["signatures"]
    if not isinstance(signatures, list) or len(signatures) != 1:
        raise EnvelopeError("it needs exactly one signature")
    signature = signatures[0]
    if not isinstance(signature, dict) or signature.keys() != {"keyid", "sig"}:
        raise EnvelopeError("a signature needs keyid and sig, and nothing else")
    if not isinstance(signature["keyid"], str):
        raise EnvelopeError("the keyid is not text")
    return Envelope(_decode(document["payload"]), signature["keyid"], _decode(signature["sig"]))


def _decode(text: Any) -> bytes:
    if not isinstance(text, str):
        raise EnvelopeError("payload and sig are text")
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise EnvelopeError("payload or sig is not base64") from None
    if base64.b64encode(data).decode("ascii") != text:
        raise EnvelopeError("payload or sig is not canonical base64")
    return data
