"""The journal that a stage keeps beside its batch list: how far it is, and whether it still moves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.stage import JOURNAL_SUFFIX

START_ALLOWANCE_S = 60.0
"""What a stage may take on top for its start: imports, models, the container."""


@dataclass(frozen=True)
class JournalState:
    """What a stage's journal says.

    Attributes:
        ended: the ``end`` entry of each item that ended, by index.
        open_index: the item that began last, when nothing ended since.
    """

    ended: dict[int, dict[str, Any]]
    open_index: int | None


def journal_path(batch_list: Path) -> Path:
    """Return where the stage keeps the journal of a batch list."""
    return batch_list.with_name(batch_list.name + JOURNAL_SUFFIX)


class StallWatch:
    """Tells when a stage has been at one item, or at its start, for too long.

    The journal grows by a line when an item begins and ends: so long as it grows, the stage lives.
    """

    def __init__(
        self,
        journal: Path,
        timeout_s: float,
        monotonic: Callable[[], float],
        is_ending: Callable[[], bool] = lambda: False,
    ) -> None:
        self._is_ending = is_ending
        self._journal = journal
        self._timeout_s = timeout_s
        self._monotonic = monotonic
        self._size = -1
        self._since = monotonic()

    def is_stalled(self) -> bool:
        """Look at the journal; True when it has not grown for the time-out, or all is ending."""
        if self._is_ending():
            return True
        try:
            size = self._journal.stat().st_size
        except FileNotFoundError:
            size = 0
        if size != self._size:
            self._size = size
            self._since = self._monotonic()
        # A stage loads its model within its first item, so the start is allowed for there.
        return self._monotonic() - self._since > self._timeout_s + START_ALLOWANCE_S


def read_journal(path: Path, count: int) -> JournalState:
    """Return what a journal says about ``count`` items.

    A line that is torn, as a full disk leaves it, counts as not written.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        lines = []
    ended: dict[int, dict[str, Any]] = {}
    open_index: int | None = None
    for line in lines:
        entry = _parse_entry(line, count)
        if entry is None:
            continue
        if entry["event"] == "end":
            ended[entry["index"]] = entry
            open_index = None
        else:
            open_index = entry["index"]
    return JournalState(ended, open_index)


def _parse_entry(line: bytes, count: int) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("index"), int):
        return None
    if entry["index"] not in range(count):
        return None
    is_end = entry.get("event") == "end" and isinstance(entry.get("exit_code"), int)
    return entry if is_end or entry.get("event") == "start" else None
