"""Keys and the head of the log, for a screen: what signs, until when, and what others have seen of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from vv_core.audit.keys import read_key_store
from vv_core.clock import format_utc
from vv_core.errors import InputMissingError, VvError
from vv_core.settings import Settings
from vv_core.tlog.key_rotation import is_rotation_due
from vv_core.tlog.log_status import LogStatus, collect_status


@dataclass(frozen=True)
class KeyView:
    """The key that signs LogLines.

    Attributes:
        place: where it is kept: a file, or the name of a variable.
        key_id: its name; "" where it is not known.
        created: since when it signs, UTC; "" where that is not known.
        next_rotation: from when on the next LogLine is signed by the next key, UTC; "" for never.
        is_due: that time has come.
        is_missing: there is none.
        problem: why it cannot be read.
    """

    place: str
    key_id: str = ""
    created: str = ""
    next_rotation: str = ""
    is_due: bool = False
    is_missing: bool = False
    problem: str = ""


@dataclass(frozen=True)
class LogHeadView:
    """The head of the provable log.

    Attributes:
        size: lines.
        last_line: when the newest was written, UTC; "" if there is none.
        witnesses: how many are configured.
        witnessed_size: lines that at least one witness has seen.
        witnessed_by: who has seen so many.
        problems: what a person should look at.
        problem: why the log cannot be looked at; "" when it can.
        is_missing: there is none yet.
    """

    size: int = 0
    last_line: str = ""
    witnesses: int = 0
    witnessed_size: int = 0
    witnessed_by: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    problem: str = ""
    is_missing: bool = False


def look_at_key(settings: Settings, now: datetime) -> KeyView:
    """Return what is known of the key that signs, without its secret."""
    if settings.hmac_key is not None:
        return KeyView("VV_HMAC_KEY")
    place = str(settings.key_store_path)
    try:
        settings.key_store_path.stat()
        store = read_key_store(settings.key_store_path)
    except FileNotFoundError:
        return KeyView(place, is_missing=True)
    except OSError as exc:
        return KeyView(place, problem=exc.strerror or str(exc))
    except VvError as exc:
        return KeyView(place, problem=exc.message)
    created = store.created.get(store.active)
    if created is None:
        return KeyView(place, store.active)
    return KeyView(
        place,
        store.active,
        created=format_utc(created),
        next_rotation=format_utc(next_day(created)),
        is_due=is_rotation_due(store, now),
    )


def next_day(moment: datetime) -> datetime:
    """Return the next midnight, UTC: keys change with the first LogLine of a day."""
    day = moment.astimezone(UTC).date() + timedelta(days=1)
    return datetime.combine(day, time.min, tzinfo=UTC)


def look_at_log(settings: Settings) -> LogHeadView:
    """Return what is known of the log's head; a log that cannot be read is a problem, not an error."""
    try:
        return head_view(collect_status(settings))
    except InputMissingError:
        return LogHeadView(is_missing=True)
    except VvError as exc:
        return LogHeadView(problem=exc.message)
    except OSError as exc:
        return LogHeadView(problem=exc.strerror or str(exc))


def head_view(status: LogStatus) -> LogHeadView:
    """Return the head of a log whose status is known."""
    most = max((each.size for each in status.witnesses), default=0)
    seen_by = tuple(each.name for each in status.witnesses if each.size == most and most)
    return LogHeadView(
        size=status.size,
        last_line=status.last_line,
        witnesses=len(status.witnesses),
        witnessed_size=most,
        witnessed_by=seen_by,
        problems=status.problems,
    )
