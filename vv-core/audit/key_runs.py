"""Which lines a key signed that was not to: before its time, after it was retired, or revoked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.finding import Finding
from vv_core.audit.log_events import LogFacts
from vv_core.audit.log_scan import ScannedPart
from vv_core.audit.signing import SIGNATURE_FIELD
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.tlog.tiles import WIDTH, LogReader, TileError


class KeyRuns:
    """Gathers which key signed which run of lines, and tells where another one was due.

    Which key was due before the first rotation is only known when that has come.

    Args:
        path: what to call the log.
        facts: what the log's events have said so far.
    """

    def __init__(self, path: str, facts: LogFacts) -> None:
        self._path = path
        self._facts = facts
        self._runs: list[tuple[int, int, str]] = []

    def check(self, part: ScannedPart, size: int) -> Iterator[Finding]:
        """Add the runs of a part, whose events are known already, and yield what is wrong.

        Args:
            part: comes in order.
            size: lines of the log that are looked at.
        """
        end = min((part.first + len(part.roots)) * WIDTH, size)
        ends = [seq for seq, _ in part.key_runs[1:]] + [end]
        self._runs += [
            (seq, after - 1, key_id)
            for (seq, key_id), after in zip(part.key_runs, ends, strict=False)
        ]
        if not self._facts.rotations and end < size:
            self._runs = _join_runs(self._runs)
            return
        for first, last, key_id in self._runs:
            verdict = Verdict(Status.INVALID, Reason.RETIRED_KEY, key_id=key_id)
            for start, stop in self._facts.find_wrong_ranges(first, last, key_id):
                yield Finding(self._path, verdict, start, stop)
        self._runs = []


def _join_runs(runs: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    """Join runs of the same key that follow one another."""
    joined: list[tuple[int, int, str]] = []
    for first, last, key_id in runs:
        if joined and joined[-1][2] == key_id and joined[-1][1] + 1 == first:
            joined[-1] = (joined[-1][0], last, key_id)
        else:
            joined.append((first, last, key_id))
    return joined


def find_revoked_lines(
    reader: LogReader, path: str, size: int, revoked: Mapping[str, int]
) -> Iterator[Finding]:
    """Yield the lines that a key signed from the position on at which it was revoked.

    Args:
        reader: of the log.
        path: what to call the log.
        size: entries of the log.
        revoked: first bad position by key id.
    """
    if not revoked:
        return
    for bundle in range(max(min(revoked.values()), 0) // WIDTH, -(-size // WIDTH)):
        try:
            entries = reader.bundle(bundle)
        except TileError:
            continue
        for seq, entry in enumerate(entries, start=bundle * WIDTH):
            key_id = key_id_of(entry)
            if seq < size and key_id is not None and revoked.get(key_id, size) <= seq:
                verdict = Verdict(Status.INVALID, Reason.REVOKED_KEY, key_id=key_id)
                yield Finding(path, verdict, seq, seq)


def key_id_of(entry: bytes) -> str | None:
    """Return the key id that a line names, if it has the form of a line."""
    try:
        document = load_strict(entry)
    except MalformedError:
        return None
    details = document.get(SIGNATURE_FIELD) if isinstance(document, dict) else None
    key_id = details.get("key_id") if isinstance(details, dict) else None
    return key_id if isinstance(key_id, str) else None
