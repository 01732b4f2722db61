"""An audit in words for people, in Portuguese or English, and in JSON lines for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vv_core.audit.finding import Finding, LogSummary
from vv_core.audit.report_words import (
    ADVICE,
    COVERAGE,
    EVIDENCE,
    PLACES,
    REASONS,
    STATUS_COUNTS,
    STATUSES,
    TOTALS,
)
from vv_core.audit.verdict import Reason, Status, worst_exit
from vv_core.logs import printable

REPORT_SCHEMA = "vv.audit-report/2"


@dataclass
class Tally:
    """How many lines had which status, and how far they are proven.

    Attributes:
        counts: lines by status.
        items: findings.
        signed_only: good lines that no trusted head covers.
        evidence: videos that were looked at, by result.
    """

    counts: Counter[Status] = field(default_factory=Counter)
    items: int = 0
    signed_only: int = 0
    evidence: Counter[str] = field(default_factory=Counter)

    def add(self, finding: Finding) -> None:
        """Count one finding."""
        self.items += 1
        self.counts[finding.verdict.status] += finding.weight
        if finding.verdict.reason is Reason.SIGNATURE_MATCHES:
            self.signed_only += finding.weight
        if finding.evidence is not None:
            self.evidence[finding.evidence] += 1

    @property
    def exit_code(self) -> int:
        """The exit code of the audit."""
        return worst_exit(status for status, count in self.counts.items() if count)


def is_problem(finding: Finding) -> bool:
    """Tell whether a person has to look at it."""
    return finding.is_problem


def escape_name(raw_name: str) -> str:
    """Return a file name that cannot steer a terminal, and from which the name can be told.

    Control and format characters, lone surrogates (bytes that are not UTF-8) and backslashes become
    backslash escapes.
    """
    if raw_name.isascii() and raw_name.isprintable() and "\\" not in raw_name:
        return raw_name
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
    place = _place(finding, language)
    lines = [f"{words[verdict.status]:<{width}}  {escape_name(finding.path)}{place}"]
    if verdict.status is not Status.VALID:
        lines.append(f"{REASONS[language][verdict.reason]}{_detail(finding, verbose)}")
        lines.extend(_advice(finding, language))
    elif verbose:
        lines.append(_describe(finding, language))
    return f"\n{' ' * (width + 2)}".join(lines)


def format_totals(tally: Tally, language: str) -> str:
    """Return how many lines had which status, in one line."""
    counts = tally.counts
    parts = [
        f"{counts[status]} {STATUS_COUNTS[language][status][counts[status] != 1]}"
        for status in Status
        if counts[status]
    ]
    return f"{TOTALS[language]}: {', '.join(parts)}"


def format_coverage(tally: Tally, logs: Sequence[LogSummary], language: str) -> list[str]:
    """Return which lines are witnessed, by whom and when, and which are signed only."""
    words = COVERAGE[language]
    lines = [line for log in logs if log.origin for line in _describe_log(log, words)]
    if logs and tally.signed_only:
        lines.append(words["signed_files"].format(count=tally.signed_only))
    if tally.evidence:
        counts = tally.evidence
        parts = [f"{counts[kind]} {EVIDENCE[language][kind]}" for kind in sorted(counts)]
        lines.append(f"{words['videos']}: {', '.join(parts)}")
    return lines


def _describe_log(log: LogSummary, words: Mapping[str, str]) -> list[str]:
    signed = words["signed" if log.is_signed else "unsigned"]
    lines = [words["log"].format(origin=printable(log.origin), size=log.size, signed=signed)]
    for witness in log.witnesses:
        when = words["at"].format(at=witness.at) if witness.at else words["no_time"]
        name = printable(witness.name)
        lines.append(words["witness"].format(name=name, count=witness.size, when=when))
    if log.witnessed < log.size:
        first, last = log.witnessed, log.size - 1
        lines.append(words["signed_only"].format(count=last - first + 1, first=first, last=last))
    if log.pruned_below:
        lines.append(words["pruned"].format(below=log.pruned_below))
    return lines


def finding_json(finding: Finding) -> str:
    """Return a finding as one line of JSON (ASCII, sorted keys)."""
    verdict = finding.verdict
    document = verdict.document or {}
    entry = {
        "kind": "item",
        "path": escape_name(finding.path),
        "status": verdict.status,
        "reason": verdict.reason,
        "detail": escape_name(verdict.detail),
        "key_id": verdict.key_id,
        "id": document.get("id"),
        "when": document.get("when"),
        "seq": finding.seq,
        "last": finding.last if finding.last is not None else finding.seq,
        "witnesses": None if finding.witnesses is None else list(finding.witnesses),
        "evidence": finding.evidence,
    }
    return _dump(entry)


def log_json(log: LogSummary) -> str:
    """Return what is known of a log as one line of JSON (ASCII, sorted keys)."""
    return _dump(
        {
            "kind": "log",
            "path": escape_name(log.path),
            "origin": log.origin,
            "size": log.size,
            "root": log.root,
            "signed": log.is_signed,
            "pruned_below": log.pruned_below,
            "witnessed": log.witnessed,
            "signed_only": log.size - log.witnessed,
            "witnesses": [
                {"name": each.name, "size": each.size, "at": each.at or None}
                for each in log.witnesses
            ],
        }
    )


def totals_json(tally: Tally) -> str:
    """Return the totals as one line of JSON (ASCII, sorted keys)."""
    return _dump(
        {
            "kind": "summary",
            "schema": REPORT_SCHEMA,
            "counts": {status: tally.counts[status] for status in Status},
            "items": tally.items,
            "signed_only": tally.signed_only,
            "evidence": dict(tally.evidence),
            "exit": tally.exit_code,
        }
    )


def _place(finding: Finding, language: str) -> str:
    if finding.seq is None or finding.witnesses is not None:
        return ""
    one, several = PLACES[language]
    if finding.last is None or finding.last == finding.seq:
        return f"  {one} {finding.seq}"
    return f"  {several} {finding.seq}–{finding.last}"


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


def _describe(finding: Finding, language: str) -> str:
    line = finding.verdict.document
    if line is None:
        return f"{REASONS[language][finding.verdict.reason]}{_detail(finding, verbose=True)}"
    parts = [line.get("id"), line.get("status") or line.get("kind"), line.get("title")]
    parts.append(finding.verdict.key_id)
    if finding.witnesses:
        parts.append(", ".join(finding.witnesses))
    return printable(" · ".join(str(part) for part in parts if part is not None))


def _dump(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"))
