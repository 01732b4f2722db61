"""A bundle opens when everything is as it was signed, and never otherwise."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.bundle.bundles import (
    CONTENTS,
    make_bundle,
    make_signer,
    resign,
    right_members,
    statement_of,
    write_members,
)
from vv_core.bundle import opening
from vv_core.bundle.opening import (
    ENVELOPE,
    BundleError,
    check_bundle,
    fingerprint,
    is_signed_by,
    parse_vkey,
    unpack_bundle,
)
from vv_core.tlog.note import Signer, format_vkey

Members = list[tuple[tarfile.TarInfo, bytes]]


@pytest.fixture
def signer(tmp_path: Path) -> Signer:
    return make_signer(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path, signer: Signer) -> Path:
    return make_bundle(tmp_path, signer)


def test_unpacks_what_was_signed(tmp_path: Path, bundle: Path, signer: Signer) -> None:
    target = tmp_path / "out"
    statement = unpack_bundle(bundle, target, format_vkey(signer.verifier))
    assert statement["predicate"]["version"] == "1.2.3"
    found = {
        path.relative_to(target).as_posix(): path.read_bytes()
        for path in target.rglob("*")
        if path.is_file()
    }
    assert found == CONTENTS
    assert not target.with_name("out.new").exists()
    assert {path.stat().st_mode & 0o777 for path in target.rglob("*") if path.is_file()} == {0o644}


def test_trusts_the_named_key_on_first_use_only(tmp_path: Path, bundle: Path) -> None:
    assert check_bundle(bundle, None)["predicate"]["vkey"].startswith("vv-manifest+")
    other = format_vkey(make_signer(tmp_path, "other").verifier)
    with pytest.raises(BundleError, match="not signed by the key that is trusted") as caught:
        check_bundle(bundle, other)
    assert caught.value.exit_code == 77


# RFC 8032, 7.1: TEST 1, 2, 3 and SHA(abc).
VECTORS = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), VECTORS)
def test_ed25519_as_in_the_rfc(key: str, message: str, signature: str) -> None:
    raw = bytes.fromhex(signature)
    assert is_signed_by(bytes.fromhex(key), bytes.fromhex(message), raw)
    assert not is_signed_by(bytes.fromhex(key), bytes.fromhex(message) + b"\0", raw)
    # S + L is another number and the same signature: malleable, so refused (5.1.7).
    high = int.from_bytes(raw[32:], "little") + 2**252 + 27742317777372353535851937790883648493
    assert not is_signed_by(
        bytes.fromhex(key), bytes.fromhex(message), raw[:32] + high.to_bytes(32, "little")
    )


@settings(max_examples=30)
@given(
    seed=st.binary(min_size=32, max_size=32),
    message=st.binary(max_size=300),
    bit=st.integers(0, 511),
)
def test_ed25519_agrees_with_cryptography(seed: bytes, message: bytes, bit: int) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public = private.public_key().public_bytes_raw()
    signature = private.sign(message)
    assert is_signed_by(public, message, signature)
    broken = bytearray(signature)
    broken[bit // 8] ^= 1 << bit % 8
    assert not is_signed_by(public, message, bytes(broken))


@pytest.mark.parametrize(
    ("key", "signature"),
    [
        (b"\xff" * 32, b"\0" * 64),  # y beyond the field
        (b"\2" + b"\0" * 31, b"\0" * 64),  # no point of the curve
        (b"\1" + b"\0" * 30 + b"\x80", b"\0" * 64),  # x = 0 with a sign
        (b"short", b"\0" * 64),
        (b"\1" + b"\0" * 31, b"\0" * 63),
        (b"\1" + b"\0" * 31, b"\2" + b"\0" * 63),  # R is no point
    ],
)
def test_what_is_no_key_or_signature_verifies_nothing(key: bytes, signature: bytes) -> None:
    assert not is_signed_by(key, b"", signature)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+00000000+AAAA",
        "name+zzzzzzzz+AAAA",
        "a b+00000000+AAAA",
        "name+00000000+%%%%",
    ],
)
def test_a_wrong_key_line_is_refused(text: str) -> None:
    with pytest.raises(BundleError):
        parse_vkey(text)


def test_a_mistyped_key_is_told(signer: Signer) -> None:
    name, mark, key = format_vkey(signer.verifier).split("+", 2)
    with pytest.raises(BundleError, match="mistyped"):
        parse_vkey(f"{name}x+{mark}+{key}")
    public = signer.verifier.public_key
    assert fingerprint(f"{name}+{mark}+{key}").replace(" ", "") == sha256(public).hexdigest()


def _rename(name: str) -> Callable[[dict[str, Any]], None]:
    def change(statement: dict[str, Any]) -> None:
        statement["subject"][0]["name"] = name

    return change


def _set(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda statement: statement.update({key: value})


def _of_first(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda statement: statement["subject"][0].update({key: value})


STATEMENTS: dict[str, Callable[[dict[str, Any]], None]] = {
    "climbs": _rename("../../etc/passwd"),
    "climbs in the middle": _rename("wheels/../../x"),
    "absolute": _rename("/etc/passwd"),
    "hidden": _rename(".bashrc"),
    "empty": _rename(""),
    "backslash": _rename("a\\b"),
    "newline": _rename("a\nb"),
    "the envelope itself": _rename(ENVELOPE),
    "no text": lambda statement: statement["subject"][0].update(name=7),
    "twice": lambda statement: statement["subject"].append(statement["subject"][0]),
    "no hash": _of_first("digest", {}),
    "bad hash": _of_first("digest", {"sha256": "0"}),
    "no size": _of_first("annotations", {}),
    "negative size": _of_first("annotations", {"size": -1}),
    "true as size": _of_first("annotations", {"size": True}),
    "no files": _set("subject", []),
    "files are no list": _set("subject", {}),
    "a file is no object": _set("subject", ["x"]),
    "another statement": _set("_type", "https://in-toto.io/Statement/v0.1"),
    "another predicate": _set(
        "predicateType", "https://voulezvous.ai/schemas/installation-manifest/1"
    ),
    "no key": _set("predicate", {}),
    "no predicate": _set("predicate", None),
    "more": _set("more", 1),
}


@pytest.mark.parametrize("change", STATEMENTS.values(), ids=STATEMENTS)
def test_a_statement_that_is_signed_and_wrong_is_refused(
    tmp_path: Path, bundle: Path, signer: Signer, change: Callable[[dict[str, Any]], None]
) -> None:
    statement = statement_of(bundle)
    change(statement)
    wrong = write_members(tmp_path / "wrong.bundle", right_members(resign(statement, signer)))
    with pytest.raises(BundleError, match="malformed"):
        unpack_bundle(wrong, tmp_path / "out", format_vkey(signer.verifier))
    assert not (tmp_path / "out").exists()


def _link(members: Members) -> None:
    member = members[1][0]
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    members[1] = (member, b"")


def _device(members: Members) -> None:
    members[1][0].type = tarfile.CHRTYPE
    members[1] = (members[1][0], b"")


TARS: dict[str, Callable[[Members], None]] = {
    "a file more": lambda members: members.append((tarfile.TarInfo("more"), b"x")),
    "a file less": lambda members: members.__delitem__(1),
    "a file twice": lambda members: members.append(members[1]),
    "another content": lambda members: members.__setitem__(1, (members[1][0], b"History")),
    "a longer content": lambda members: members.__setitem__(1, (members[1][0], b"history ")),
    "a link": _link,
    "a device": _device,
    "a folder": lambda members: members.insert(1, (_folder("wheels"), b"")),
    "the envelope not first": lambda members: members.insert(0, members.pop()),
    "nothing": lambda members: members.clear(),
    "no JSON": lambda members: members.__setitem__(0, (members[0][0], b"{")),
    "no object": lambda members: members.__setitem__(0, (members[0][0], b"[]")),
}


def _folder(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return member


@pytest.mark.parametrize("change", TARS.values(), ids=TARS)
def test_another_file_than_the_signed_one_is_refused(
    tmp_path: Path, bundle: Path, signer: Signer, change: Callable[[Members], None]
) -> None:
    members = right_members(resign(statement_of(bundle), signer))
    assert check_bundle(write_members(tmp_path / "w0", members), None)
    change(members)
    wrong = write_members(tmp_path / "wrong.bundle", members)
    with pytest.raises(BundleError):
        unpack_bundle(wrong, tmp_path / "out", None)
    assert sorted(path.name for path in tmp_path.glob("out*")) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("payloadType", "text/plain"),
        ("signatures", []),
        ("signatures", ["x"]),
        ("payload", 7),
        ("payload", "%%%"),
    ],
)
def test_another_envelope_is_refused(
    tmp_path: Path, bundle: Path, signer: Signer, key: str, value: object
) -> None:
    envelope = json.loads(resign(statement_of(bundle), signer))
    envelope[key] = value
    wrong = write_members(tmp_path / "w", right_members(json.dumps(envelope).encode()))
    with pytest.raises(BundleError, match="malformed"):
        check_bundle(wrong, None)


def test_one_bit_anywhere_in_the_payload_is_found(
    tmp_path: Path, bundle: Path, signer: Signer
) -> None:
    envelope = json.loads(resign(statement_of(bundle), signer))
    payload = bytearray(base64.b64decode(envelope["payload"]))
    for position in range(0, len(payload), 37):
        payload[position] ^= 1
        envelope["payload"] = base64.b64encode(payload).decode()
        wrong = write_members(tmp_path / "w", right_members(json.dumps(envelope).encode()))
        with pytest.raises(BundleError):
            check_bundle(wrong, format_vkey(signer.verifier))
        payload[position] ^= 1


def test_a_cut_file_and_no_tar_are_refused(tmp_path: Path, bundle: Path) -> None:
    for name, data in {
        "cut": bundle.read_bytes()[:4000],
        "none": b"\0" * 100,
        "text": b"hello" * 500,
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(BundleError):
            check_bundle(tmp_path / name, None)


def test_a_file_exchanged_between_the_two_looks_is_found(
    tmp_path: Path, bundle: Path, signer: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = opening.check_bundle

    def look_and_exchange(path: Path, vkey: str | None) -> dict[str, Any]:
        statement = look(path, vkey)
        members = right_members(resign(statement_of(bundle), signer))
        members[1] = (members[1][0], b"History")
        write_members(bundle, members)
        return statement

    monkeypatch.setattr(opening, "check_bundle", look_and_exchange)
    with pytest.raises(BundleError, match="not what was signed"):
        unpack_bundle(bundle, tmp_path / "out", None)
    assert sorted(path.name for path in tmp_path.glob("out*")) == []


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run it as install.sh does: the text alone, with a Python that has nothing of ours."""
    text = Path(opening.__file__).read_text("utf-8")
    command = [sys.executable, "-I", "-S", "-c", text, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.integration
def test_the_text_alone_is_a_program(tmp_path: Path, bundle: Path, signer: Signer) -> None:
    vkey = format_vkey(signer.verifier)
    result = run(bundle, tmp_path / "out", "--vkey", vkey, "--write-vkey", tmp_path / "vkey")
    assert result.returncode == 0, result.stderr
    assert fingerprint(vkey) in result.stdout
    assert (tmp_path / "vkey").read_text() == f"{vkey}\n"
    assert (tmp_path / "out" / "repository.bundle").read_bytes() == b"history"
    other = format_vkey(make_signer(tmp_path, "other").verifier)
    refused = run(bundle, "--vkey", other)
    assert refused.returncode == 77
    assert "Traceback" not in refused.stderr
    assert run(tmp_path / "nothing").returncode == 66


def test_the_exit_codes(tmp_path: Path, bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert opening.main([str(bundle)]) == 0
    assert "signature and hashes are right" in capsys.readouterr().out
    assert (
        opening.main([str(bundle), str(tmp_path / "out"), "--write-vkey", str(tmp_path / "k")]) == 0
    )
    # A folder that is there is not written into.
    assert opening.main([str(bundle), str(tmp_path / "out")]) == 75
    bundle.write_bytes(b"x")
    assert opening.main([str(bundle)]) == 65
    assert opening.main([str(tmp_path / "nothing")]) == 66
    assert "→" in capsys.readouterr().err
