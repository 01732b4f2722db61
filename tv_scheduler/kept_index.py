"""The index where it can be kept, and going on without where it cannot."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tv_scheduler.index import FILE, FileIndex, NoIndex, SqliteIndex, is_corrupt
from vv_core.logs import get_logger

_logger = get_logger("playlist")


class KeptIndex:
    """Opens the index of a folder of LogLines.

    Attributes:
        index: to be used now.
        problem: why it is none that is kept, or "".
    """

    def __init__(self, state: Path, loglines: Path) -> None:
        """Open it.

        Args:
            state: the folder that it is kept in.
            loglines: the folder that it is about.
        """
        self._state = state
        self._loglines = loglines
        self.problem = ""
        self.index: FileIndex = NoIndex(loglines)
        self.open()

    def open(self) -> None:
        """Try to use what is kept."""
        self.index.close()
        try:
            self._state.mkdir(exist_ok=True)
            self.index = SqliteIndex(self._state / FILE)
            self.problem = ""
        except (OSError, sqlite3.Error) as exc:
            self.go_without(exc)

    def mend(self, exc: sqlite3.Error) -> None:
        """Begin the index again if it is damaged; go on without one if it cannot be kept now."""
        index = self.index
        if not isinstance(index, SqliteIndex) or not is_corrupt(exc):
            self.go_without(exc)
            return
        try:
            index.begin_again(str(exc))
        except sqlite3.Error as problem:
            self.go_without(problem)

    def go_without(self, exc: Exception) -> None:
        """Use none until it is opened again."""
        self.index.close()
        if str(exc) != self.problem:
            _logger.warning(
                "no index in %r (%s): each LogLine is looked at each time", str(self._state), exc
            )
        self.problem = str(exc)
        self.index = NoIndex(self._loglines)
