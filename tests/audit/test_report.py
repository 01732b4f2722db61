from __future__ import annotations

import json

import pytest

from tests.audit.samples import KEYS, signed_bytes, signed_logline
from vv_core.audit.finding import Finding
from vv_core.audit.report import (
    Tally,
    escape_name,
    finding_json,
    format_finding,
    format_totals,
    is_problem,
    totals_json,
)
from vv_core.audit.report_words import ADVICE, REASONS, STATUS_COUNTS, STATUSES, TOTALS
from vv_core.audit.verdict import EXIT_CODES, Reason, Status, Verdict
from vv_core.audit.verify import verify_bytes

LANGUAGES = ("pt-BR", "en")
VALID = Finding("a.logline.json", verify_bytes(signed_bytes(), KEYS))
INVALID = Finding(
    "b.logline.json", Verdict(Status.INVALID, Reason.SIGNATURE_MISMATCH, key_id="example")
)
UNKNOWN = Finding(
    "c.logline.json", Verdict(Status.UNVERIFIABLE, Reason.UNKNOWN_KEY, key_id="k20250101-00ff00ff")
)
MALFORMED = Finding(
    "d\n\x1b[2J\udcff\\.logline.json", Verdict(Status.MALFORMED, Reason.NOT_JSON, "character 3")
)


def test_every_status_and_reason_has_words() -> None:
    for language in LANGUAGES:
        assert set(STATUSES[language]) == set(STATUS_COUNTS[language]) == set(Status)
        assert set(REASONS[language]) == set(Reason)
        assert TOTALS[language]
    assert set(ADVICE["pt-BR"]) == set(ADVICE["en"])
    assert set(EXIT_CODES) == set(Status)


def test_every_problem_has_advice() -> None:
    # Reasons of MALFORMED and INVALID share the advice of their status.
    for reason in (Reason.UNKNOWN_KEY, Reason.UNKNOWN_ALGORITHM, Reason.UNKNOWN_VERSION):
        assert reason in ADVICE["en"]
    for reason in (Reason.NOT_FOUND, Reason.UNREADABLE, Reason.NO_LOGLINES, Reason.SYMBOLIC_LINK):
        assert reason in ADVICE["en"]
    assert {Status.INVALID, Status.MALFORMED} <= set(ADVICE["en"])


PORTUGUESE = """\
VÁLIDA           a.logline.json
INVÁLIDA         b.logline.json
                 a assinatura não confere: o conteúdo mudou depois de assinado
                 → Guarde o arquivo como está e compare-o com uma cópia de segurança.
NÃO VERIFICÁVEL  c.logline.json
                 a chave que assinou não está entre as chaves conhecidas (key_id k20250101-00ff00ff)
                 → Indique com --key-file as chaves do equipamento que assinou.
MALFORMADA       d\\n\\x1b[2J\\udcff\\\\.logline.json
                 não é JSON (character 3)
                 → Guarde o arquivo como está e procure uma cópia de segurança."""

ENGLISH = """\
VALID         a.logline.json
              20261121T050304Z-a1a1a1a1a1a1 · alerta · Duas pessoas e uma mochila na portaria · example
INVALID       b.logline.json
              the signature does not match: the content changed after signing (key_id example)
              → Keep the file as it is and compare it with a backup.
UNVERIFIABLE  c.logline.json
              the key that signed is not among the known keys (key_id k20250101-00ff00ff)
              → Give the keys of the box that signed with --key-file.
MALFORMED     d\\n\\x1b[2J\\udcff\\\\.logline.json
              not JSON (character 3)
              → Keep the file as it is and look for a backup of it."""


@pytest.mark.parametrize(
    ("language", "verbose", "expected"), [("pt-BR", False, PORTUGUESE), ("en", True, ENGLISH)]
)
def test_words_for_people(language: str, verbose: bool, expected: str) -> None:
    findings = (VALID, INVALID, UNKNOWN, MALFORMED)
    assert "\n".join(format_finding(f, language, verbose) for f in findings) == expected


