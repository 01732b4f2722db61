"""The audit of one whole log: head, entries, tiles, witnesses, keys; published files come after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from vv_core.audit.finding import Finding, LogSummary, Witness
from vv_core.audit.key_runs import KeyRuns, find_revoked_lines
from vv_core.audit.log_damage import Damage, DamageReport
from vv_core.audit.log_events import LogFacts
from vv_core.audit.log_files import count_bundles_to_scan
from vv_core.audit.log_heads import WITNESS_FOLDER, HeldHead, read_own_head, read_witness_folder
from vv_core.audit.log_scan import LogPart, ScannedPart, scan_part, time_of
from vv_core.audit.log_tree import GrowingTree
from vv_core.audit.seq_set import SeqSet
from vv_core.audit.side_files import check_pruned_file, check_vkey_file
from vv_core.audit.trust import Trust
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import subtree_root
from vv_core.tlog.tiles import WIDTH, LogReader, TileError

PART_BUNDLES = 32
"""Bundles that are looked at in one go."""

ScanAll = Callable[[Callable[[LogPart], ScannedPart], Iterable[LogPart]], Iterator[ScannedPart]]
"""Applies a function to parts, in one process or several, and gives the results in order."""


class LogAudit:
    """Audits one log and then knows what its head commits to.

    Args:
        folder: of the log; holds ``checkpoint`` and ``tile/``.
        trust: what the auditor brings along.
        verify_entries: check signatures in the bundles.
        is_alone: no published files will be looked at, so that good lines are told from here.
        scan_all: applies the scan to parts; several processes may share them.
        advance: called with the number of lines looked at.
    """

    def __init__(
        self,
        folder: str,
        trust: Trust,
        *,
        verify_entries: bool = False,
        is_alone: bool = False,
        scan_all: ScanAll = map,
        advance: Callable[[int], object] = lambda _count: None,
    ) -> None:
        self.path = folder
        self.reader = LogReader(Path(folder))
        self.facts = LogFacts()
        self.head: Checkpoint | None = None
        self.summary = LogSummary(folder, "", 0, "")
        self.report: DamageReport | None = None
        self.used_heads: set[str] = set()
        self._trust = trust
        self._verify_entries = verify_entries
        self._is_alone = is_alone
        self._scan_all = scan_all
        self._advance = advance
        self._anchored_below = 0
        self._present = 0
        self._told = SeqSet(0)

    @property
    def present(self) -> int:
        """How many positions were looked at; fewer than the head claims where most files are gone."""
        return self._present

    @property
    def anchored_below(self) -> int:
        """The position below which a head that the auditor trusts commits to what is found."""
        return self._anchored_below

    def run(self) -> Iterator[Finding]:
        """Audit the log; yields what is wrong, and what is good where no published files follow."""
        for finding in self._findings():
            if finding.seq is not None and finding.verdict.status is not Status.VALID:
                self._told.add_range(finding.seq, finding.seq + finding.weight - 1)
            yield finding
        if self._is_alone and self.report is not None:
            yield from self._good_ranges()

    def _findings(self) -> Iterator[Finding]:
        own = read_own_head(self.reader, f"{self.path}/checkpoint", self._trust.verifiers)
        yield from own.findings
        heads = [*self._trust.heads]
        self.head = own.checkpoint or self._largest_head()
        if self.head is None:
            return
        if own.held is not None:
            heads.append(own.held)
        beside, findings = self._heads_beside()
        yield from findings
        yield from self._audit_tree([*heads, *beside], own.is_signed)
        yield from check_vkey_file(self.path, self._trust.log_keys)

    def _largest_head(self) -> Checkpoint | None:
        """Return the largest head that the auditor brought, for a log that has lost its own."""
        usable = [each.checkpoint for each in self._trust.heads if each.checkpoint.origin]
        return max(usable, key=lambda head: head.size, default=None)

    def _heads_beside(self) -> tuple[list[HeldHead], list[Finding]]:
        if not self._trust.log_keys:
            return [], []
        folder = Path(self.path, WITNESS_FOLDER)
        return read_witness_folder(folder, f"{self.path}/{WITNESS_FOLDER}", self._trust.verifiers)

    def _audit_tree(self, heads: Sequence[HeldHead], is_signed: bool) -> Iterator[Finding]:
        head = self.head
        assert head is not None
        heads = [each for each in heads if each.checkpoint.origin in {"", head.origin}]
        self.used_heads = {each.source for each in heads}
        bundles = count_bundles_to_scan(self.path, head.size)
        self._present = min(head.size, bundles * WIDTH)
        self._told = SeqSet(self._present)
        sizes = {each.checkpoint.size for each in heads if each.checkpoint.size <= head.size}
        tree = GrowingTree(self.reader, head.size, bundles, dict.fromkeys(sorted(sizes)))
        damage = Damage()
        yield from self._scan(head, tree, damage)
        tree.finish()
        self.report = DamageReport(self.path, tree, damage, head.root, self.facts.pruned_below)
        yield from self.report.findings()
        yield from check_pruned_file(self.reader, self.path, self.facts.pruned_below)
        yield from self._compare_heads(heads, tree, is_signed)
        yield from find_revoked_lines(self.reader, self.path, self._present, self.facts.revoked)

    def _scan(self, head: Checkpoint, tree: GrowingTree, damage: Damage) -> Iterator[Finding]:
        bundles = tree.bundles
        keys = self._trust.keys if self._verify_entries else None
        parts = (
            LogPart(
                self.reader.folder,
                head.origin,
                head.size,
                first,
                min(first + PART_BUNDLES, bundles),
                keys,
                tree.wanted,
            )
            for first in range(0, bundles, PART_BUNDLES)
        )
        runs = KeyRuns(self.path, self.facts)
        for part in self._scan_all(scan_part, parts):
            tree.add(part)
            damage.add(part)
            self._advance(min(len(part.roots) * WIDTH, head.size - part.first * WIDTH))
            for seq, entry in part.events:
                self.facts.add_event(seq, entry)
            for seq, verdict in part.issues:
                yield Finding(self.path, verdict, seq, seq)
            yield from runs.check(part, self._present)
        self.facts.began = self._time_of_first()

    def _time_of_first(self) -> str:
        """Return when the first entry that is still there was logged."""
        for bundle in range(-(-self._present // WIDTH)):
            try:
                entries = self.reader.bundle(bundle)
            except TileError:
                continue
            if entries:
                return time_of(entries[0]).decode("ascii", "replace")
        return ""

    def _compare_heads(
        self, heads: Sequence[HeldHead], tree: GrowingTree, is_signed: bool
    ) -> Iterator[Finding]:
        assert self.head is not None
        assert self.report is not None
        seen: list[Witness] = []
        anchored = self.head.size if is_signed and self.report.is_proven else 0
        for held in heads:
            verdict = self._compare_head(held.checkpoint, tree)
            if verdict.status is Status.VALID:
                seen += held.seen_by()
                if held.is_vouched:
                    anchored = max(anchored, held.checkpoint.size)
            if held.is_vouched or verdict.status is not Status.VALID:
                yield _head_finding(held, verdict, self.head.size)
        self._anchored_below = anchored
        self._summarize(seen, is_signed)
        yield from self._policy_findings()

    def _compare_head(self, held: Checkpoint, tree: GrowingTree) -> Verdict:
        assert self.head is not None
        if held.size > self.head.size:
            detail = f"{self.head.size} < {held.size}"
            return Verdict(Status.ROLLED_BACK, Reason.SHORTER_THAN_HEAD, detail)
        root = tree.roots_at.get(held.size)
        if root == held.root or self._root_of_tiles(held.size) == held.root:
            return Verdict(Status.VALID, Reason.HEAD_CONSISTENT, str(held.size))
        if root is None:
            return Verdict(Status.UNVERIFIABLE, Reason.POSITION_UNPROVEN)
        return Verdict(Status.FORKED, Reason.OTHER_ROOT_THAN_HEAD, str(held.size))

    def _root_of_tiles(self, size: int) -> bytes | None:
        """Return the root of a smaller log by the tiles, when the head commits to them."""
        assert self.report is not None
        if not self.report.trust.is_edge_right or size == 0:
            return None
        try:
            return subtree_root(0, size, self.reader.get_hash)
        except TileError:
            return None

    def _summarize(self, seen: list[Witness], is_signed: bool) -> None:
        assert self.head is not None
        newest: dict[str, Witness] = {}
        for each in seen:
            if each.size >= newest.get(each.name, each).size:
                newest[each.name] = each
        self.summary = LogSummary(
            self.path,
            self.head.origin,
            self.head.size,
            self.head.root.hex(),
            self.facts.pruned_below,
            is_signed,
            tuple(sorted(newest.values(), key=lambda each: (-each.size, each.name))),
        )

    def _policy_findings(self) -> Iterator[Finding]:
        assert self.head is not None
        size = self.head.size
        if not self._trust.log_keys and not self._trust.heads:
            yield Finding(self.path, Verdict(Status.UNVERIFIABLE, Reason.NO_VKEY))
        if self._trust.witnesses:
            sizes = sorted((each.size for each in self.summary.witnesses), reverse=True)
            enough = [*sizes, *[0] * self._trust.witnesses][self._trust.witnesses - 1]
            if enough < size:
                verdict = Verdict(Status.UNVERIFIABLE, Reason.NOT_WITNESSED)
                yield Finding(self.path, verdict, enough, size - 1)

    def _good_ranges(self) -> Iterator[Finding]:
        """Yield the lines with which nothing is wrong, as ranges."""
        is_keyless = self._trust.keys is None
        for first, last in self._told.absent():
            yield from self._good_range(first, last, is_keyless)

    def _good_range(self, first: int, last: int, is_keyless: bool) -> Iterator[Finding]:
        proven = min(last, self._anchored_below - 1)
        if first <= proven:
            reason = Reason.LOGGED_KEYLESS if is_keyless else Reason.LOGGED
            yield Finding(self.path, Verdict(Status.VALID, reason), first, proven)
        if proven < last:
            status = Status.UNVERIFIABLE if is_keyless else Status.VALID
            reason = Reason.POSITION_UNPROVEN if is_keyless else Reason.SIGNATURE_MATCHES
            yield Finding(self.path, Verdict(status, reason), max(first, proven + 1), last)


def _head_finding(held: HeldHead, verdict: Verdict, size: int) -> Finding:
    if verdict.status is Status.ROLLED_BACK:
        return Finding(held.source, verdict, size, held.checkpoint.size - 1)
    return Finding(held.source, verdict)
