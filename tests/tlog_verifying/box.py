"""A small box with its log, and what an auditor finds in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.log_builder import LogBuilder, NoteKey
from vv_core.audit.finding import Finding, LogSummary
from vv_core.audit.key_chain import DerivedKeys
from vv_core.audit.parallel import Workers
from vv_core.audit.report import Tally
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Status
from vv_core.audit.verifier_options import read_held_heads
from vv_core.audit.whole_audit import AuditPlan, WholeAudit
from vv_core.tlog.note import parse_vkey

WITNESS = NoteKey("witness.example/sala-2", 77, 4)


@dataclass(frozen=True)
class Audited:
    """The result of an audit."""

    findings: list[Finding]
    logs: list[LogSummary]
    exit_code: int

    @property
    def problems(self) -> list[tuple[str, str, str]]:
        """File name, status and reason of each problem."""
        return [
            (Path(each.path).name, each.verdict.status, each.verdict.reason)
            for each in self.findings
            if each.is_problem
        ]

    @property
    def statuses(self) -> set[str]:
        """The statuses of all problems."""
        return {status for _, status, _ in self.problems}

    def seqs(self, status: Status) -> list[tuple[int | None, int | None]]:
        """Return the positions that findings of a status speak of."""
        return [
            (each.seq, each.last if each.last is not None else each.seq)
            for each in self.findings
            if each.verdict.status is status
        ]


def audit(
    *paths: Path,
    vkeys: Sequence[str] = (),
    keys: Mapping[str, bytes] | None = None,
    heads: Sequence[str] = (),
    witnesses: int = 0,
    videos: Path | None = None,
    jobs: int = 1,
) -> Audited:
    """Audit paths as the command does."""
    verifiers = tuple(parse_vkey(text) for text in vkeys)
    held = tuple(head for text in heads for head in read_held_heads(text, verifiers))
    trust = Trust(None if keys is None else DerivedKeys(keys), verifiers, held, witnesses)
    plan = AuditPlan([str(path) for path in paths], trust, str(videos) if videos else None)
    with Workers(jobs) as workers:
        whole = WholeAudit(plan, workers)
        findings = list(whole.run())
    tally = Tally()
    for finding in findings:
        tally.add(finding)
    return Audited(findings, whole.logs, tally.exit_code)


def audit_box(box: LogBuilder, *, with_keys: bool = True, heads: Sequence[str] = ()) -> Audited:
    """Audit a box's loglines with its vkey, and with its first HMAC key or without any."""
    keys = box.keys if with_keys else None
    return audit(box.folder, vkeys=[box.signer.vkey], keys=keys, heads=heads)


def built(folder: Path, count: int) -> LogBuilder:
    """Return a box with a start event and so many LogLines, a rotation among them, written."""
    box = LogBuilder(folder / "loglines")
    box.add_event("start", version="0.1.0", manifest_sha256=None)
    box.add_lines(count // 2)
    box.rotate()
    box.add_lines(count - count // 2)
    return box.write()
