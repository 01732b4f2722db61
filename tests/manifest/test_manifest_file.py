"""The file vv-signature.json: its form, its signature, and what other tools make of it."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.manifest.trees import FILES, OTHER, SIGNER, make_tree, sign_tree
from vv_core.manifest.check import (
    check_installation,
)
from vv_core.manifest.dsse import EnvelopeError, parse_envelope, pre_authentication_encoding, seal
from vv_core.manifest.statement import is_inside
from vv_core.manifest.tree import MANIFEST_NAME
from vv_core.tlog.note import Signer

MODULE = "vv-core/pipeline/cycle.py"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = make_tree(tmp_path / "app")
    assert sign_tree(root) == []
    return root


def test_every_bit_of_the_manifest_counts(tree: Path) -> None:
    path = tree / MANIFEST_NAME
    data = path.read_bytes()
    for position in range(0, len(data), 3):
        changed = bytearray(data)
        changed[position] ^= 1 << (position % 8)
        path.write_bytes(changed)
        report = check_installation(tree, SIGNER.verifier)
        # White space and the key's hint prove nothing and change nothing; all else is noticed.
        if report.is_verified:
            assert parse_envelope(bytes(changed)).payload == parse_envelope(data).payload
            assert parse_envelope(bytes(changed)).signature == parse_envelope(data).signature


def rewritten(root: Path, change: Callable[[dict[str, Any]], object], signer: Signer) -> None:
    """Write a manifest with other statements, signed by some key."""
    envelope = parse_envelope((root / MANIFEST_NAME).read_bytes())
    statement = json.loads(envelope.payload)
    change(statement)
    payload = json.dumps(statement).encode()
    (root / MANIFEST_NAME).write_bytes(seal(payload, "x", signer.private_key.sign))


def test_a_manifest_signed_again_by_another_is_told(tree: Path) -> None:
    (tree / MODULE).write_text("evil")
    sign_tree(tree, OTHER)
    report = check_installation(tree, SIGNER.verifier)
    assert "another key" in report.problem
    assert not report.is_verified
    # Without a pinned key the change of keys cannot be seen, and the report says that none is pinned.
    assert check_installation(tree).is_verified
    assert not check_installation(tree).is_pinned


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "a path that climbs": lambda s: s["subject"][0].update(name="../x"),
    "an absolute path": lambda s: s["subject"][0].update(name="/etc/passwd"),
    "an empty path": lambda s: s["subject"][0].update(name=""),
    "a path with a NUL": lambda s: s["subject"][0].update(name="a\0b"),
    "a file twice": lambda s: s["subject"].append(s["subject"][0]),
    "no files": lambda s: s.update(subject=[]),
    "a size that is a truth": lambda s: s["subject"][0]["annotations"].update(size=True),
    "a negative size": lambda s: s["subject"][0]["annotations"].update(size=-1),
    "a mode of everybody": lambda s: s["subject"][0]["annotations"].update(mode="0777"),
    "another digest": lambda s: s["subject"][0].update(digest={"md5": "0"}),
    "another statement": lambda s: s.update(predicateType="https://slsa.dev/provenance/v1"),
    "an unknown field": lambda s: s["predicate"].update(more=1),
    "no version": lambda s: s["predicate"].pop("version"),
    "a time that is none": lambda s: s["predicate"].update(created="today"),
    "a commit that is none": lambda s: s["predicate"].update(commit="HEAD"),
    "a text for a truth": lambda s: s["predicate"].update(development="no"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_manifest_of_another_form_is_refused(tree: Path, name: str) -> None:
    rewritten(tree, WRONG[name], SIGNER)
    report = check_installation(tree, SIGNER.verifier)
    assert "malformed" in report.problem
    assert report.manifest is None


ENVELOPES: dict[str, bytes] = {
    "nothing": b"",
    "a list": b"[]",
    "deep": b"[" * 100_000,
    "a key twice": b'{"payload":"","payload":""}',
    "no signature": b'{"payloadType":"application/vnd.in-toto+json","payload":"","signatures":[]}',
    "another type": b'{"payloadType":"text/plain","payload":"","signatures":[]}',
    "not base64": json.dumps(
        {
            "payloadType": "application/vnd.in-toto+json",
            "payload": "!",
            "signatures": [{"keyid": "", "sig": ""}],
        }
    ).encode(),
    "binary": b"\xff\xfe\0",
}


@pytest.mark.parametrize("name", ENVELOPES)
def test_an_envelope_of_another_form_is_refused(tree: Path, name: str) -> None:
    (tree / MANIFEST_NAME).write_bytes(ENVELOPES[name])
    report = check_installation(tree)
    assert report.problem
    assert report.sha256 is not None
    with pytest.raises(EnvelopeError):
        parse_envelope(ENVELOPES[name])


def test_the_manifest_itself_may_not_be_a_link(tree: Path, tmp_path: Path) -> None:
    (tree / MANIFEST_NAME).rename(tmp_path / "m")
    (tree / MANIFEST_NAME).symlink_to(tmp_path / "m")
    assert "symbolic link" in check_installation(tree).problem


def test_pae_is_that_of_the_specification() -> None:
    """The example of secure-systems-lab/dsse, protocol.md."""
    assert (
        pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_other_tools_read_it(tree: Path) -> None:
    document = json.loads((tree / MANIFEST_NAME).read_bytes())
    statement = json.loads(base64.b64decode(document["payload"]))
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    names = [subject["name"] for subject in statement["subject"]]
    assert names == sorted(FILES)
    message = pre_authentication_encoding(
        document["payloadType"], base64.b64decode(document["payload"])
    )
    signature = base64.b64decode(document["signatures"][0]["sig"])
    SIGNER.private_key.public_key().verify(signature, message)


@given(st.text(max_size=20))
def test_a_path_that_is_inside_stays_inside(text: str) -> None:
    if is_inside(text):
        assert os.path.normpath(f"/root/{text}") == f"/root/{text}"
