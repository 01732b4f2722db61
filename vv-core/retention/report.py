"""What a cleanup says, for people and for programs."""

from __future__ import annotations

from typing import Any, Final

from vv_core.number_text import size_text
from vv_core.retention.decision import Plan, Reason, Removal
from vv_core.retention.removing import Outcome

SCHEMA: Final = "vv.cleanup/1"

_KEPT: Final = {
    Reason.YOUNG: ("recentes", "recent"),
    Reason.EXCLUDED: ("excluídos por padrão de nome", "excluded by name"),
    Reason.PROTECTED: ("protegidos", "protected"),
    Reason.UNPROCESSED: ("sem registro de terem sido processados", "not known to be processed"),
    Reason.ON_SCREEN: ("em telas", "on screens"),
    Reason.SPACE_ENOUGH: ("dispensados: há espaço", "spared: there is space"),
}


def why_text(removal: Removal, language: str) -> str:
    """Return for people why a file goes; this is what the log's line says."""
    count, is_english = removal.limit, language == "en"
    if removal.reason is Reason.TEMPORARY:
        return (
            f"left half-written more than {count} h ago"
            if is_english
            else f"deixado pela metade há mais de {count} h"
        )
    if is_english:
        return f"retention of {count} {'day' if count == 1 else 'days'}"
    return f"retenção de {count} {'dia' if count == 1 else 'dias'}"


def document_of(plan: Plan, outcome: Outcome, *, is_dry: bool) -> dict[str, Any]:
    """Return a run as data; of a dry run, what would go."""
    gone = plan.removals if is_dry else outcome.removed
    return {
        "schema": SCHEMA,
        "dry_run": is_dry,
        "removed": [
            {
                "file": each.fact.path,
                "bytes": each.fact.size,
                "reason": each.reason.value,
                "limit": each.limit,
            }
            for each in gone
        ],
        "freed_bytes": sum(each.fact.size for each in gone),
        "failed": [{"file": path, "reason": reason} for path, reason in outcome.failed],
        "kept": {reason.value: count for reason, count in sorted(plan.kept.items())},
    }


def report_lines(document: dict[str, Any], language: str) -> list[str]:
    """Return that data as lines of text; a dry run names each file."""
    is_english, is_dry = language == "en", document["dry_run"]
    lines = []
    if is_dry:
        lines += [
            f"  {each['file']} ({size_text(each['bytes'], language)})"
            for each in document["removed"]
        ]
    lines.append(_summary(document, is_english=is_english, language=language))
    kept = [
        f"{count} {_KEPT[Reason(reason)][is_english]}" for reason, count in document["kept"].items()
    ]
    if kept:
        lines.append(f"{'kept' if is_english else 'ficam'}: {', '.join(kept)}")
    return lines


def _summary(document: dict[str, Any], *, is_english: bool, language: str) -> str:
    count = len(document["removed"])
    size = size_text(document["freed_bytes"], language)
    if is_english:
        noun = "file" if count == 1 else "files"
        if document["dry_run"]:
            return f"dry run: {count} {noun} would be removed ({size})"
        return f"cleanup: {count} {noun} removed ({size})"
    noun = "arquivo" if count == 1 else "arquivos"
    if document["dry_run"]:
        verb = "seria apagado" if count == 1 else "seriam apagados"
        return f"simulação: {count} {noun} {verb} ({size})"
    verb = "apagado" if count == 1 else "apagados"
    return f"limpeza: {count} {noun} {verb} ({size})"
