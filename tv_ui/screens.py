"""What is known of each screen, and when somebody must look at it; decisions over data, no files here."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from tv_ui.screen_report import Report
from vv_core.alerts import Alert, Severity

MAX_SCREENS = 200
PATIENCE_S = 60.0
"""A screen that says nothing, or shows nothing new, for so long is in trouble."""
FORGET_AFTER_S = 7 * 24 * 3600.0
SAVE_EVERY_S = 60.0
_BURST = 10.0
_PER_SECOND = 0.5


class Trouble(StrEnum):
    """What is wrong with a screen."""

    NONE = ""
    SILENT = "silent"
    FROZEN = "frozen"
    HIDDEN = "hidden"


@dataclass(frozen=True)
class Screen:
    """A screen. Moments are seconds of a clock that never goes back (`Clock.monotonic`).

    Attributes:
        tv: whose playlist it shows.
        report: what it last said.
        heard_at: when, by the wall clock: for people, and for the next start of the program.
        heard: when it last said something.
        moved: when it last said that it had shown another frame.
        trouble: what somebody was told about it.
        saved: when its file was written last; None: it has none yet.
        known_since: when it said something first.
        credit: heartbeats that it may send at once.
    """

    tv: str
    report: Report
    heard_at: datetime
    heard: float
    moved: float
    trouble: Trouble = Trouble.NONE
    saved: float | None = None
    known_since: float = 0.0
    credit: float = _BURST

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.tv, self.report.screen


def hear(screen: Screen | None, tv: str, report: Report, now: datetime, moment: float) -> Screen:
    """Return a screen after a heartbeat.

    Args:
        screen: before; None: nobody has heard of it.
        tv: whose playlist it shows.
        report: what it says.
        now: by the wall clock.
        moment: by the clock that never goes back.
    """
    if screen is None:
        return Screen(tv, report, now, moment, moment, known_since=moment)
    # Fewer than before is another page on the same screen: that has moved too.
    has_moved = report.frames != screen.report.frames
    return replace(
        screen,
        report=report,
        heard_at=now,
        heard=moment,
        moved=moment if has_moved else screen.moved,
    )


def judge(screen: Screen, moment: float, since: float) -> Trouble:
    """Return what is wrong with a screen.

    Args:
        screen: as it is known.
        moment: now.
        since: when this program began to listen: nobody was silent before that.
    """
    if moment - max(screen.heard, since) >= PATIENCE_S:
        return Trouble.SILENT
    if screen.heard < since:
        # Not heard since the start, and not for long: what was told last still holds.
        return screen.trouble
    if moment - screen.moved >= PATIENCE_S or screen.report.last_frame_ms >= PATIENCE_S * 1000:
        return Trouble.FROZEN if screen.report.visible else Trouble.HIDDEN
    return Trouble.NONE


def find_alert(screen: Screen, trouble: Trouble) -> Alert | None:
    """Return what to tell about a screen whose trouble is another one now than was told."""
    if trouble is screen.trouble:
        return None
    name = f"{screen.tv}/{screen.report.screen}"
    match trouble:
        case Trouble.NONE:
            return Alert(
                Severity.INFO, "tv_back", name, f"TV {name} shows pictures again", "Nothing to do."
            )
        case Trouble.SILENT:
            message = f"TV {name} has said nothing for {PATIENCE_S:.0f} s"
            advice = (
                "Check its power and its network; http://BOX:8000/setup says how a TV is set up."
            )
            return Alert(Severity.WARNING, "tv_silent", name, message, advice)
        case Trouble.FROZEN:
            message = f"TV {name} answers, but its picture has stood still for {PATIENCE_S:.0f} s"
            return Alert(Severity.WARNING, "tv_frozen", name, message, "Start its browser again.")
        case Trouble.HIDDEN:
            message = f"TV {name} runs the page, but something else is in front of it"
            advice = "Close what lies over the page, or switch the TV to the right input."
            return Alert(Severity.WARNING, "tv_frozen", name, message, advice)


@dataclass
class Due:
    """What a look at the screens asks for.

    Attributes:
        alerts: to tell.
        save: screens whose file is to be written.
        forget: screens whose file is to be removed.
    """

    alerts: list[Alert] = field(default_factory=list)
    save: list[Screen] = field(default_factory=list)
    forget: list[Screen] = field(default_factory=list)


class ScreenBook:
    """The screens that are known; may be used by several threads."""

    def __init__(self, screens: Iterable[Screen], since: float) -> None:
        """Begin.

        Args:
            screens: known from before.
            since: when this program began to listen.
        """
        self._lock = threading.Lock()
        self._since = since
        self._screens = {screen.key: screen for screen in screens}
        self._forgotten: dict[tuple[str, str], Screen] = {}

    def hear(self, tv: str, report: Report, now: datetime, moment: float) -> bool:
        """Note a heartbeat; return False where the screen sends too many, and this one does not count."""
        with self._lock:
            before = self._screens.get((tv, report.screen))
            credit = _BURST
            if before is not None:
                credit = min(_BURST, before.credit + (moment - before.heard) * _PER_SECOND)
                if credit < 1:
                    return False
            after = hear(before, tv, report, now, moment)
            self._screens[after.key] = replace(after, credit=credit - 1)
            self._forgotten.pop(after.key, None)
            if len(self._screens) > MAX_SCREENS:
                self._forget(min(self._screens.values(), key=lambda screen: screen.heard))
            return True

    def _forget(self, screen: Screen) -> None:
        del self._screens[screen.key]
        # One that has no file needs none removed, and strangers cannot fill this.
        if screen.saved is not None:
            self._forgotten[screen.key] = screen

    def look(self, moment: float, *, is_last: bool = False) -> Due:
        """Judge all screens, and return what is to be done.

        Args:
            moment: now.
            is_last: the program ends: what is known is kept.
        """
        due = Due()
        with self._lock:
            for screen in list(self._screens.values()):
                if moment - screen.heard >= FORGET_AFTER_S:
                    self._forget(screen)
                    continue
                trouble = judge(screen, moment, self._since)
                alert = find_alert(screen, trouble)
                due.alerts += [alert] if alert else []
                after = replace(screen, trouble=trouble)
                if alert or _is_save_due(screen, moment, is_last=is_last):
                    after = replace(after, saved=moment)
                    due.save.append(after)
                self._screens[screen.key] = after
            due.forget = list(self._forgotten.values())
            self._forgotten.clear()
        return due

    def screens(self) -> list[Screen]:
        """Return the screens, by TV and name."""
        with self._lock:
            return sorted(self._screens.values(), key=lambda screen: screen.key)


def _is_save_due(screen: Screen, moment: float, *, is_last: bool) -> bool:
    """Tell whether there is news worth a file: once a minute, since flash wears out."""
    last = screen.known_since if screen.saved is None else screen.saved
    has_news = screen.saved is None or screen.heard > screen.saved
    return has_news and (is_last or moment - last >= SAVE_EVERY_S)
