from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.samples import (
    EXAMPLE_KEY_ID,
    EXAMPLE_SECRET,
    KEYS,
    signed_logline,
    unsigned_logline,
    vector_path,
)
from tests.audit.test_canonical import texts, values
from vv_core.audit.canonical import MalformedError, canonical_bytes
from vv_core.audit.signing import sign_document, signed_payload, verify_document
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.utils import sign_payload, verify_signature


def wycheproof_tests() -> Iterator[dict[str, Any]]:
    document = json.loads(vector_path("hmac_sha256_test.json").read_bytes())
    for group in document["testGroups"]:
        for test in group["tests"]:
            yield {**test, "tagSize": group["tagSize"]}


def test_wycheproof_hmac_sha256() -> None:
    count = 0
    for test in wycheproof_tests():
        secret, message = bytes.fromhex(test["key"]), bytes.fromhex(test["msg"])
        # A cut tag proves the first bits only; ours is always whole and a cut one is refused.
        expected = sign_payload(message, secret)[: test["tagSize"] // 4]
        assert (expected == test["tag"]) == (test["result"] == "valid"), test["tcId"]
        is_whole = test["tagSize"] == 256
        accepted = verify_signature(message, secret, test["tag"])
        assert accepted == (is_whole and test["result"] == "valid"), test["tcId"]
        count += 1
    assert count == 174


@given(st.dictionaries(texts, values, max_size=5), st.binary(min_size=32, max_size=40))
def test_what_was_signed_verifies_and_with_another_key_does_not(
    document: dict[str, Any], secret: bytes
) -> None:
    signed = sign_document(document, "k1", secret)
    verdict = verify_document(signed, {"k1": secret})
    assert verdict == Verdict(Status.VALID, Reason.SIGNATURE_MATCHES, key_id="k1")
    assert verdict.document == signed
    other = bytes([secret[0] ^ 1]) + secret[1:]
    assert verify_document(signed, {"k1": other}).status is Status.INVALID
    assert verify_document(signed, {"k2": secret}).status is Status.UNVERIFIABLE


def test_the_signature_covers_the_canonical_form_without_itself() -> None:
    signed = signed_logline()
    details = signed["signature_details"]
    expected = {
        **unsigned_logline(),
        "signature_details": {"algorithm": "HMAC-SHA256", "key_id": EXAMPLE_KEY_ID},
    }
    assert signed_payload(signed) == canonical_bytes(expected)
    assert verify_signature(canonical_bytes(expected), EXAMPLE_SECRET, details["signature"])


def test_every_field_is_covered() -> None:
    signed = signed_logline()
    for key in signed.keys() - {"signature_details"}:
        without = {k: v for k, v in signed.items() if k != key}
        assert verify_document(without, KEYS).status is Status.INVALID, key
        assert verify_document({**signed, key: "x"}, KEYS).status is Status.INVALID, key
    assert verify_document({**signed, "more": 1}, KEYS).status is Status.INVALID


def test_the_key_id_is_covered() -> None:
    signed = signed_logline()
    signed["signature_details"]["key_id"] = "other"
    verdict = verify_document(signed, {**KEYS, "other": EXAMPLE_SECRET})
    assert (verdict.status, verdict.reason) == (Status.INVALID, Reason.SIGNATURE_MISMATCH)


def test_signing_again_replaces_the_signature() -> None:
    again = sign_document(signed_logline(), "k2", b"another secret of 32 bytes......")
    assert again["signature_details"]["key_id"] == "k2"
    assert verify_document(again, {"k2": b"another secret of 32 bytes......"}).document == again


def test_the_document_is_not_changed() -> None:
    document = unsigned_logline()
    sign_document(document, EXAMPLE_KEY_ID, EXAMPLE_SECRET)
    assert document == unsigned_logline()


GOOD = {"algorithm": "HMAC-SHA256", "key_id": "example", "signature": "0" * 64}
NO_SIGNATURE: dict[str, Any] = {
    "missing": None,
    "text": "HMAC-SHA256",
    "no signature": {k: v for k, v in GOOD.items() if k != "signature"},
    "more keys": {**GOOD, "note": "x"},
    "algorithm is a number": {**GOOD, "algorithm": 1},
    "key id with a slash": {**GOOD, "key_id": "../example"},
    "key id with a newline": {**GOOD, "key_id": "example\n"},
    "empty key id": {**GOOD, "key_id": ""},
    "long key id": {**GOOD, "key_id": "k" * 65},
    "key id is a list": {**GOOD, "key_id": ["example"]},
    "upper-case signature": {**GOOD, "signature": "A" * 64},
    "short signature": {**GOOD, "signature": "0" * 63},
    "signature with a newline": {**GOOD, "signature": "0" * 64 + "\n"},
    "signature in other digits": {**GOOD, "signature": "٠" * 64},
    "signature is a number": {**GOOD, "signature": 0},
}


@pytest.mark.parametrize("details", NO_SIGNATURE.values(), ids=NO_SIGNATURE)
def test_signature_details_of_another_form(details: Any) -> None:
    document = {**unsigned_logline(), "signature_details": details}
    verdict = verify_document(document, KEYS)
    assert (verdict.status, verdict.reason) == (Status.MALFORMED, Reason.NO_SIGNATURE)
    assert verdict.document is None


@pytest.mark.parametrize("document", [None, [], "text", 3, {}, {"schema": 1}, {"schema": "x"}])
def test_something_else(document: Any) -> None:
    verdict = verify_document(document, KEYS)
    assert (verdict.status, verdict.reason) == (Status.MALFORMED, Reason.NOT_A_LOGLINE)


@pytest.mark.parametrize("algorithm", ["none", "", "HMAC-SHA1", "hmac-sha256", "Ed25519"])
def test_a_document_cannot_choose_its_algorithm(algorithm: str) -> None:
    signed = signed_logline()
    signed["signature_details"]["algorithm"] = algorithm
    verdict = verify_document(signed, KEYS)
    assert (verdict.status, verdict.reason) == (Status.UNVERIFIABLE, Reason.UNKNOWN_ALGORITHM)


def test_an_unknown_key_is_neither_valid_nor_invalid() -> None:
    verdict = verify_document(signed_logline(), {})
    assert verdict == Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_KEY, key_id=EXAMPLE_KEY_ID)


def test_a_document_without_canonical_form_is_malformed() -> None:
    verdict = verify_document({**signed_logline(), "media": 1.5}, KEYS)
    assert (verdict.status, verdict.reason) == (Status.MALFORMED, Reason.NOT_AN_INTEGER)


def test_what_cannot_be_signed_is_refused() -> None:
    with pytest.raises(MalformedError, match="not an integer"):
        sign_document({"a": 0.5}, "k", EXAMPLE_SECRET)
    with pytest.raises(ValueError, match="not a key id"):
        sign_document({}, "a b", EXAMPLE_SECRET)


def test_a_document_that_is_too_large_only_with_its_signature_is_refused() -> None:
    room = 65_535 - len(canonical_bytes({"a": "", "signature_details": GOOD})) + len("example") - 1
    sign_document({"a": "x" * room}, "k", EXAMPLE_SECRET)
    with pytest.raises(MalformedError, match="too large"):
        sign_document({"a": "x" * (room + 1)}, "k", EXAMPLE_SECRET)
