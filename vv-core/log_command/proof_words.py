"""The verdict on a proof in words, Portuguese and English."""

from __future__ import annotations

from vv_core.audit.verdict import Status
from vv_core.tlog.proof_verdict import ProofReason

STATUSES = {
    Status.VALID: ("VÁLIDA", "VALID"),
    Status.INVALID: ("INVÁLIDA", "INVALID"),
    Status.UNVERIFIABLE: ("NÃO VERIFICÁVEL", "UNVERIFIABLE"),
    Status.MALFORMED: ("MALFORMADA", "MALFORMED"),
}

REASONS = {
    ProofReason.PROVEN: (
        "a LogLine está no registro assinado, sem um bit mudado",
        "the LogLine stands in the signed log, without a bit changed",
    ),
    ProofReason.NOT_A_PROOF: ("não é uma prova, ou foi mudada", "not a proof, or it was changed"),
    ProofReason.NOT_A_LINE: (
        "o que ela prova não é uma LogLine",
        "what it proves is not a LogLine",
    ),
    ProofReason.NO_KEY: (
        "nenhuma das chaves dadas assinou este registro",
        "none of the given keys signed this log",
    ),
    ProofReason.WRONG_SIGNATURE: (
        "a assinatura da cabeça do registro não confere",
        "the signature of the log's head does not match",
    ),
    ProofReason.NOT_INCLUDED: (
        "a LogLine não está nesse lugar do registro: ela ou a prova foi mudada",
        "the LogLine does not stand at that place of the log: it or the proof was changed",
    ),
    ProofReason.OTHER_POSITION: (
        "a LogLine nomeia outro registro ou outro lugar",
        "the LogLine names another log or another place",
    ),
    ProofReason.OTHER_CLIP: (
        "o vídeo não é o que a LogLine nomeia",
        "the video is not the one that the LogLine names",
    ),
    ProofReason.NO_CLIP_NAMED: (
        "a linha não fala de um vídeo",
        "the line is not about a video",
    ),
    ProofReason.TOO_FEW_WITNESSES: (
        "menos testemunhas conhecidas do que pedido",
        "fewer known witnesses than wanted",
    ),
}

_ASK_AGAIN = (
    "Peça a prova de novo; guarde esta como está.",
    "Ask for the proof again; keep this one as it is.",
)
ADVICE = {
    ProofReason.NOT_A_PROOF: _ASK_AGAIN,
    ProofReason.NOT_A_LINE: _ASK_AGAIN,
    ProofReason.NO_KEY: (
        "Peça a chave pública do registro a quem cuida do equipamento e dê-a com --vkey.",
        "Ask whoever keeps the box for the log's public key, and give it with --vkey.",
    ),
    ProofReason.WRONG_SIGNATURE: _ASK_AGAIN,
    ProofReason.NOT_INCLUDED: _ASK_AGAIN,
    ProofReason.OTHER_POSITION: _ASK_AGAIN,
    ProofReason.OTHER_CLIP: (
        "Confira se é o arquivo exportado, sem conversão: o aplicativo que o enviou pode tê-lo mudado.",
        "Make sure that it is the exported file, not converted: the app that sent it may have changed it.",
    ),
    ProofReason.NO_CLIP_NAMED: ("Confira sem --clip.", "Check without --clip."),
    ProofReason.TOO_FEW_WITNESSES: (
        "Dê as chaves das testemunhas com --vkey, ou peça uma prova mais nova.",
        "Give the witnesses' keys with --vkey, or ask for a newer proof.",
    ),
}
