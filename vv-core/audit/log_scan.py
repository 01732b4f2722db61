"""Looking at every entry of a part of a log: leaf hashes, links, positions, times, signatures.

A part is a run of entry bundles; parts can be looked at by several processes. Nothing is decided here
about who is right where entries and hash tiles differ: that needs the signed head (`log_tree`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.log_position import (
    EVENT_MARK,
    explain_position,
    look_at_position,
    position_prefix,
)
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import verify_bytes, verify_entry
from vv_core.tlog.merkle import HASH_BYTES, root_hash
from vv_core.tlog.tiles import WIDTH, LogReader, TileError

CLOCK_STEP = b'"kind":"clock_step"'


@dataclass(frozen=True)
class LogPart:
    """What to look at.

    Attributes:
        folder: of the log.
        origin: the log's name.
        size: entries of the log, by its head.
        first: the first bundle.
        stop: the bundle after the last.
        keys: secrets by key id, to check signatures; None where that is done elsewhere or not at all.
        wanted: bundles whose leaf hashes the caller needs.
    """

    folder: Path
    origin: str
    size: int
    first: int
    stop: int
    keys: Mapping[str, bytes] | None = field(default=None, repr=False)
    wanted: frozenset[int] = frozenset()


@dataclass
class ScannedPart:
    """What was seen.

    Attributes:
        first: the first bundle.
        roots: for each bundle the root over its leaves, None where it cannot be used.
        leaves: leaf hashes, joined, of the bundles that were wanted and of one that is not full.
        issues: entries with something wrong in themselves, and their position.
        damaged: bundles that cannot be used, and why.
        unequal: bundles whose leaves are not those of their hash tile.
        tiles: hash tiles that cannot be used, and why.
        events: position and bytes of each event.
        key_runs: position from which on a key signs; only with keys.
        beyond: entries in the last bundle that the head does not cover.
    """

    first: int
    roots: list[bytes | None] = field(default_factory=list)
    leaves: dict[int, bytes] = field(default_factory=dict)
    issues: list[tuple[int, Verdict]] = field(default_factory=list)
    damaged: dict[int, TileError] = field(default_factory=dict)
    unequal: list[int] = field(default_factory=list)
    tiles: dict[int, TileError] = field(default_factory=dict)
    events: list[tuple[int, bytes]] = field(default_factory=list)
    key_runs: list[tuple[int, str]] = field(default_factory=list)
    beyond: int = 0


def scan_part(part: LogPart) -> ScannedPart:
    """Look at every entry of a part of a log."""
    return _Scanner(part).scan()


class _Scanner:
    """Holds what one entry says about the next: its leaf hash and its time."""

    def __init__(self, part: LogPart) -> None:
        self._part = part
        self._reader = LogReader(part.folder)
        self._prefix = position_prefix(part.origin)
        self._result = ScannedPart(part.first)
        self._previous: bytes | None = None
        self._is_previous_known = True
        self._time = b""

    def scan(self) -> ScannedPart:
        if self._part.first:
            self._begin_after(self._part.first - 1)
        for bundle in range(self._part.first, self._part.stop):
            self._scan_bundle(bundle)
        return self._result

    def _begin_after(self, bundle: int) -> None:
        """Learn leaf hash and time of the entry before the part."""
        try:
            entry = self._reader.bundle(bundle)[-1]
        except TileError:
            self._pass_over(bundle)
            return
        self._previous = sha256(b"\x00" + entry).digest()
        self._time = time_of(entry)

    def _pass_over(self, bundle: int) -> None:
        """Go on behind a bundle that is not there, with the leaf hash that its tile gives."""
        try:
            self._previous = self._reader.tile(0, bundle)[-HASH_BYTES:]
            self._is_previous_known = True
        except TileError:
            self._is_previous_known = False

    def _scan_bundle(self, bundle: int) -> None:
        first = bundle * WIDTH
        width = min(WIDTH, self._part.size - first)
        try:
            entries = self._reader.bundle(bundle)
        except TileError as exc:
            self._result.damaged[bundle] = exc
            self._result.roots.append(None)
            self._pass_over(bundle)
            return
        if len(entries) > width:
            self._result.beyond = len(entries) - width
        leaves = self._scan_entries(first, entries[:width])
        is_whole = len(leaves) == width
        self._result.roots.append(root_hash(leaves) if is_whole else None)
        joined = b"".join(leaves)
        if not self._is_tile_equal(bundle, joined, width):
            self._result.leaves[bundle] = joined
        if bundle in self._part.wanted or width < WIDTH or not is_whole:
            self._result.leaves[bundle] = joined

    def _is_tile_equal(self, bundle: int, joined: bytes, width: int) -> bool:
        try:
            tile = self._reader.tile(0, bundle)
        except TileError as exc:
            self._result.tiles[bundle] = exc
            return False
        if tile[: width * HASH_BYTES] == joined:
            return True
        self._result.unequal.append(bundle)
        return False

    def _scan_entries(self, first: int, entries: list[bytes]) -> list[bytes]:
        """Return the leaf hashes of the entries, after looking at each."""
        prefix, time, previous = self._prefix, self._time, self._previous
        leaves, hint = [], 0
        for seq, entry in enumerate(entries, start=first):
            place, when, is_event = look_at_position(entry, prefix, seq, previous, hint)
            if place < 0:
                self._explain(entry, seq, previous)
                self._is_previous_known = True
                time = time_of(entry) or time
                is_event = EVENT_MARK in entry
            else:
                if when < time and not (is_event and CLOCK_STEP in entry):
                    detail = f"{when.decode('ascii', 'replace')}Z"
                    self._report(seq, Verdict(Status.INVALID, Reason.BACK_DATED, detail))
                time, hint = when, place
            if is_event:
                self._result.events.append((seq, entry))
            if self._part.keys is not None:
                self._verify(seq, entry, self._part.keys)
            previous = sha256(b"\x00" + entry).digest()
            leaves.append(previous)
        self._time, self._previous = time, previous
        return leaves

    def _explain(self, entry: bytes, seq: int, previous: bytes | None) -> None:
        verdict = explain_position(entry, self._part.origin, seq, previous)
        if verdict is None:
            return
        if verdict.reason is Reason.WRONG_LINK and self._is_link_to_tile(entry, seq):
            return
        self._report(seq, verdict)

    def _is_link_to_tile(self, entry: bytes, seq: int) -> bool:
        """Tell whether the entry links to the leaf that the hash tile has.

        Then it is the entry before that was changed, which comes out by its own hash.
        """
        if not self._is_previous_known:
            return True
        try:
            tile = self._reader.tile(0, (seq - 1) // WIDTH) if seq else b""
        except TileError:
            return False
        at = (seq - 1) % WIDTH * HASH_BYTES
        leaf = tile[at : at + HASH_BYTES]
        return explain_position(entry, self._part.origin, seq, leaf) is None

    def _verify(self, seq: int, entry: bytes, keys: Mapping[str, bytes]) -> None:
        verdict = verify_entry(entry, keys) or verify_bytes(entry + b"\n", keys)
        if verdict.status is not Status.VALID:
            self._report(seq, verdict)
        runs = self._result.key_runs
        if verdict.key_id is not None and (not runs or runs[-1][1] != verdict.key_id):
            runs.append((seq, verdict.key_id))

    def _report(self, seq: int, verdict: Verdict) -> None:
        self._result.issues.append((seq, verdict))


def time_of(entry: bytes) -> bytes:
    """Return when an entry says that it was logged, to the second; empty when it does not."""
    try:
        document = load_strict(entry)
    except MalformedError:
        return b""
    time = document.get("logged_at") if isinstance(document, dict) else None
    return time[: len("2026-11-21T05:10:30")].encode() if isinstance(time, str) else b""
