"""Where a line says that it stands in its log: the quick way for millions, the slow one for the reason."""

from __future__ import annotations

from binascii import hexlify
from typing import Any

from vv_core.audit.canonical import MalformedError, encode_checked, load_strict
from vv_core.audit.verdict import Reason, Status, Verdict

FIELD = "log"
_MARK = b'"log":{'
EVENT_MARK = b'"schema":"vv.logevent/'
_SECONDS = len("2026-11-21T05:10:30")
_AFTER_TIME = b'Z",' + EVENT_MARK


QuickPosition = tuple[int, bytes, bool]
"""What the quick look at an entry gave: where in it the expected log, position and link stand, -1 where they
do not; the time of logging to the second, without its zone, so that it compares as text; whether it is an
event. A plain tuple, as there is one for each line."""


def position_prefix(origin: str) -> bytes:
    """Return how the position of a line of this log begins, in canonical form."""
    return _MARK + b'"origin":' + encode_checked(origin) + b',"previous":'


def look_at_position(
    entry: bytes, prefix: bytes, seq: int, previous: bytes | None, hint: int
) -> QuickPosition:
    """Compare the position that an entry names with the expected one, without parsing it.

    No quote stands unescaped within a JSON text, so that the bytes looked for are no part of one.

    Args:
        entry: canonical bytes of a line.
        prefix: from `position_prefix`.
        seq: where it stands.
        previous: the leaf hash of the entry before; None for the first.
        hint: where in the line before it stood; most often it is the same place.
    """
    link = b"null" if previous is None else b'"%b"' % hexlify(previous)
    expected = b'%b%b,"seq":%d},"logged_at":"' % (prefix, link, seq)
    start = hint
    if not entry.startswith(expected, start):
        start = entry.find(_MARK)
        if start < 0 or not entry.startswith(expected, start):
            return (-1, b"", False)
    end = start + len(expected) + _SECONDS
    is_event = entry.startswith(_AFTER_TIME, end)
    if not is_event and not entry.startswith(b"Z", end):
        is_event = EVENT_MARK in entry[end : end + 40]
    return (start, entry[end - _SECONDS : end], is_event)


def position_of(document: Any) -> dict[str, Any] | None:
    """Return the position that a document names, if it has the form of one."""
    position = document.get(FIELD) if isinstance(document, dict) else None
    if not isinstance(position, dict) or position.keys() != {"origin", "seq", "previous"}:
        return None
    seq, previous = position["seq"], position["previous"]
    is_right = (
        isinstance(position["origin"], str)
        and isinstance(seq, int)
        and not isinstance(seq, bool)
        and (previous is None or isinstance(previous, str))
    )
    return position if is_right else None


def explain_position(entry: bytes, origin: str, seq: int, previous: bytes | None) -> Verdict | None:
    """Tell what is wrong with the position of an entry, or None when it is right after all."""
    try:
        document = load_strict(entry)
    except MalformedError as exc:
        return Verdict(Status.MALFORMED, exc.reason, exc.detail)
    position = position_of(document)
    if position is None:
        return Verdict(Status.MALFORMED, Reason.NOT_A_LOGLINE, "no position in a log")
    if position["origin"] != origin:
        return Verdict(Status.INVALID, Reason.WRONG_LOG, position["origin"])
    if position["seq"] != seq:
        return Verdict(Status.REORDERED, Reason.WRONG_POSITION, f"{position['seq']} ≠ {seq}")
    if position["previous"] != (None if previous is None else previous.hex()):
        return Verdict(Status.INVALID, Reason.WRONG_LINK)
    return None
