from __future__ import annotations

import base64
import builtins
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_verifying.vectors import load_vectors
from vv_core.errors import ConfigError, KeyAccessError
from vv_core.tlog.merkle import EMPTY_ROOT
from vv_core.tlog.note import (
    NoteError,
    SignatureKind,
    Signer,
    Verifier,
    add_signature_line,
    format_vkey,
    open_note,
    parse_vkey,
    sign_note,
    split_note,
)
from vv_core.tlog.note_keys import verify_ed25519
from vv_core.tlog.signing_key import create_signing_key, load_signing_key

# The examples of Go's golang.org/x/mod/sumdb/note.
PETER = parse_vkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
ENOCH = parse_vkey("EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop")
PETER_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
TEXT = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
)
PETER_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n"
)
ENOCH_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33"
    "WWd1RvMc+QQ=\n"
)
NOTE = f"{TEXT}\n{PETER_LINE}{ENOCH_LINE}".encode()

# The example of C2SP tlog-cosignature; its keys are not given there.
COSIGNED = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q"
    "1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2"
    "oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
).encode()


def key_of(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def test_gos_keys_and_note() -> None:
    assert PETER.key_hash == 0xC74F20A3
    note = open_note(NOTE, [PETER])
    assert note.text == TEXT
    assert [each.name for each in note.verified] == ["PeterNeumann"]
    assert [each.name for each in note.unverified] == ["EnochRoot"]
    assert len(open_note(NOTE, [ENOCH, PETER]).verified) == 2


def test_signing_gives_gos_bytes() -> None:
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(PETER_SEED))
    assert signer.verifier == PETER
    assert format_vkey(signer.verifier) == (
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    data = sign_note(TEXT, signer)
    assert data == f"{TEXT}\n{PETER_LINE}".encode()
    added = add_signature_line(f"{TEXT}\n{ENOCH_LINE}".encode(), signer.sign(TEXT))
    assert added == f"{TEXT}\n{ENOCH_LINE}{PETER_LINE}".encode()
    assert add_signature_line(added, signer.sign(TEXT)) == added, "replaced, not doubled"
    assert "private" not in repr(signer).lower()


VKEY = format_vkey(PETER)
BAD_VKEYS = {
    "longer key, id adjusted": (
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="
    ),
    "unknown type, id adjusted": (
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    ),
    "upper-case id": VKEY.replace("c74f20a3", "C74F20A3"),
    "two lines": f"{VKEY}\n{VKEY}",
    "space in the name": VKEY.replace("Peter", "Peter "),
}


@pytest.mark.parametrize("vkey", BAD_VKEYS.values(), ids=BAD_VKEYS)
def test_bad_verifier_keys(vkey: str) -> None:
    with pytest.raises(NoteError):
        parse_vkey(vkey)


def test_no_mangled_verifier_key_is_taken() -> None:
    parts = {VKEY[i:j] for i in range(len(VKEY)) for j in range(i + 1, len(VKEY) + 1)} - {VKEY}
    bumped = {VKEY[:i] + chr(ord(VKEY[i]) + 1) + VKEY[i + 1 :] for i in range(len(VKEY))}
    for mangled in parts | bumped:
        with pytest.raises(NoteError):
            parse_vkey(mangled)


BAD_NOTES = {
    "no signatures": TEXT.encode(),
    "empty signatures": f"{TEXT}\n".encode(),
    "no last newline": f"{TEXT}\n{PETER_LINE}"[:-1].encode(),
    "control character": f"\x01{TEXT}\n{PETER_LINE}".encode(),
    "carriage return": f"{TEXT}\n{PETER_LINE}".replace("\n", "\r\n").encode(),
    "not UTF-8": b"\xff" + NOTE,
    "space in a name": f"{TEXT}\n{PETER_LINE.replace('PeterN', 'Peter N')}".encode(),
    "another line": f"{TEXT}\n{PETER_LINE}Unexpected line.\n".encode(),
    "hyphen for a dash": f"{TEXT}\n{PETER_LINE.replace('—', '-')}".encode(),
    "too many signatures": f"{TEXT}\n{PETER_LINE * 101}".encode(),
    "too large": f"{'x' * 65_536}\n\n{PETER_LINE}".encode(),
    "short signature": f"{TEXT}\n— PeterNeumann x08gow==\n".encode(),
    "unused bits of base64": f"{TEXT}\n{PETER_LINE.replace('nAM=', 'nAN=')}".encode(),
    "empty": b"",
    "only newlines": b"\n\n\n",
}


@pytest.mark.parametrize("data", BAD_NOTES.values(), ids=BAD_NOTES)
def test_bad_notes(data: bytes) -> None:
    with pytest.raises(NoteError):
        split_note(data)
    with pytest.raises(NoteError):
        open_note(data, [PETER])


WRONG = {
    "other text": f"{TEXT}!\n\n{PETER_LINE}".encode(),
    "longer signature": f"{TEXT}\n{PETER_LINE[:60]}ABCD{PETER_LINE[60:]}".encode(),
    "wrong one before a right one": f"{TEXT}\n{PETER_LINE[:60]}ABCD{PETER_LINE[60:]}{PETER_LINE}".encode(),
    "another name on it": f"{TEXT}\n{PETER_LINE.replace('Neumann', 'Norvig')}".encode(),
    "no key of ours": f"{TEXT}\n{ENOCH_LINE}".encode(),
}


@pytest.mark.parametrize("data", WRONG.values(), ids=WRONG)
def test_notes_that_a_trusted_key_did_not_sign(data: bytes) -> None:
    split_note(data)
    with pytest.raises(NoteError):
        open_note(data, [PETER])


def test_repeated_signatures_count_once() -> None:
    changed = f"{ENOCH_LINE[:60]}ABCD{ENOCH_LINE[60:]}"
    data = f"{TEXT}\n{PETER_LINE * 2}{ENOCH_LINE * 2}{changed}".encode()
    note = open_note(data, [PETER])
    assert [len(note.verified), len(note.unverified)] == [1, 2]


def test_without_keys_nothing_is_verified() -> None:
    with pytest.raises(NoteError, match="no trusted key"):
        open_note(NOTE, [])


def test_the_last_blank_line_separates() -> None:
    signer = Signer("box", key_of(1))
    text = "one\n\ntwo\n\n— three\n\n"
    note = open_note(sign_note(text, signer), [signer.verifier])
    assert note.text == text


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_what_is_signed_is_read_back(body: str) -> None:
    signer = Signer("box", key_of(1))
    text = f"{body}\n"
    try:
        data = sign_note(text, signer)
    except NoteError:
        assert any(char < " " and char != "\n" for char in body)
        return
    assert open_note(data, [signer.verifier]).text == text


@given(st.integers(0, len(NOTE) - 1), st.integers(0, 7))
def test_no_bit_of_a_note_can_change(position: int, bit: int) -> None:
    changed = bytearray(NOTE)
    changed[position] ^= 1 << bit
    try:
        note = open_note(bytes(changed), [PETER, ENOCH])
    except NoteError:
        return
    assert len(note.verified) < 2, "a signature is lost at least"


def test_a_cosignature_has_its_time() -> None:
    log = Signer("box", key_of(1))
    witness = Signer("witness.example/w1", key_of(2), SignatureKind.COSIGNATURE_V1)
    data = add_signature_line(sign_note(TEXT, log), witness.sign(TEXT, 1_679_315_147))
    note = open_note(data, [parse_vkey(format_vkey(witness.verifier)), log.verifier])
    assert [each.timestamp for each in note.verified] == [None, 1_679_315_147]
    with pytest.raises(ValueError, match="timestamp"):
        witness.sign(TEXT)
    with pytest.raises(ValueError, match="timestamp"):
        log.sign(TEXT, 1)
    with pytest.raises(ValueError, match="not a timestamp"):
        witness.sign(TEXT, 2**63)


def test_a_cosignature_is_no_signature_of_the_log() -> None:
    """The same key and name of another kind has another id."""
    log = Signer("box", key_of(1))
    as_witness = Signer("box", key_of(1), SignatureKind.COSIGNATURE_V1)
    data = add_signature_line(sign_note(TEXT, as_witness, 1), as_witness.sign(TEXT, 2))
    with pytest.raises(NoteError, match="no trusted key"):
        open_note(data, [log.verifier])
    assert open_note(data, [as_witness.verifier]).verified[0].timestamp == 2


def test_the_time_of_a_cosignature_is_signed() -> None:
    witness = Signer("w", key_of(2), SignatureKind.COSIGNATURE_V1)
    data = witness.sign(TEXT, 1000).data
    later = (2000).to_bytes(8, "big") + data[8:]
    with pytest.raises(NoteError, match="does not match"):
        witness.verifier.verify(TEXT, later)


def test_the_example_of_the_specification_parses() -> None:
    text, signatures = split_note(COSIGNED)
    assert text.startswith("example.com/behind-the-sofa\n20852163\n")
    assert [each.name for each in signatures] == [
        "example.com/behind-the-sofa",
        "witness.example.com/w1",
    ]
    assert int.from_bytes(signatures[1].data[:8], "big") == 1_679_315_147
    assert "".join(f"{each.line}\n" for each in signatures) in COSIGNED.decode()


def test_two_keys_with_one_name_and_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Verifier, "key_hash", 7)
    with pytest.raises(NoteError, match="two of the given keys"):
        open_note(NOTE, [Verifier("a", b"1" * 32), Verifier("a", b"2" * 32)])


