"""What was found out about files in ``loglines/``: what is proven, what is refused, what must be looked at again."""

from __future__ import annotations

from dataclasses import dataclass, field

from tv_scheduler.index import until_of
from tv_scheduler.line import Line
from vv_core.video_files import FileSignature

MAX_REFUSED = 10_000
"""Of more refused files, none is remembered."""
RETRY_REFUSED_S = 600.0
"""A refused file is looked at again after so long: the log itself may have been put right."""
LONGEST_WAIT_S = 60.0


@dataclass(frozen=True)
class Found:
    """What is known of the folder.

    Attributes:
        lines: that verify and are young enough to be looked at.
        refused: files that the signed log does not have as they are, and why they are not shown.
        unreadable: files about which nothing can be said now, and why.
    """

    lines: tuple[Line, ...] = ()
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Proven:
    signature: FileSignature
    line: Line


@dataclass(frozen=True, slots=True)
class _Refused:
    signature: FileSignature
    reason: str
    at: float


@dataclass(frozen=True, slots=True)
class _Wait:
    due: float
    tries: int
    reason: str


class KnownLines:
    """Remembers verdicts on files; times are those of a clock that never goes back.

    Attributes:
        version: grows when something that `found` gives changes.
    """

    def __init__(self) -> None:
        self._proven: dict[str, _Proven] = {}
        self._refused: dict[str, _Refused] = {}
        self._waiting: dict[str, _Wait] = {}
        self.version = 0

    def __len__(self) -> int:
        return len(self._proven)

    @property
    def found(self) -> Found:
        """What is known now."""
        return Found(
            tuple(each.line for each in self._proven.values()),
            {name: each.reason for name, each in self._refused.items()},
            {name: each.reason for name, each in self._waiting.items()},
        )

    @property
    def next_due(self) -> float | None:
        """When the next file is to be looked at again."""
        return min((each.due for each in self._waiting.values()), default=None)

    def line_in(self, name: str) -> Line | None:
        """Return the LogLine that was proven in a file."""
        proven = self._proven.get(name)
        return proven.line if proven is not None else None

    def names(self) -> list[str]:
        """Return all files of which something is known."""
        return [*self._proven, *self._refused]

    def due(self, now: float) -> list[str]:
        """Return the files that are to be looked at again."""
        return [name for name, each in self._waiting.items() if each.due <= now]

    def is_known(self, name: str, signature: FileSignature, now: float) -> bool:
        """Tell whether a file was judged as it is, and need not be again."""
        refused = self._refused.get(name)
        if refused is not None:
            return refused.signature == signature and now - refused.at < RETRY_REFUSED_S
        proven = self._proven.get(name)
        return proven is not None and proven.signature == signature

    def prove(self, name: str, signature: FileSignature, line: Line) -> None:
        """Note that the signed log has a file."""
        self.drop(name)
        self._proven[name] = _Proven(signature, line)
        self.version += 1

    def refuse(self, name: str, signature: FileSignature, reason: str, now: float) -> None:
        """Note that the signed log does not have a file."""
        self.drop(name)
        if len(self._refused) < MAX_REFUSED:
            self._refused[name] = _Refused(signature, reason, now)
            self.version += 1

    def wait(self, name: str, reason: str, now: float) -> None:
        """Note that nothing can be said of a file now; each time it is tried again later."""
        before = self._waiting.pop(name, None)
        self.drop(name)
        tries = before.tries + 1 if before is not None else 0
        due = now + min(LONGEST_WAIT_S, 2.0**tries)
        self._waiting[name] = _Wait(due, tries, reason)
        self.version += before is None or before.reason != reason

    def drop(self, name: str) -> None:
        """Forget a file."""
        entries = (self._proven, self._refused, self._waiting)
        was_known = [each.pop(name, None) is not None for each in entries]
        self.version += any(was_known)

    def drop_before(self, since: int) -> None:
        """Forget what tells of nothing since a second."""
        before = len(self._proven)
        self.drop_out_of_reach(since)
        self.version += len(self._proven) < before

    def drop_out_of_reach(self, since: int) -> None:
        """Forget what tells of nothing since a second before which no TV shows anything.

        LogLines that no TV has shown for a while are not missed, so that this alone has nothing chosen or written
        anew: on a box with a LogLine a minute it would happen each minute.
        """
        for name in [name for name, each in self._proven.items() if each.line.when < since]:
            del self._proven[name]
        for name, each in list(self._refused.items()):
            if until_of(each.signature.mtime_ns) < since:
                self.drop(name)

    def newest(self, count: int) -> int:
        """Return the second since which there are at least so many LogLines."""
        return sorted(each.line.when for each in self._proven.values())[-count]
