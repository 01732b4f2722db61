"""One item of an audit, and how many lines it speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from vv_core.audit.verdict import Status, Verdict


@dataclass(frozen=True, slots=True)
class Finding:
    """One item of an audit and its verdict.

    Attributes:
        path: the file or folder.
        verdict: what was decided.
        seq: the position in the log that it speaks of, or the first of them.
        last: the last position, where it speaks of several.
        witnesses: who has seen the head that holds the line; None for what is in no log.
        evidence: of a LogLine with --videos: "matches", "absent" or "differs".
    """

    path: str
    verdict: Verdict
    seq: int | None = None
    last: int | None = None
    witnesses: tuple[str, ...] | None = None
    evidence: str | None = None

    @property
    def weight(self) -> int:
        """How many lines it counts for."""
        if self.seq is None or self.last is None:
            return 1
        return self.last - self.seq + 1

    @property
    def is_problem(self) -> bool:
        """Tell whether a person has to look at it."""
        return self.verdict.status not in GOOD


GOOD = frozenset({Status.VALID, Status.SKIPPED, Status.PRUNED})


@dataclass(frozen=True, slots=True)
class Witness:
    """Who else has seen a head.

    Attributes:
        name: the witness's key, or the file in which the head was kept.
        size: how many lines that head has.
        at: when it was cosigned, RFC 3339; "" where nobody signed a time.
    """

    name: str
    size: int
    at: str = ""


@dataclass(frozen=True, slots=True)
class LogSummary:
    """What is known of one whole log.

    Attributes:
        path: of the log's folder.
        origin: its name.
        size: lines under its head.
        root: of the head, hexadecimal.
        pruned_below: entries below were deleted by rule.
        is_signed: a trusted key has signed the head.
        witnesses: newest first.
    """

    path: str
    origin: str
    size: int
    root: str
    pruned_below: int = 0
    is_signed: bool = False
    witnesses: tuple[Witness, ...] = ()

    @property
    def witnessed(self) -> int:
        """How many lines, from the first, somebody else has seen the head of."""
        return max((min(each.size, self.size) for each in self.witnesses), default=0)

    def witnesses_of(self, seq: int) -> tuple[str, ...]:
        """Return who has seen a head that holds this line."""
        return tuple(each.name for each in self.witnesses if seq < each.size)
