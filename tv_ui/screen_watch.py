"""Watching over the screens: hears them, looks at them every few seconds, tells, and keeps what is known."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from tv_ui.screen_files import file_of, read_screens, write_screen
from tv_ui.screen_report import Report
from tv_ui.screens import Due, Screen, ScreenBook
from tv_ui.texts import Say, trouble_text
from vv_core.clock import Clock
from vv_core.errors import from_oserror
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.service_alerts import tell_from_service

_PAUSE_S = 5.0
_STUCK_AFTER_S = 60.0

_logger = get_logger("tv_api")


class ScreenWatch:
    """The screens of this box."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Take over what was known before."""
        self._storage = storage
        self._clock = clock
        start = clock.monotonic()
        self._book = ScreenBook(read_screens(storage.tvs, clock.now(), start), start)
        self._looked: float | None = None
        self._complaint = ""

    def hear(self, tv: str, report: Report) -> bool:
        """Note a heartbeat; return False where the screen sends too many."""
        return self._book.hear(tv, report, self._clock.now(), self._clock.monotonic())

    async def run(self) -> None:
        """Look at the screens until cancelled, and keep what is known then."""
        try:
            while True:
                await asyncio.to_thread(self.look)
                await asyncio.sleep(_PAUSE_S)
        finally:
            self.look(is_last=True)

    def look(self, *, is_last: bool = False) -> None:
        """Look at all screens once, tell and write what is due."""
        due = self._book.look(self._clock.monotonic(), is_last=is_last)
        try:
            self._apply(due)
            self._complaint = ""
        except OSError as exc:
            self._complain(from_oserror(exc, "keep what is known of the screens").message)
        self._looked = self._clock.monotonic()

    def _apply(self, due: Due) -> None:
        for alert in due.alerts:
            tell_from_service(self._storage, alert, self._clock.now())
        for screen in due.forget:
            with suppress(FileNotFoundError):
                file_of(self._storage.tvs, screen).unlink()
        for screen in due.save:
            write_screen(self._storage.tvs, screen)

    def _complain(self, text: str) -> None:
        """Log a problem once, not every few seconds."""
        if text != self._complaint:
            _logger.error("%s", text)
        self._complaint = text

    def find_problem(self) -> str | None:
        """Return why nobody would hear of a TV that is dark, or None."""
        if self._looked is None or self._clock.monotonic() - self._looked < _STUCK_AFTER_S:
            return None
        return "nobody has looked at the screens for a minute → Start tv_api again."

    def view(self, say: Say) -> list[dict[str, Any]]:
        """Return the screens for people and programs."""
        moment = self._clock.monotonic()
        return [_view(screen, moment, say) for screen in self._book.screens()]


def _view(screen: Screen, moment: float, say: Say) -> dict[str, Any]:
    told = screen.report.to_document()
    return {
        "tv": screen.tv,
        **told,
        "age_s": round(moment - screen.heard),
        "trouble": str(screen.trouble),
        "problem": trouble_text(screen.trouble, say),
    }
