"""The six functions of the blueprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core import utils
from vv_core.audit.keys import create_key_store
from vv_core.errors import (
    ConfigError,
    InputMissingError,
    KeyAccessError,
    SchemaViolation,
    TemporaryError,
)
from vv_schemas import example_path, schema_names, schema_path


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 1024 * 1024 + 1])
def test_sha256_is_that_of_the_content(tmp_path: Path, size: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"\xa5" * size)
    assert utils.compute_sha256(path) == hashlib.sha256(b"\xa5" * size).hexdigest()


def test_sha256_of_what_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError):
        utils.compute_sha256(tmp_path / "gone")
    with pytest.raises(TemporaryError):
        utils.compute_sha256(tmp_path)


# RFC 4231, test cases 1, 2, 3, 6 and 7 (key, data, HMAC-SHA-256).
RFC_4231 = [
    (
        "0b" * 20,
        b"Hi There".hex(),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
    ),
    (
        b"Jefe".hex(),
        b"what do ya want for nothing?".hex(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        (
            b"This is a test using a larger than block-size key and a larger than block-size data."
            b" The key needs to be hashed before being used by the HMAC algorithm."
        ).hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.mark.parametrize(("key", "data", "expected"), RFC_4231)
def test_signatures_are_those_of_the_rfc(key: str, data: str, expected: str) -> None:
    payload, secret = bytes.fromhex(data), bytes.fromhex(key)
    assert utils.sign_payload(payload, secret) == expected
    assert utils.verify_signature(payload, secret, expected)


@unhurried
@given(st.binary(max_size=50), st.binary(min_size=1, max_size=50), st.integers(0, 63))
def test_a_signature_verifies_as_it_is_and_not_otherwise(
    payload: bytes, secret: bytes, place: int
) -> None:
    signature = utils.sign_payload(payload, secret)
    changed = "0" if signature[place] != "0" else "1"
    forged = signature[:place] + changed + signature[place + 1 :]
    assert utils.verify_signature(payload, secret, signature)
    assert not utils.verify_signature(payload, secret, forged)
    assert not utils.verify_signature(payload + b"x", secret, signature)
    assert not utils.verify_signature(payload, secret + b"x", signature)


@pytest.mark.parametrize("signature", ["", "é", "\ud800", "0" * 63, "Á" * 64])
def test_what_is_no_signature_does_not_verify(signature: str) -> None:
    assert not utils.verify_signature(b"payload", b"secret", signature)


def test_a_signature_in_capitals_does_not_verify() -> None:
    signature = utils.sign_payload(b"payload", b"secret")
    assert not utils.verify_signature(b"payload", b"secret", signature.upper())


@pytest.mark.parametrize("content", [None, "[]", "{", '{"a": 1, "a": 1}'])
def test_a_schema_that_cannot_be_loaded_is_a_fault_of_the_installation(
    tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "x.schema.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigError, match=r"x\.schema\.json"):
        utils.load_schema(path)


@pytest.mark.parametrize("schema", [{"type": "nothing"}, {"$ref": "gone.schema.json"}])
def test_a_schema_that_is_none_is_a_fault_of_the_installation(
    tmp_path: Path, schema: dict[str, Any]
) -> None:
    path = tmp_path / "x.schema.json"
    path.write_text(json.dumps(schema))
    with pytest.raises(ConfigError):
        utils.validate_schema({}, path)


def test_schemas_refer_to_their_neighbours(tmp_path: Path) -> None:
    path = tmp_path / "x.schema.json"
    path.write_text(json.dumps({"properties": {"a": {"$ref": "y.schema.json"}}}))
    (tmp_path / "y.schema.json").write_text(json.dumps({"type": "integer"}))
    utils.validate_schema({"a": 1}, path)
    with pytest.raises(SchemaViolation, match="a: "):
        utils.validate_schema({"a": "1"}, path)


@pytest.mark.parametrize("name", [name for name in schema_names() if example_path(name).exists()])
def test_examples_follow_their_schemas(name: str) -> None:
    example = json.loads(example_path(name).read_bytes())
    utils.validate_schema(example, schema_path(name))
    with pytest.raises(SchemaViolation):
        utils.validate_schema({**example, "unknown": 1}, schema_path(name))


def test_a_violation_names_place_and_reason_but_not_a_hundred_of_them(tmp_path: Path) -> None:
    path = tmp_path / "x.schema.json"
    path.write_text(json.dumps({"items": {"type": "integer"}}))
    with pytest.raises(SchemaViolation) as caught:
        utils.validate_schema([0, *["x" * 10_000] * 100], path)
    assert caught.value.message.startswith("does not follow x.schema.json: 1: ")
    assert caught.value.message.count(";") == 2
    assert len(caught.value.message) < 1000


@pytest.mark.parametrize(
    "document", [{"a": "\ud800"}, {"\udc80": 1}, {1: 2}, {"a": object()}, {"a": {1}}]
)
def test_what_has_no_json_form_is_a_violation(tmp_path: Path, document: Any) -> None:
    path = tmp_path / "x.schema.json"
    path.write_text('{"type": "object", "additionalProperties": {"enum": ["x"]}}')
    with pytest.raises(SchemaViolation):
        utils.validate_schema(document, path)


def test_the_key_store_gives_secrets_by_id(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    key_id = create_key_store(path)
    keys = utils.load_key_store(path)
    assert list(keys) == [key_id]
    assert len(keys[key_id]) == 32


def test_a_key_store_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    create_key_store(path)
    path.chmod(0o644)
    with pytest.raises(KeyAccessError):
        utils.load_key_store(path)
    with pytest.raises(KeyAccessError):
        utils.load_key_store(tmp_path / "gone.json")
