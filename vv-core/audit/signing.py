"""Signing a document and checking its signature; no files here.

The signature is HMAC-SHA256 over the canonical form of all fields except
``signature_details.signature``, so that algorithm and key id are covered too
(``contract.signature.json``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from vv_core.audit.canonical import MalformedError, canonical_bytes
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.utils import sign_payload, verify_signature

ALGORITHM = "HMAC-SHA256"
SIGNATURE_FIELD = "signature_details"
_KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_LOGLINE_SCHEMA = re.compile(r"vv\.logline/[1-9][0-9]{0,8}")
_LOGEVENT_SCHEMA = re.compile(r"vv\.logevent/[1-9][0-9]{0,8}")


def is_key_id(text: object) -> bool:
    """Tell whether this may name a key."""
    return isinstance(text, str) and _KEY_ID.fullmatch(text) is not None


def is_logline(document: object) -> bool:
    """Tell whether a document calls itself a LogLine, of whatever version."""
    name = document.get("schema") if isinstance(document, dict) else None
    return isinstance(name, str) and _LOGLINE_SCHEMA.fullmatch(name) is not None


def is_logevent(document: object) -> bool:
    """Tell whether a document calls itself an event of a log, of whatever version."""
    name = document.get("schema") if isinstance(document, dict) else None
    return isinstance(name, str) and _LOGEVENT_SCHEMA.fullmatch(name) is not None


def is_line(document: object) -> bool:
    """Tell whether a document calls itself what a log may hold: a LogLine or an event."""
    return is_logline(document) or is_logevent(document)


def sign_document(document: Mapping[str, Any], key_id: str, secret: bytes) -> dict[str, Any]:
    """Return the document with ``signature_details``.

    Args:
        document: an object of the canonical subset; old signature details are replaced.
        key_id: the name of the key, as in the key store.
        secret: the key, as in the key store.

    Raises:
        MalformedError: the document has no canonical form, or is too large with its signature.
        ValueError: the key id has no valid form.
    """
    if not is_key_id(key_id):
        raise ValueError(f"not a key id: {key_id!r}")
    details = {"algorithm": ALGORITHM, "key_id": key_id}
    payload = canonical_bytes({**document, SIGNATURE_FIELD: details})
    details["signature"] = sign_payload(payload, secret)
    signed = {**document, SIGNATURE_FIELD: details}
    canonical_bytes(signed)
    return signed


def verify_document(document: Any, keys: Mapping[str, bytes]) -> Verdict:
    """Check the signature of a document, and nothing else.

    Args:
        document: any value; usually from `load_strict`.
        keys: secrets by key id.

    Returns:
        VALID with the document; or what is wrong. Numbers continue those of `verify.verify_bytes`.
    """
    return _verify_payload(document, keys, lambda: signed_payload(document))


def verify_canonical(data: bytes, document: Any, keys: Mapping[str, bytes]) -> Verdict:
    """Check the signature of a document whose canonical form is at hand.

    The same verdict as from `verify_document`; the form is not made a second time.

    Args:
        data: the canonical form, without a newline.
        document: its value, as from `canonical.load_canonical`.
        keys: secrets by key id.
    """
    return _verify_payload(document, keys, lambda: _cut_signature(data, document))


def _verify_payload(
    document: Any, keys: Mapping[str, bytes], get_payload: Callable[[], bytes]
) -> Verdict:
    # 2. It is an object that carries signature details of the agreed form.
    details = document.get(SIGNATURE_FIELD) if isinstance(document, dict) else None
    if not isinstance(details, dict) or not _has_signature_form(details):
        reason = Reason.NO_SIGNATURE if is_line(document) else Reason.NOT_A_LOGLINE
        return Verdict(Status.MALFORMED, reason)
    key_id = details["key_id"]
    # 3. The algorithm is ours. A document never chooses another one.
    if details["algorithm"] != ALGORITHM:
        return Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_ALGORITHM, key_id=key_id)
    # 4. The key is known.
    secret = keys.get(key_id)
    if secret is None:
        return Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_KEY, key_id=key_id)
    # 5. The signature is that key's, over everything else.
    try:
        payload = get_payload()
    except MalformedError as exc:
        return Verdict(Status.MALFORMED, exc.reason, exc.detail, key_id)
    if not verify_signature(payload, secret, details["signature"]):
        return Verdict(Status.INVALID, Reason.SIGNATURE_MISMATCH, key_id=key_id)
    return Verdict(Status.VALID, Reason.SIGNATURE_MATCHES, key_id=key_id, document=document)


def _cut_signature(data: bytes, document: Mapping[str, Any]) -> bytes:
    """Return what `signed_payload` returns, by cutting the signature out of the canonical form."""
    details = document[SIGNATURE_FIELD]
    # No quote stands unescaped within a text, so that these bytes are nothing but this object; twice
    # they may stand only where an object further in has the same name and content.
    head = (
        f'"{SIGNATURE_FIELD}":{{"algorithm":"{ALGORITHM}","key_id":"{details["key_id"]}"'.encode()
    )
    before, found, after = data.partition(head)
    if not found or head in after:
        return signed_payload(document)
    # The rest begins with ,"signature":"<64 digits>"
    return before + found + after[len(',"signature":""') + len(details["signature"]) :]


def signed_payload(document: Mapping[str, Any]) -> bytes:
    """Return the bytes that the signature of a document covers.

    Raises:
        MalformedError: the document has no canonical form.
    """
    details = {k: v for k, v in document[SIGNATURE_FIELD].items() if k != "signature"}
    return canonical_bytes({**document, SIGNATURE_FIELD: details})


def _has_signature_form(details: dict[str, Any]) -> bool:
    signature = details.get("signature")
    return (
        details.keys() == {"algorithm", "key_id", "signature"}
        and isinstance(details["algorithm"], str)
        and is_key_id(details["key_id"])
        and isinstance(signature, str)
        and _SIGNATURE.fullmatch(signature) is not None
    )
