"""The small files beside a log's tiles, which prove nothing and must not contradict what does."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from vv_core.audit.canonical import MalformedError
from vv_core.audit.finding import Finding
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.tlog.note import Verifier, format_vkey
from vv_core.tlog.tiles import PRUNED, LogReader, TileError

VKEY = "vkey"
_MAX_VKEY_BYTES = 4096


def check_pruned_file(reader: LogReader, path: str, allowed: int) -> Iterator[Finding]:
    """Compare the file that names what was deleted with what the log's events allow.

    Args:
        reader: of the log.
        path: what to call the log.
        allowed: entries below may be deleted, by an event of the log.
    """
    try:
        below = reader.pruned_below
    except TileError as exc:
        verdict = Verdict(Status.MALFORMED, Reason.NOT_A_HEAD, exc.problem)
        yield Finding(f"{path}/{PRUNED}", verdict)
        return
    if below > allowed:
        verdict = Verdict(Status.INVALID, Reason.PRUNED_MORE, f"{below} > {allowed}")
        yield Finding(f"{path}/{PRUNED}", verdict)
    elif below < allowed:
        yield Finding(f"{path}/{PRUNED}", Verdict(Status.UNVERIFIABLE, Reason.INTERRUPTED))


def check_vkey_file(path: str, keys: Sequence[Verifier]) -> Iterator[Finding]:
    """Tell of a key beside the log that differs from the trusted ones; it is never used itself."""
    name = f"{path}/{VKEY}"
    if not keys or not os.path.lexists(name):
        return
    try:
        text = read_regular_file(name, _MAX_VKEY_BYTES).decode("utf-8", "replace")
    except (MalformedError, OSError):
        text = ""
    if text not in {f"{format_vkey(each)}\n" for each in keys}:
        yield Finding(name, Verdict(Status.INVALID, Reason.OTHER_VKEY))