@pytest.mark.parametrize("text", ["no newline", "tab\t\n", "\ud800\n"])
def test_texts_that_cannot_be_signed(text: str) -> None:
    with pytest.raises(NoteError):
        sign_note(text, Signer("box", key_of(1)))


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "\x01"])
def test_names_that_cannot_sign(name: str) -> None:
    with pytest.raises(NoteError, match="cannot name a key"):
        sign_note(TEXT, Signer(name, key_of(1)))


def test_wycheproof_ed25519() -> None:
    document = load_vectors("ed25519_test.json")
    count = 0
    for group in document["testGroups"]:
        verifier = Verifier("w", bytes.fromhex(group["publicKey"]["pk"]))
        for case in group["tests"]:
            assert _accepts(verifier, case) is (case["result"] == "valid"), case["comment"]
            count += 1
    assert count == document["numberOfTests"]


def _accepts(verifier: Verifier, case: dict[str, Any]) -> bool:
    """Verify a message of bytes; the vectors' messages are no texts."""
    return len(case["sig"]) == 128 and verify_ed25519(
        verifier.public_key, bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
    )


def test_without_cryptography_there_is_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError) as caught:
        open_note(NOTE, [PETER])
    assert "cryptography" in caught.value.message
    assert "--key-file" in caught.value.advice
    with pytest.raises(ConfigError):
        create_signing_key(Path("unused"))


