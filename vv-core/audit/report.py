"""An audit in words for people, in Portuguese or English, and in JSON lines for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vv_core.audit.audit_folder import Finding
from vv_core.audit.report_words import ADVICE, REASONS, STATUS_COUNTS, STATUSES, TOTALS
from vv_core.audit.verdict import Status, worst_exit
from vv_core.logs import printable

REPORT_SCHEMA = "vv.audit-report/1"
_GOOD = {Status.VALID, Status.SKIPPED}


@dataclass
class Tally:
    """How many items had which status."""

    counts: Counter[Status] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.counts[finding.verdict.status] += 1

    @property
    def exit_code(self) -> int:
        """The exit code of the audit."""
        return worst_exit(status for status, count in self.counts.items() if count)


def is_problem(finding: Finding) -> bool:
    """Tell whether a person has to look at it."""
    return finding.verdict.status not in _GOOD


def escape_name(raw_name: str) -> str:
    """Return a file name that cannot steer a terminal, and from which the name can be told.

    Control and format characters, lone surrogates (bytes that are not UTF-8) and backslashes become
    backslash escapes.
    """
    return printable(raw_name.replace("\\", "\\\\"))


def format_finding(finding: Finding, language: str, verbose: bool = False) -> str:
    """Return a finding in words, in one or more lines without the last newline.

    Args:
        finding: what was found.
        language: "pt-BR" or "en".
        verbose: say of a valid LogLine what it is, and of others all that is known.
    """
    verdict = finding.verdict
    words = STATUSES[language]
    width = max(len(word) for word in words.values())
    lines = [f"{words[verdict.status]:<{width}}  {escape_name(finding.path)}"]
    if verdict.status is not Status.VALID:
        lines.append(f"{REASONS[language][verdict.reason]}{_detail(finding, verbose)}")
        lines.extend(_advice(finding, language))
    elif verbose:
        lines.append(_describe(finding))
    return f"\n{' ' * (width + 2)}".join(lines)


def format_totals(tally: Tally, language: str) -> str:
    """Return how many items had which status, in one line."""
    counts = tally.counts
    parts = [
        f"{counts[status]} {STATUS_COUNTS[language][status][counts[status] != 1]}"
        for status in Status
        if counts[status]
    ]
    return f"{TOTALS[language]}: {', '.join(parts)}"


def finding_json(finding: Finding) -> str:
    """Return a finding as one line of JSON (ASCII, sorted keys)."""
    verdict = finding.verdict
    document = verdict.document or {}
    return _dump(
        {
            "kind": "item",
            "path": escape_name(finding.path),
            "status": verdict.status,
            "reason": verdict.reason,
            "detail": escape_name(verdict.detail),
            "key_id": verdict.key_id,
            "id": document.get("id"),
            "when": document.get("when"),
        }
    )


def totals_json(tally: Tally) -> str:
    """Return the totals as one line of JSON (ASCII, sorted keys)."""
    return _dump(
        {
            "kind": "summary",
            "schema": REPORT_SCHEMA,
            "counts": {status: tally.counts[status] for status in Status},
            "items": tally.counts.total(),
            "exit": tally.exit_code,
        }
    )


def _detail(finding: Finding, verbose: bool) -> str:
    verdict = finding.verdict
    parts = [verdict.detail] if verdict.detail else []
    if verdict.key_id is not None and (verbose or verdict.status is Status.UNVERIFIABLE):
        parts.append(f"key_id {verdict.key_id}")
    return f" ({printable('; '.join(parts))})" if parts else ""


def _advice(finding: Finding, language: str) -> list[str]:
    advice = ADVICE[language]
    found = advice.get(finding.verdict.reason) or advice.get(finding.verdict.status)
    return [f"→ {found}"] if found else []


def _describe(finding: Finding) -> str:
    line = finding.verdict.document or {}
    text = (
        f"{line.get('id')} · {line.get('status')} · {line.get('title')} · {finding.verdict.key_id}"
    )
    return printable(text)


def _dump(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))
