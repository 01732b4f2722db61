"""The words of the auditor's report, in each language."""

from __future__ import annotations

from typing import Final

from vv_core.audit.reason_words import ADVICE, REASONS
from vv_core.audit.verdict import Status

__all__ = [
    "ADVICE",
    "COVERAGE",
    "EVIDENCE",
    "PLACES",
    "REASONS",
    "STATUSES",
    "STATUS_COUNTS",
    "TOTALS",
]

STATUSES: Final = {
    "pt-BR": {
        Status.VALID: "VÁLIDA",
        Status.INVALID: "INVÁLIDA",
        Status.MISSING: "AUSENTE",
        Status.UNLOGGED: "NÃO REGISTRADA",
        Status.REORDERED: "FORA DE ORDEM",
        Status.ROLLED_BACK: "RETROCEDIDA",
        Status.FORKED: "BIFURCADA",
        Status.UNVERIFIABLE: "NÃO VERIFICÁVEL",
        Status.MALFORMED: "MALFORMADA",
        Status.NOT_READ: "NÃO LIDA",
        Status.PRUNED: "DESCARTADA",
        Status.SKIPPED: "IGNORADA",
    },
    "en": {
        Status.VALID: "VALID",
        Status.INVALID: "INVALID",
        Status.MISSING: "MISSING",
        Status.UNLOGGED: "UNLOGGED",
        Status.REORDERED: "REORDERED",
        Status.ROLLED_BACK: "ROLLED BACK",
        Status.FORKED: "FORKED",
        Status.UNVERIFIABLE: "UNVERIFIABLE",
        Status.MALFORMED: "MALFORMED",
        Status.NOT_READ: "NOT READ",
        Status.PRUNED: "PRUNED",
        Status.SKIPPED: "SKIPPED",
    },
}

STATUS_COUNTS: Final = {
    "pt-BR": {
        Status.VALID: ("válida", "válidas"),
        Status.INVALID: ("inválida", "inválidas"),
        Status.MISSING: ("ausente", "ausentes"),
        Status.UNLOGGED: ("não registrada", "não registradas"),
        Status.REORDERED: ("fora de ordem", "fora de ordem"),
        Status.ROLLED_BACK: ("retrocedida", "retrocedidas"),
        Status.FORKED: ("bifurcada", "bifurcadas"),
        Status.UNVERIFIABLE: ("não verificável", "não verificáveis"),
        Status.MALFORMED: ("malformada", "malformadas"),
        Status.NOT_READ: ("não lida", "não lidas"),
        Status.PRUNED: ("descartada por regra", "descartadas por regra"),
        Status.SKIPPED: ("ignorada", "ignoradas"),
    },
    "en": {
        Status.VALID: ("valid", "valid"),
        Status.INVALID: ("invalid", "invalid"),
        Status.MISSING: ("missing", "missing"),
        Status.UNLOGGED: ("unlogged", "unlogged"),
        Status.REORDERED: ("reordered", "reordered"),
        Status.ROLLED_BACK: ("rolled back", "rolled back"),
        Status.FORKED: ("forked", "forked"),
        Status.UNVERIFIABLE: ("unverifiable", "unverifiable"),
        Status.MALFORMED: ("malformed", "malformed"),
        Status.NOT_READ: ("not read", "not read"),
        Status.PRUNED: ("pruned by rule", "pruned by rule"),
        Status.SKIPPED: ("skipped", "skipped"),
    },
}
"""One and more than one."""

TOTALS: Final = {"pt-BR": "Resultado", "en": "Result"}

PLACES: Final = {"pt-BR": ("linha", "linhas"), "en": ("line", "lines")}
"""One position in a log, and several."""

EVIDENCE: Final = {
    "pt-BR": {"matches": "conferem", "absent": "não estão na pasta", "differs": "são outros"},
    "en": {"matches": "match", "absent": "are not in the folder", "differs": "are others"},
}

COVERAGE: Final = {
    "pt-BR": {
        "log": "Registro {origin}: {size} linhas, {signed}",
        "signed": "cabeça assinada",
        "unsigned": "cabeça sem assinatura conferida",
        "witness": "  testemunhadas por {name}: {count} primeiras linhas, {when}",
        "at": "em {at}",
        "no_time": "hora não assinada",
        "signed_only": "  só assinadas, sem testemunha: {count} linhas ({first}–{last})",
        "pruned": "  descartadas por regra: abaixo da linha {below}",
        "signed_files": "Só assinadas, fora de um registro comprovado: {count}",
        "videos": "Vídeos",
    },
    "en": {
        "log": "Log {origin}: {size} lines, {signed}",
        "signed": "head signed",
        "unsigned": "signature of the head not checked",
        "witness": "  witnessed by {name}: first {count} lines, {when}",
        "at": "at {at}",
        "no_time": "no signed time",
        "signed_only": "  signed only, no witness: {count} lines ({first}–{last})",
        "pruned": "  pruned by rule: below line {below}",
        "signed_files": "Signed only, in no proven log: {count}",
        "videos": "Videos",
    },
}
