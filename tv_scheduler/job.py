"""One turn of the playlists: rules, LogLines and clips are looked at, and the files brought up to date."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime

from tv_scheduler.board import Board
from tv_scheduler.index import is_logline_name
from tv_scheduler.kept_index import KeptIndex
from tv_scheduler.loglines import LogLines
from tv_scheduler.rules_file import RulesFile
from tv_scheduler.watch import CONTENT, NAMES, Watch
from vv_core.alerts import Alert, Severity
from vv_core.clock import Clock
from vv_core.errors import VvError, from_oserror
from vv_core.service_alerts import tell_from_service
from vv_core.settings import Settings
from vv_core.stop_sign import StopSign

BUDGET_S = 2.0
"""So long a turn looks at LogLines; what is left then is for the next one."""
GATHER_S = 0.05
"""What changes together comes within so long."""
LONGEST_RETRY_S = 60.0
RULES_COPY = "rules.yaml"
_MOST_DOUBLINGS = 6
_NAMED = 5


class PlaylistJob:
    """Keeps the playlists right; one call is one turn, and `rest` waits until the next is due."""

    def __init__(self, settings: Settings, clock: Clock, watch: Watch | None = None) -> None:
        """Look at nothing yet.

        Args:
            settings: of the box.
            clock: the time.
            watch: tells of changes; None: nothing is told, all is looked for.
        """
        self._settings = settings
        self._clock = clock
        self._watch = watch
        storage = settings.storage
        rules = settings.playlist_rules_file
        rules_path = settings.resolve(rules) if rules is not None else None
        self._rules = RulesFile(rules_path, storage.playlist_state / RULES_COPY)
        self._index = KeptIndex(storage.playlist_state, storage.loglines)
        self._lines = LogLines(storage.loglines, storage.log, self._index.index, clock)
        self._board = Board(settings)
        self._line_folder = os.fspath(storage.loglines)
        self._record_folder = os.fspath(storage.media)
        self._folders = {self._line_folder: CONTENT, self._record_folder: NAMES}
        self._rules_place = ("", "")
        if rules_path is not None:
            self._rules_place = (os.fspath(rules_path.parent), rules_path.name)
            self._folders[self._rules_place[0]] = CONTENT
        self._next_poll = 0.0
        self._failures = 0
        self._has_heard = False
        self._has_missed = False
        self._refused: set[str] = set()

    @property
    def is_whole(self) -> bool:
        """Whether everything was looked at once; before that no playlist is written."""
        return self._lines.is_whole

    def __call__(self, _is_ending: Callable[[], bool]) -> dict[str, object]:
        """Do one turn and return its figures.

        Raises:
            VvError: the rules are wrong, or something cannot be read or written.
        """
        try:
            figures = self._turn()
        except (VvError, OSError):
            wait_s = min(LONGEST_RETRY_S, 2.0 ** min(self._failures, _MOST_DOUBLINGS))
            self._failures += 1
            self._next_poll = self._clock.monotonic() + wait_s
            raise
        self._failures = 0
        if self._rules.problem is not None:
            raise self._rules.problem
        return figures

    def rest(self, sign: StopSign, longest_s: float) -> None:
        """Wait until there is something to do, at most so long."""
        end = self._clock.monotonic() + min(longest_s, self._due_in_s())
        descriptors = self._watch.descriptors if self._watch is not None else []
        while not sign.is_set() and (left := end - self._clock.monotonic()) > 0:
            sign.wait(left, descriptors)
            if self._hear():
                sign.wait(GATHER_S)
                return

    def close(self) -> None:
        """End."""
        self._index.index.close()
        if self._watch is not None:
            self._watch.close()

    def _due_in_s(self) -> float:
        now = self._clock.monotonic()
        waits = [self._next_poll - now]
        if not self._failures:
            waits += [self._lines.wait_s] if self._lines.wait_s is not None else []
            edge = self._board.edge
            waits += [edge - self._clock.now().timestamp()] if edge is not None else []
        return max(0.0, min(waits))

    def _turn(self) -> dict[str, object]:
        rules = self._rules.read()
        self._board.check_access()
        self._follow(self._board.clip_paths)
        # What failed is tried again in each turn: one that left it out would say that all is well.
        if self._failures or self._has_missed or self._clock.monotonic() >= self._next_poll:
            self._poll()
        # After the folder's mark was taken: what the mark covers was told by now.
        self._hear()
        self._work(max(rule.reach_s for rule in rules))
        if not self.is_whole:
            return {"looked_at": len(self._lines.known)}
        now = self._clock.now()
        self._board.update(rules, self._lines.known, now, self._follow)
        found = self._board.found
        self._alert(found.refused, now)
        return {
            "items": self._board.counts,
            "clips": len(self._board.clips),
            "refused": len(found.refused),
            "unreadable": len(found.unreadable),
            "index": self._index.problem,
        }

    def _poll(self) -> None:
        if self._index.problem:
            self._index.open()
            self._lines.use(self._index.index)
        self._lines.poll(self._has_heard, self._has_missed)
        self._has_heard = self._has_missed = False
        self._next_poll = self._clock.monotonic() + self._settings.playlist_poll_s

    def _work(self, reach_s: int) -> None:
        for mend in (self._index.mend, self._index.go_without):
            try:
                self._lines.work(reach_s, BUDGET_S)
            except sqlite3.Error as exc:
                mend(exc)
                self._lines.use(self._index.index)
                self._lines.poll(has_heard=False)
            else:
                return
        self._lines.work(reach_s, BUDGET_S)

    def _follow(self, clip_paths: set[str]) -> bool:
        """Have the kernel tell of changes; return whether it does so of more folders than before."""
        if self._watch is None:
            return False
        clip_folders = {path.rpartition("/")[0] for path in clip_paths}
        new = self._watch.follow(dict.fromkeys(clip_folders, NAMES) | self._folders)
        # At the first turn the folder's mark says whether something changed before.
        self._has_missed |= self._line_folder in new and self._next_poll > 0
        return bool(new)

    def _hear(self) -> bool:
        """Take what the kernel has told; return whether it gives something to do."""
        if self._watch is None:
            return False
        heard = self._watch.hear()
        self._has_missed |= heard.has_missed or self._line_folder in heard.gone
        lines = heard.names.get(self._line_folder, set())
        self._has_heard |= bool(lines)
        self._lines.touch(lines)
        records = heard.names.get(self._record_folder, set())
        rules_folder, rules_name = self._rules_place
        clips = self._board.clip_paths
        return (
            heard.has_missed
            or bool(heard.gone)
            or any(is_logline_name(name) for name in lines)
            or any(self._board.shows(name.removesuffix(".json")) for name in records)
            or rules_name in heard.names.get(rules_folder, ())
            or any(
                f"{folder}/{name}" in clips
                for folder in heard.names
                for name in heard.names[folder]
            )
        )

    def _alert(self, refused: dict[str, str], now: datetime) -> None:
        """Tell, once, about LogLines that are not what the box has signed."""
        new = sorted(refused.keys() - self._refused)
        self._refused = set(refused)
        if not new:
            return
        named = ", ".join(repr(name) for name in new[:_NAMED])
        more = f" and {len(new) - _NAMED} more" if len(new) > _NAMED else ""
        alert = Alert(
            Severity.CRITICAL,
            "logline_refused",
            new[0],
            f"LogLines that the signed log does not have are not shown: {named}{more}",
            "Audit loglines/ with logline_verifier: somebody may have changed them.",
        )
        try:
            tell_from_service(self._settings.storage, alert, now)
        except OSError as exc:
            raise from_oserror(exc, "keep an alert") from exc
