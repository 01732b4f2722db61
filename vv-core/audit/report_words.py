"""The words of the auditor's report, in each language."""

from __future__ import annotations

from typing import Final

from vv_core.audit.verdict import Reason, Status

STATUSES: Final = {
    "pt-BR": {
        Status.VALID: "VÁLIDA",
        Status.INVALID: "INVÁLIDA",
        Status.UNVERIFIABLE: "NÃO VERIFICÁVEL",
        Status.MALFORMED: "MALFORMADA",
        Status.NOT_READ: "NÃO LIDA",
        Status.SKIPPED: "IGNORADA",
    },
    "en": {
        Status.VALID: "VALID",
        Status.INVALID: "INVALID",
        Status.UNVERIFIABLE: "UNVERIFIABLE",
        Status.MALFORMED: "MALFORMED",
        Status.NOT_READ: "NOT READ",
        Status.SKIPPED: "SKIPPED",
    },
}

STATUS_COUNTS: Final = {
    "pt-BR": {
        Status.VALID: ("válida", "válidas"),
        Status.INVALID: ("inválida", "inválidas"),
        Status.UNVERIFIABLE: ("não verificável", "não verificáveis"),
        Status.MALFORMED: ("malformada", "malformadas"),
        Status.NOT_READ: ("não lida", "não lidas"),
        Status.SKIPPED: ("ignorada", "ignoradas"),
    },
    "en": {
        Status.VALID: ("valid", "valid"),
        Status.INVALID: ("invalid", "invalid"),
        Status.UNVERIFIABLE: ("unverifiable", "unverifiable"),
        Status.MALFORMED: ("malformed", "malformed"),
        Status.NOT_READ: ("not read", "not read"),
        Status.SKIPPED: ("skipped", "skipped"),
    },
}
"""One and more than one."""

TOTALS: Final = {"pt-BR": "Resultado", "en": "Result"}

REASONS: Final = {
    "pt-BR": {
        Reason.SIGNATURE_MATCHES: "a assinatura confere",
        Reason.SIGNATURE_MISMATCH: "a assinatura não confere: o conteúdo mudou depois de assinado",
        Reason.BYTES_CHANGED: "o conteúdo confere, mas o arquivo foi regravado de outra forma",
        Reason.UNKNOWN_KEY: "a chave que assinou não está entre as chaves conhecidas",
        Reason.UNKNOWN_ALGORITHM: "o algoritmo da assinatura não é conhecido",
        Reason.UNKNOWN_VERSION: "a assinatura confere, mas a versão da LogLine não é conhecida",
        Reason.TOO_LARGE: "grande demais para uma LogLine",
        Reason.NOT_UTF8: "não é texto UTF-8",
        Reason.NOT_JSON: "não é JSON",
        Reason.TOO_DEEP: "JSON com níveis demais",
        Reason.DUPLICATE_KEY: "uma chave do JSON aparece duas vezes",
        Reason.NOT_AN_INTEGER: "um número não é inteiro",
        Reason.INTEGER_TOO_LARGE: "um número é grande demais",
        Reason.LONE_SURROGATE: "um texto não é Unicode válido",
        Reason.UNKNOWN_TYPE: "um valor não é de um tipo JSON",
        Reason.NOT_A_LOGLINE: "não é uma LogLine",
        Reason.NO_SIGNATURE: "LogLine sem assinatura completa",
        Reason.SCHEMA_VIOLATION: "não segue o esquema da LogLine",
        Reason.NOT_A_REGULAR_FILE: "não é um arquivo comum",
        Reason.SYMBOLIC_LINK: "é um link simbólico, que não é seguido",
        Reason.NOT_FOUND: "não existe",
        Reason.UNREADABLE: "não pôde ser lido",
        Reason.NO_LOGLINES: "não há nenhuma LogLine nesta pasta",
    },
    "en": {
        Reason.SIGNATURE_MATCHES: "the signature matches",
        Reason.SIGNATURE_MISMATCH: "the signature does not match: the content changed after signing",
        Reason.BYTES_CHANGED: "the content matches, but the file was written again in another form",
        Reason.UNKNOWN_KEY: "the key that signed is not among the known keys",
        Reason.UNKNOWN_ALGORITHM: "the algorithm of the signature is not known",
        Reason.UNKNOWN_VERSION: "the signature matches, but the LogLine's version is not known",
        Reason.TOO_LARGE: "too large for a LogLine",
        Reason.NOT_UTF8: "not UTF-8 text",
        Reason.NOT_JSON: "not JSON",
        Reason.TOO_DEEP: "JSON nested too deep",
        Reason.DUPLICATE_KEY: "a key of the JSON stands twice",
        Reason.NOT_AN_INTEGER: "a number is not an integer",
        Reason.INTEGER_TOO_LARGE: "a number is too large",
        Reason.LONE_SURROGATE: "a text is not valid Unicode",
        Reason.UNKNOWN_TYPE: "a value is of no JSON type",
        Reason.NOT_A_LOGLINE: "not a LogLine",
        Reason.NO_SIGNATURE: "a LogLine without a complete signature",
        Reason.SCHEMA_VIOLATION: "does not follow the LogLine schema",
        Reason.NOT_A_REGULAR_FILE: "not a regular file",
        Reason.SYMBOLIC_LINK: "a symbolic link, which is not followed",
        Reason.NOT_FOUND: "does not exist",
        Reason.UNREADABLE: "could not be read",
        Reason.NO_LOGLINES: "there is no LogLine in this folder",
    },
}

ADVICE: Final[dict[str, dict[Reason | Status, str]]] = {
    "pt-BR": {
        Status.INVALID: "Guarde o arquivo como está e compare-o com uma cópia de segurança.",
        Reason.UNKNOWN_KEY: "Indique com --key-file as chaves do equipamento que assinou.",
        Reason.UNKNOWN_ALGORITHM: "Use a versão do verificador do equipamento que assinou.",
        Reason.UNKNOWN_VERSION: "Use a versão do verificador do equipamento que assinou.",
        Status.MALFORMED: "Guarde o arquivo como está e procure uma cópia de segurança.",
        Reason.SYMBOLIC_LINK: "Se ele devia fazer parte da auditoria, indique o caminho real.",
        Reason.NOT_FOUND: "Confira o caminho.",
        Reason.UNREADABLE: "Dê acesso de leitura a quem verifica e repita.",
        Reason.NO_LOGLINES: "Indique a pasta loglines/ ou um arquivo .logline.json.",
    },
    "en": {
        Status.INVALID: "Keep the file as it is and compare it with a backup.",
        Reason.UNKNOWN_KEY: "Give the keys of the box that signed with --key-file.",
        Reason.UNKNOWN_ALGORITHM: "Use the verifier of the version that the signing box has.",
        Reason.UNKNOWN_VERSION: "Use the verifier of the version that the signing box has.",
        Status.MALFORMED: "Keep the file as it is and look for a backup of it.",
        Reason.SYMBOLIC_LINK: "If it belongs to the audit, give the real path.",
        Reason.NOT_FOUND: "Check the path.",
        Reason.UNREADABLE: "Give whoever verifies the right to read it, and repeat.",
        Reason.NO_LOGLINES: "Give the folder loglines/ or a .logline.json file.",
    },
}
"""What to do next, by reason or else by status."""
