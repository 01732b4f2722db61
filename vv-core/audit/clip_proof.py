"""The proof of an exported clip as one item of an audit; what decides is `vv_core.tlog.proof_verdict`."""

from __future__ import annotations

from vv_core.audit.evidence import DIFFERS, check_video
from vv_core.audit.finding import Finding
from vv_core.audit.regular_file import read_for_audit
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import verify_entry
from vv_core.tlog.proof import MAX_PROOF_BYTES, parse_proof
from vv_core.tlog.proof_verdict import ProofReason, verify_proof

_REASONS = {
    ProofReason.NOT_A_PROOF: Reason.NOT_A_PROOF,
    ProofReason.NOT_A_LINE: Reason.NOT_A_LOGLINE,
    ProofReason.NO_KEY: Reason.NO_VKEY,
    ProofReason.WRONG_SIGNATURE: Reason.HEAD_SIGNATURE,
    ProofReason.NOT_INCLUDED: Reason.DIFFERS_FROM_LOG,
    ProofReason.OTHER_POSITION: Reason.WRONG_LOG,
    ProofReason.TOO_FEW_WITNESSES: Reason.NOT_WITNESSED,
}
"""The reason in an audit's report. Those about a clip are decided here, by the auditor's folder of videos."""


def verify_proof_file(path: str, trust: Trust, videos: str | None) -> Finding:
    """Verify a proof file.

    Args:
        path: of the proof.
        trust: public keys, and secrets if the auditor was given any.
        videos: folder in which the clip lies, to hash it again; None: not asked.

    Returns:
        The finding. It claims no position of a log that is audited beside it.
    """
    data = read_for_audit(path, MAX_PROOF_BYTES)
    if isinstance(data, Verdict):
        return Finding(path, data)
    proof = verify_proof(data, trust.verifiers, min_witnesses=trust.witnesses)
    if proof.document is None:
        return Finding(path, Verdict(proof.status, _REASONS[proof.reason], proof.detail))
    verdict = Verdict(Status.VALID, Reason.LOGGED_KEYLESS, document=proof.document)
    if trust.keys is not None:
        signature = verify_entry(parse_proof(data).line, trust.keys)
        if signature is not None and signature.status is not Status.UNVERIFIABLE:
            is_good = signature.status is Status.VALID
            verdict = _logged(signature) if is_good else signature
    evidence = check_video(proof.document, videos) if videos else None
    if verdict.status is Status.VALID and evidence == DIFFERS:
        verdict = Verdict(Status.INVALID, Reason.EVIDENCE_DIFFERS, key_id=verdict.key_id)
    witnesses = tuple(dict.fromkeys(each.name for each in proof.witnesses))
    return Finding(path, verdict, witnesses=witnesses, evidence=evidence)


def _logged(signature: Verdict) -> Verdict:
    return Verdict(
        Status.VALID, Reason.LOGGED, key_id=signature.key_id, document=signature.document
    )