def test_reading_needs_the_standard_library_only() -> None:
    code = (
        "import sys; before = set(sys.modules);"
        "import vv_core.tlog.note, vv_core.tlog.checkpoint, vv_core.tlog.merkle;"
        "new = {n.partition('.')[0] for n in set(sys.modules) - before};"
        "print(sorted(n for n in new if n not in sys.stdlib_module_names and n != 'vv_core'"
        " and not n.startswith('__editable__')))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60)
    assert out.stdout == b"[]\n"


class TestSigningKey:
    def test_created_and_read_back(self, tmp_path: Path) -> None:
        path = tmp_path / "secrets" / "log.pem"
        created = create_signing_key(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        loaded = load_signing_key(path)
        assert loaded.public_key() == created.public_key()
        assert [child.name for child in path.parent.iterdir()] == ["log.pem"]

    def test_never_overwritten(self, tmp_path: Path) -> None:
        path = tmp_path / "log.pem"
        create_signing_key(path)
        before = path.read_bytes()
        with pytest.raises(KeyAccessError, match="never overwritten"):
            create_signing_key(path)
        assert path.read_bytes() == before

    def test_unsafe_places_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "log.pem"
        create_signing_key(path)
        link = tmp_path / "link.pem"
        link.symlink_to(path)
        for bad in (link, tmp_path, tmp_path / "gone"):
            with pytest.raises(KeyAccessError) as caught:
                load_signing_key(bad)
            assert caught.value.advice
        path.chmod(0o640)
        with pytest.raises(KeyAccessError, match="mode 640"):
            load_signing_key(path)
        path.chmod(0o600)
        tmp_path.chmod(0o777)
        with pytest.raises(KeyAccessError, match="others may replace"):
            load_signing_key(path)
        tmp_path.chmod(0o700)

    def test_other_content_is_refused(self, tmp_path: Path) -> None:
        other = generate_private_key(SECP256R1())
        contents = {
            "text": b"no key",
            "empty": b"",
            "huge": b"-" * 5000,
            "ec": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        }
        for name, content in contents.items():
            path = tmp_path / name
            path.write_bytes(content)
            path.chmod(0o600)
            with pytest.raises(KeyAccessError, match="not an Ed25519 key"):
                load_signing_key(path)


def test_the_empty_root_is_sha256_of_nothing() -> None:
    assert EMPTY_ROOT.hex().startswith("e3b0c44298fc1c14")
