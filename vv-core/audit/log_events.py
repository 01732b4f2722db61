"""What the events of a log say about its keys and about entries that were deleted by rule."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.verdict import Reason, Status, Verdict


@dataclass
class LogFacts:
    """What the events of a log say.

    Attributes:
        rotations: position from which on a key signs, and the key's id; by position.
        revoked: first position at which a line of a key is bad, by key id.
        pruned_below: entries below may be deleted.
        began: when the first line was logged, to the second, without its zone.
    """

    rotations: list[tuple[int, str]] = field(default_factory=list)
    first_key: str | None = None
    revoked: dict[str, int] = field(default_factory=dict)
    pruned_below: int = 0
    began: str = ""

    def add_event(self, seq: int, entry: bytes) -> None:
        """Learn from an event; one that is malformed says nothing (and is told elsewhere)."""
        try:
            document = load_strict(entry)
        except MalformedError:
            return
        if not isinstance(document, dict) or not isinstance(document.get("details"), dict):
            return
        self._learn(seq, document.get("kind"), document["details"])

    def _learn(self, seq: int, kind: object, details: dict[str, Any]) -> None:
        if kind == "rotation" and isinstance(details.get("new_key_id"), str):
            if not self.rotations and isinstance(details.get("old_key_id"), str):
                self.first_key = details["old_key_id"]
            self.rotations.append((seq, details["new_key_id"]))
        elif kind == "revocation" and isinstance(details.get("key_id"), str):
            first = details.get("from_seq")
            if isinstance(first, int):
                known = self.revoked.get(details["key_id"], first)
                self.revoked[details["key_id"]] = min(first, known)
        elif kind == "pruned" and isinstance(details.get("below"), int):
            # No event allows what comes after it.
            self.pruned_below = max(self.pruned_below, min(details["below"], seq))

    def find_key_problem(self, seq: int, key_id: str | None) -> Verdict | None:
        """Tell whether a line's key was not to sign at its position."""
        if key_id is None:
            return None
        first_bad = self.revoked.get(key_id)
        if first_bad is not None and seq >= first_bad:
            return Verdict(Status.INVALID, Reason.REVOKED_KEY, key_id=key_id)
        at = bisect_right(self.rotations, (seq, "\U0010ffff"))
        due = self.rotations[at - 1][1] if at else self.first_key
        if due is not None and due != key_id:
            return Verdict(Status.INVALID, Reason.RETIRED_KEY, key_id=key_id)
        return None

    def find_wrong_ranges(self, first: int, last: int, key_id: str) -> Iterator[tuple[int, int]]:
        """Yield the first and last of each part of a run of lines in which its key was not due."""
        at = bisect_right(self.rotations, (first, "\U0010ffff"))
        due = self.rotations[at - 1][1] if at else self.first_key
        while first <= last:
            end = self.rotations[at][0] - 1 if at < len(self.rotations) else last
            if due is not None and due != key_id:
                yield first, min(end, last)
            if at < len(self.rotations):
                due = self.rotations[at][1]
            first, at = end + 1, at + 1
