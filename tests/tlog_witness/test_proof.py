"""The proof of an exported clip: small, exact to the last bit, verified without any secret."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_witness.logs import head_of, make_line, write_log
from tests.tlog_witness.proofs import (
    CLIP_SHA256,
    COSIGNED,
    COUNT,
    HEAD,
    LINES,
    LOG,
    LONG,
    PROOF,
    SEQ,
    TREE,
    WITNESS,
    random_line,
    resigned,
)
from vv_core.audit.verdict import Status
from vv_core.tlog.proof import ClipProof, make_proof, parse_proof
from vv_core.tlog.proof_file import DICTIONARY, ProofError
from vv_core.tlog.proof_verdict import ProofReason, verify_proof


def test_a_proof_is_valid_and_says_who_saw_it() -> None:
    verdict = verify_proof(PROOF, [LOG, WITNESS.verifier], clip_sha256=CLIP_SHA256, min_witnesses=1)
    assert (verdict.status, verdict.reason) == (Status.VALID, ProofReason.PROVEN)
    assert verdict.document is not None
    assert verdict.document["log"]["seq"] == SEQ
    assert [each.name for each in verdict.witnesses] == ["vv-witness/sala-2"]
    assert verdict.checkpoint is not None
    assert verdict.checkpoint.size == COUNT


def test_every_entry_of_every_size_has_a_proof() -> None:
    for size in range(1, COUNT + 1):
        head = head_of(LINES[:size])
        for seq in range(size):
            data = make_proof(TREE, LINES[seq], seq, head)
            assert verify_proof(data, [LOG]).status is Status.VALID


def test_the_proof_is_what_other_tools_know() -> None:
    """zcat shows the LogLine and, after it, C2SP tlog-proof@v1."""
    line, _, rest = gzip.decompress(PROOF).partition(b"\n")
    assert line == LINES[SEQ]
    head, _, note = rest.partition(b"\n\n")
    assert head.split(b"\n")[:2] == [b"c2sp.org/tlog-proof@v1", b"index 5"]
    assert note == COSIGNED
    assert rest == parse_proof(PROOF).tlog_proof
    assert verify_proof(gzip.decompress(PROOF), [LOG]).status is Status.VALID


def test_a_longer_proof_is_packed() -> None:
    assert PROOF.startswith(b"\x1f\x8b")
    assert LONG.startswith(b"VVP1")
    assert verify_proof(LONG, [LOG]).status is Status.VALID
    assert parse_proof(
        parse_proof(LONG).line + b"\n" + parse_proof(LONG).tlog_proof
    ) == parse_proof(LONG)


def test_the_dictionary_is_part_of_the_format() -> None:
    """Another one, and proofs that were handed out cannot be read any more."""
    digest = "2d77e46f52689563ed9c4aeaf1e4c62f46685602b9343253cfa4bf11facbf350"
    assert hashlib.sha256(DICTIONARY).hexdigest() == digest


@pytest.mark.parametrize("proof", [PROOF, LONG], ids=["gzip", "packed"])
def test_no_bit_of_the_file_can_be_changed(proof: bytes) -> None:
    for position in range(len(proof)):
        for bit in range(8):
            changed = bytearray(proof)
            changed[position] ^= 1 << bit
            verdict = verify_proof(bytes(changed), [LOG, WITNESS.verifier])
            assert verdict.status is not Status.VALID, (position, bit)


def test_no_bit_of_the_plain_text_can_be_changed() -> None:
    text = gzip.decompress(PROOF)
    for position in range(len(text)):
        changed = bytearray(text)
        changed[position] ^= 1 << (position % 8)
        verdict = verify_proof(bytes(changed), [LOG, WITNESS.verifier])
        assert verdict.status is not Status.VALID or verdict.witnesses == (), position


@given(st.binary(max_size=200), st.integers(0, len(PROOF)))
def test_whatever_stands_there_ends_in_a_verdict(junk: bytes, cut: int) -> None:
    for data in (junk, PROOF[:cut] + junk, PROOF[:4] + junk, gzip.compress(junk)):
        if data != PROOF:
            assert verify_proof(data, [LOG]).status is not Status.VALID


def test_another_video_is_told() -> None:
    verdict = verify_proof(PROOF, [LOG], clip_sha256="00" * 32)
    assert (verdict.status, verdict.reason) == (Status.INVALID, ProofReason.OTHER_CLIP)


def test_an_event_names_no_video() -> None:
    event = make_line(0, evidence={})
    verdict = verify_proof(resigned(event), [LOG], clip_sha256="00" * 32)
    assert (verdict.status, verdict.reason) == (Status.UNVERIFIABLE, ProofReason.NO_CLIP_NAMED)


def test_without_the_wanted_witness_nothing_is_decided() -> None:
    verdict = verify_proof(PROOF, [LOG], min_witnesses=1)
    assert (verdict.status, verdict.detail) == (Status.UNVERIFIABLE, "0/1")


def test_without_a_key_nothing_is_decided() -> None:
    assert verify_proof(PROOF, []).status is Status.UNVERIFIABLE


def test_a_head_that_does_not_cover_the_entry_makes_no_proof() -> None:
    with pytest.raises(ProofError, match="covers 5 entries"):
        make_proof(TREE, LINES[SEQ], SEQ, head_of(LINES[:5]))
    with pytest.raises(ProofError, match="one line"):
        make_proof(TREE, b"a\nb", SEQ, HEAD)


@pytest.mark.integration
def test_a_proof_of_a_large_log_has_two_kilobytes(tmp_path: Path) -> None:
    """A million entries make twenty hashes; here their number is shown with random ones."""
    hashes = tuple(hashlib.sha256(bytes([number])).digest() for number in range(20))
    note = COSIGNED.replace(b"\n9\n", b"\n1000000\n")
    data = ClipProof(random_line(765_432, " Mais texto, um pouco." * 10), 765_432, hashes, note)
    assert len(data.encode()) <= 2048
    log = write_log(tmp_path, [b"%d" % number for number in range(3000)] + [make_line(3000)])
    made = make_proof(log.reader, make_line(3000), 3000, log.note)
    assert len(made) <= 2048
    assert verify_proof(made, [LOG]).status is Status.VALID


def test_the_verifier_needs_no_package_but_cryptography() -> None:
    code = (
        "import sys; import vv_core.tlog.proof_verdict, vv_core.tlog.heads;"
        "print(*{n.split('.')[0] for n in sys.modules} - set(sys.stdlib_module_names))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not {"pydantic", "yaml", "jsonschema_rs", "cryptography"} & set(result.stdout.split())


def test_the_text_of_the_line_is_the_log_line() -> None:
    assert json.loads(parse_proof(PROOF).line)["id"] == "20261121T050304Z-a1a1a1a1a1a1"
