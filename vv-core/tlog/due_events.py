"""What has to be said in the log before the next line can be written: decisions, no files."""

from __future__ import annotations

from datetime import datetime

from vv_core.audit.canonical import load_strict
from vv_core.clock import format_utc
from vv_core.errors import TemporaryError
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.lines import key_id_of, logged_at_of


def plan_rotation(last_line: bytes | None, size: int, active: str) -> Event | None:
    """Return the event that another key than the last line's signs from here on.

    Args:
        last_line: None in an empty log, or where it was pruned.
        size: lines of the log.
        active: id of the key that signs.
    """
    old = key_id_of(last_line) if last_line is not None else None
    if old is None or old == active:
        return None
    details = {"old_key_id": old, "old_last_seq": size - 1, "new_key_id": active}
    return Event(EventKind.ROTATION, details)


def plan_clock_step(last_line: bytes | None, now: datetime) -> Event | None:
    """Return the event that the clock has gone back behind the last line, in whole seconds."""
    before = logged_at_of(last_line) if last_line is not None else None
    if before is None or now.replace(microsecond=0) >= before:
        return None
    return Event(EventKind.CLOCK_STEP, {"from": format_utc(before), "to": format_utc(now)})


def time_of_line(kind: EventKind, last_line: bytes | None, now: datetime) -> datetime:
    """Return the time that an event is written at: only the one that says so goes back."""
    before = logged_at_of(last_line) if last_line is not None else None
    return now if before is None or kind is EventKind.CLOCK_STEP else max(now, before)


def refuse_back_dated(line: bytes, last_line: bytes | None) -> None:
    """Refuse a line that says to be older than the last one, unless it says that the clock was set.

    Raises:
        TemporaryError: the clock went back while the line was made.
    """
    before = logged_at_of(last_line) if last_line is not None else None
    now = logged_at_of(line)
    if before is None or now is None or now >= before:
        return
    if load_strict(line).get("kind") != EventKind.CLOCK_STEP:
        raise TemporaryError(
            "the clock went back while a line of the log was made",
            advice="Nothing to do: it is tried again by itself, and the log says so then.",
        )
