"""The whole audit: single files, folders, and logs with their published files, in one pass each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from vv_core.audit.audit_folder import (
    PORTION,
    Target,
    find_below,
    find_log,
    find_targets,
    verify_file,
)
from vv_core.audit.clip_proof import verify_proof_file
from vv_core.audit.evidence import DIFFERS, check_video
from vv_core.audit.finding import Finding, LogSummary
from vv_core.audit.log_audit import LogAudit
from vv_core.audit.log_position import position_of
from vv_core.audit.parallel import Workers
from vv_core.audit.published import PublishedContext, slim_verdict, verify_published
from vv_core.audit.seq_set import SeqSet
from vv_core.audit.single_file import find_log_near, prove_file
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.tlog.proof_file import PROOF_SUFFIX

CHUNK_FILES = 500


@dataclass(frozen=True)
class AuditPlan:
    """What to audit, and with what.

    Attributes:
        paths: files, folders, logs; in this order.
        trust: what the auditor brings along.
        videos: folder of videos to hash again.
        portion: names of one folder to hold in memory at a time.
    """

    paths: Sequence[str]
    trust: Trust
    videos: str | None = None
    portion: int = PORTION


@dataclass
class WholeAudit:
    """Runs an audit and gathers what is known of each log.

    Attributes:
        plan: what to audit.
        workers: processes that share the work.
        advance: called with the number of lines and files done.
        logs: what is known of each log, once the audit ran.
    """

    plan: AuditPlan
    workers: Workers
    advance: Callable[[int], object] = lambda _count: None
    logs: list[LogSummary] = field(default_factory=list)
    _used_heads: set[str] = field(default_factory=set)

    def run(self) -> Iterator[Finding]:
        """Yield a finding for each item."""
        for path in self.plan.paths:
            yield from self._audit_path(path)
        for held in self.plan.trust.heads:
            if held.source not in self._used_heads:
                yield Finding(held.source, Verdict(Status.MISSING, Reason.LOG_MISSING))

    def _audit_path(self, path: str) -> Iterator[Finding]:
        known, names_a_log, is_folder = len(self.logs), False, False
        targets = find_targets([path], self.plan.portion)
        plain = _Split(targets)
        for finding in self.workers.map(self._verify_plain, plain.files(), CHUNK_FILES):
            self.advance(1)
            names_a_log = names_a_log or finding.seq is not None
            is_folder = is_folder or finding.path != path
            yield finding
        for folder in plain.logs:
            yield from self._audit_log(folder)
        is_folder = is_folder or Path(path).is_dir()
        if not is_folder or len(self.logs) > known:
            return
        if self.plan.trust.log_keys:
            yield Finding(path, Verdict(Status.MISSING, Reason.LOG_MISSING))
        elif names_a_log:
            yield Finding(path, Verdict(Status.UNVERIFIABLE, Reason.LOG_NOT_HERE))

    @property
    def _verify_plain(self) -> Callable[[Target], Finding]:
        return self._lighten(partial(verify_plain, trust=self.plan.trust, videos=self.plan.videos))

    def _lighten(self, verify: Callable[[Target], Finding]) -> Callable[[Target], Finding]:
        """Leave out of findings what a report does not show, where they travel between processes."""
        return verify if self.workers.is_alone else partial(verify_lightly, verify=verify)

    def _audit_log(self, folder: str) -> Iterator[Finding]:
        log_folder = find_log(folder)
        assert log_folder is not None
        has_files = log_folder != folder
        audit = LogAudit(
            log_folder,
            self.plan.trust,
            verify_entries=not has_files and self.plan.trust.keys is not None,
            is_alone=not has_files,
            scan_all=self.workers.map,
            advance=self.advance,
        )
        yield from audit.run()
        self._used_heads |= audit.used_heads
        self.logs.append(audit.summary)
        if has_files:
            yield from self._audit_files(folder, audit)

    def _audit_files(self, folder: str, audit: LogAudit) -> Iterator[Finding]:
        """Verify the published files beside a log, and tell which are missing."""
        context = make_context(audit, self.plan)
        seen = SeqSet(audit.present)
        plain = _Split(find_below(folder, self.plan.portion, audit.path))
        verify = self._lighten(partial(verify_beside, context=context, trust=self.plan.trust))
        for finding in self.workers.map(verify, plain.files(), CHUNK_FILES):
            self.advance(1)
            if finding.seq is not None and finding.seq in seen:
                verdict = Verdict(Status.INVALID, Reason.LINE_TWICE, str(finding.seq))
                yield Finding(finding.path, verdict, witnesses=finding.witnesses)
                continue
            if finding.seq is not None:
                seen.add(finding.seq)
            yield finding
        if context is not None:
            yield from missing_files(seen, audit)
        for other in plain.logs:
            yield from self._audit_log(other)


class _Split:
    """Gives the targets that are files, and keeps the logs among them for afterwards."""

    def __init__(self, targets: Iterator[Target]) -> None:
        self._targets = targets
        self.logs: list[str] = []

    def files(self) -> Iterator[Target]:
        for target in self._targets:
            if target.is_log:
                self.logs.append(target.path)
            else:
                yield target


def make_context(audit: LogAudit, plan: AuditPlan) -> PublishedContext | None:
    """Return what published files are compared with; None where the log has no head at all."""
    if audit.head is None or audit.report is None:
        return None
    return PublishedContext(
        audit.report,
        audit.head,
        audit.facts,
        audit.summary,
        audit.anchored_below,
        plan.trust.verifiers,
        plan.trust.keys,
        plan.videos,
    )


def verify_lightly(target: Target, verify: Callable[[Target], Finding]) -> Finding:
    """Verify a file, and keep of its document only what a report shows."""
    finding = verify(target)
    return replace(finding, verdict=slim_verdict(finding.verdict))


def verify_beside(target: Target, context: PublishedContext | None, trust: Trust) -> Finding:
    """Verify a file beside a log."""
    if target.verdict is not None:
        return Finding(target.path, target.verdict)
    if context is None:
        return Finding(target.path, verify_file(target.path, trust.keys or {}))
    return verify_published(target.path, context)


def verify_plain(target: Target, trust: Trust, videos: str | None) -> Finding:
    """Verify a file that lies beside no log; ``seq`` says where in one it claims to stand."""
    if target.verdict is not None:
        return Finding(target.path, target.verdict)
    if target.path.endswith(PROOF_SUFFIX):
        return verify_proof_file(target.path, trust, videos)
    near = find_log_near(target.path) if trust.log_keys else None
    finding = prove_file(target.path, near, trust) if near is not None else None
    verdict = finding.verdict if finding else verify_file(target.path, trust.keys or {})
    document = verdict.document
    position = position_of(document)
    evidence = check_video(document, videos) if document is not None and videos else None
    if evidence == DIFFERS:
        verdict = Verdict(Status.INVALID, Reason.EVIDENCE_DIFFERS, key_id=verdict.key_id)
    seq = position["seq"] if position else None
    witnesses = finding.witnesses if finding else ()
    return Finding(target.path, verdict, seq, witnesses=witnesses, evidence=evidence)


def missing_files(seen: SeqSet, audit: LogAudit) -> Iterator[Finding]:
    """Yield the entries whose published file is not there.

    Those deleted by rule are no news. The last one alone may be what an interrupted append left.
    """
    size, below = audit.summary.size, audit.facts.pruned_below
    for first, last in seen.absent():
        start = max(first, below)
        if start > last:
            continue
        if start == last == size - 1:
            verdict = Verdict(Status.UNVERIFIABLE, Reason.INTERRUPTED)
        else:
            verdict = Verdict(Status.MISSING, Reason.FILE_MISSING)
        yield Finding(audit.path, verdict, start, last)
