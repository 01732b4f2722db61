"""Proofs of exported clips as items of an audit: one file, the one-file verifier, a folder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.tlog_verifying.test_archive import BARE, run, run_installed
from tests.tlog_witness.logs import make_line
from tests.tlog_witness.proofs import COSIGNED, LINES, LOG, PROOF, TREE, WITNESS, resigned
from vv_core.audit.canonical import canonical_bytes
from vv_core.audit.clip_proof import verify_proof_file
from vv_core.audit.signing import sign_document
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Reason, Status
from vv_core.audit.verifier_archive import write_archive
from vv_core.tlog.note import format_vkey
from vv_core.tlog.proof import MAX_PROOF_BYTES, make_proof

SECRET = b"k" * 32
KEY_ID = "k20261121-0badf00d.0"
VKEY = format_vkey(LOG)


def proof_file(folder: Path, data: bytes = PROOF) -> str:
    path = folder / "clip.mp4.vvproof"
    path.write_bytes(data)
    return str(path)


def signed_by(secret: bytes) -> bytes:
    """Return a proof of a line with an HMAC signature."""
    line = json.loads(make_line(0))
    line.pop("signature_details", None)
    return resigned(canonical_bytes(sign_document(line, KEY_ID, secret)))


def test_a_proof_is_valid_without_any_secret(tmp_path: Path) -> None:
    finding = verify_proof_file(
        proof_file(tmp_path), Trust(verifiers=(LOG, WITNESS.verifier)), None
    )
    assert (finding.verdict.status, finding.verdict.reason) == (
        Status.VALID,
        Reason.LOGGED_KEYLESS,
    )
    assert (finding.seq, finding.witnesses) == (None, (WITNESS.name,))
    assert finding.verdict.document == json.loads(LINES[5])


@pytest.mark.parametrize(
    ("data", "trust", "status", "reason"),
    [
        (PROOF, Trust(), Status.UNVERIFIABLE, Reason.NO_VKEY),
        (PROOF[:-1], Trust(verifiers=(LOG,)), Status.MALFORMED, Reason.NOT_A_PROOF),
        (resigned(b"[]"), Trust(verifiers=(LOG,)), Status.INVALID, Reason.WRONG_LOG),
        (resigned(b"{"), Trust(verifiers=(LOG,)), Status.MALFORMED, Reason.NOT_A_LOGLINE),
        (
            make_proof(TREE, LINES[4], 5, COSIGNED),
            Trust(verifiers=(LOG,)),
            Status.INVALID,
            Reason.DIFFERS_FROM_LOG,
        ),
        (PROOF, Trust(verifiers=(LOG,), witnesses=1), Status.UNVERIFIABLE, Reason.NOT_WITNESSED),
        (b"x" * (MAX_PROOF_BYTES + 1), Trust(), Status.MALFORMED, Reason.TOO_LARGE),
        (
            signed_by(b"z" * 32),
            Trust({KEY_ID: SECRET}, (LOG,)),
            Status.INVALID,
            Reason.SIGNATURE_MISMATCH,
        ),
        (signed_by(SECRET), Trust({KEY_ID: SECRET}, (LOG,)), Status.VALID, Reason.LOGGED),
        (signed_by(SECRET), Trust({"x": SECRET}, (LOG,)), Status.VALID, Reason.LOGGED_KEYLESS),
    ],
)
def test_what_else_may_come_of_it(
    tmp_path: Path, data: bytes, trust: Trust, status: Status, reason: Reason
) -> None:
    verdict = verify_proof_file(proof_file(tmp_path, data), trust, None).verdict
    assert (verdict.status, verdict.reason) == (status, reason)


def test_a_link_and_nothing(tmp_path: Path) -> None:
    link = tmp_path / "link.vvproof"
    link.symlink_to(proof_file(tmp_path))
    assert verify_proof_file(str(link), Trust(), None).verdict.reason is Reason.SYMBOLIC_LINK
    gone = verify_proof_file(str(tmp_path / "gone.vvproof"), Trust(), None).verdict
    assert (gone.status, gone.reason) == (Status.NOT_READ, Reason.NOT_FOUND)


@pytest.mark.parametrize("is_the_clip", [True, False])
def test_the_clip_is_hashed_again(tmp_path: Path, is_the_clip: bool) -> None:
    line = json.loads(make_line(0))
    line["evidence"]["video_sha256"] = hashlib.sha256(b"the clip").hexdigest()
    path = proof_file(tmp_path, resigned(canonical_bytes(line)))
    (tmp_path / Path(line["source"]).name).write_bytes(b"the clip" if is_the_clip else b"another")
    finding = verify_proof_file(path, Trust(verifiers=(LOG,)), str(tmp_path))
    assert finding.evidence == ("matches" if is_the_clip else "differs")
    due = Reason.LOGGED_KEYLESS if is_the_clip else Reason.EVIDENCE_DIFFERS
    assert finding.verdict.reason is due


@pytest.mark.integration
def test_the_one_file_verifier_reads_proofs(tmp_path: Path) -> None:
    """With `cryptography`, as for every signed head; without it, it says what is missing."""
    archive = tmp_path / "logline_verifier.pyz"
    write_archive(archive)
    path = proof_file(tmp_path)
    code, out, err = run_installed(path, "--vkey", VKEY, "--language", "en")
    assert (code, err) == (0, "")
    assert out.startswith("VALID")
    code, _, err = run(archive, path, "--vkey", VKEY, python=BARE)
    assert (code, "cryptography" in err) == (4, True)
    proof_file(tmp_path, PROOF[:-3])
    code, out, _ = run_installed(path, "--vkey", VKEY)
    assert (code, "MALFORMADA" in out) == (3, True)


@pytest.mark.integration
def test_a_proof_in_a_folder_stands_for_no_log(tmp_path: Path) -> None:
    """Else a thief of the log could leave a proof behind instead."""
    proof_file(tmp_path)
    code, out, _ = run_installed(str(tmp_path), "--vkey", VKEY)
    assert (code, "AUSENTE" in out) == (1, True)