def test_totals_count_in_singular_and_plural() -> None:
    tally = Tally()
    for finding in (VALID, VALID, INVALID, MALFORMED):
        tally.add(finding)
    assert format_totals(tally, "pt-BR") == "Resultado: 2 válidas, 1 inválida, 1 malformada"
    assert format_totals(tally, "en") == "Result: 2 valid, 1 invalid, 1 malformed"
    assert tally.exit_code == 1


JSON_LINES = [
    '{"detail":"","evidence":null,"id":"20261121T050304Z-a1a1a1a1a1a1","key_id":"example",'
    '"kind":"item","last":null,"path":"a.logline.json","reason":"signature_matches","seq":null,'
    '"status":"VALID","when":"2026-11-21T05:03:04Z","witnesses":null}',
    '{"detail":"","evidence":null,"id":null,"key_id":"example","kind":"item","last":null,'
    '"path":"b.logline.json","reason":"signature_mismatch","seq":null,"status":"INVALID",'
    '"when":null,"witnesses":null}',
    '{"detail":"","evidence":null,"id":null,"key_id":"k20250101-00ff00ff","kind":"item",'
    '"last":null,"path":"c.logline.json","reason":"unknown_key","seq":null,'
    '"status":"UNVERIFIABLE","when":null,"witnesses":null}',
    '{"detail":"character 3","evidence":null,"id":null,"key_id":null,"kind":"item","last":null,'
    '"path":"d\\\\n\\\\x1b[2J\\\\udcff\\\\\\\\.logline.json","reason":"not_json","seq":null,'
    '"status":"MALFORMED","when":null,"witnesses":null}',
    '{"counts":{"FORKED":0,"INVALID":1,"MALFORMED":1,"MISSING":0,"NOT_READ":0,"PRUNED":0,'
    '"REORDERED":0,"ROLLED_BACK":0,"SKIPPED":0,"UNLOGGED":0,"UNVERIFIABLE":1,"VALID":1},'
    '"evidence":{},"exit":1,"items":4,"kind":"summary","schema":"vv.audit-report/2","signed_only":1}',
]


def test_lines_for_programs() -> None:
    tally = Tally()
    lines = []
    for finding in (VALID, INVALID, UNKNOWN, MALFORMED):
        tally.add(finding)
        lines.append(finding_json(finding))
    lines.append(totals_json(tally))
    assert lines == JSON_LINES
    assert all(json.loads(line) and line.isascii() for line in lines)


def test_names_can_be_told_from_their_escapes() -> None:
    names = ["a\nb", "a\\nb", "a\\\\nb", "a\x1bb", "a\u202eb", "a\udcffb", "á b"]
    escaped = [escape_name(name) for name in names]
    assert len(set(escaped)) == len(names)
    assert all(name.isprintable() for name in escaped)
    assert escaped[-1] == "á b"


def test_untrusted_text_in_a_title_or_detail_is_escaped() -> None:
    line = {**signed_logline(), "title": "\x1b[31mred\u202e"}
    valid = Verdict(Status.VALID, Reason.SIGNATURE_MATCHES, key_id="k", document=line)
    bad = Verdict(Status.MALFORMED, Reason.SCHEMA_VIOLATION, "\x1b]0;title\x07")
    for verdict in (valid, bad):
        text = format_finding(Finding("a", verdict), "en", verbose=True)
        assert all(part.isprintable() for part in text.split("\n"))


def test_which_findings_are_problems() -> None:
    skipped = Finding("x", Verdict(Status.SKIPPED, Reason.SYMBOLIC_LINK))
    assert [is_problem(f) for f in (VALID, skipped, INVALID, UNKNOWN, MALFORMED)] == [
        False,
        False,
        True,
        True,
        True,
    ]
