"""How sending heads to each witness went so far, and when to try again: data on disk, no waiting here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from vv_core.atomic import write_json_atomic
from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.clock import format_utc, parse_utc
from vv_core.errors import VvError, from_oserror
from vv_core.logs import get_logger
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.own_log import LogContradiction

SCHEMA = "vv.witness-push/1"
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=6)
MAX_STATE_BYTES = 256 * 1024
_MAX_DOUBLINGS = 20
_MAX_ERROR = 500


@dataclass(frozen=True, slots=True)
class PushRecord:
    """How sending heads to one witness went so far.

    Attributes:
        size: of the newest head that it cosigned.
        root: of the same head, in hexadecimal digits.
        failures: since then.
        next_try: when it is due again, UTC; "" at once.
        error: what failed last, in words; "" if nothing did.
        is_contradicted: the witness knows a head that this log does not continue.
    """

    size: int = 0
    root: str = ""
    failures: int = 0
    next_try: str = ""
    error: str = ""
    is_contradicted: bool = False


def next_wait(failures: int) -> timedelta:
    """Return how long to wait after so many failures in a row."""
    doublings = min(max(failures - 1, 0), _MAX_DOUBLINGS)
    return min(FIRST_WAIT * float(2**doublings), LONGEST_WAIT)


def is_due(record: PushRecord, head: Checkpoint, moment: datetime) -> bool:
    """Tell whether a witness is to be asked now.

    A time further ahead than the longest wait comes from a clock that was put right since.
    """
    is_known = (record.size, record.root) == (head.size, head.root.hex())
    if is_known and not record.failures:
        return False
    if not record.next_try:
        return True
    due = parse_utc(record.next_try)
    return due <= moment or due > moment + LONGEST_WAIT


def record_success(head: Checkpoint) -> PushRecord:
    """Return the record after a head was cosigned."""
    return PushRecord(head.size, head.root.hex())


def record_failure(record: PushRecord, error: VvError, moment: datetime) -> PushRecord:
    """Return the record after a failure."""
    failures = record.failures + 1
    return replace(
        record,
        failures=failures,
        next_try=format_utc(moment + next_wait(failures)),
        error=error.message[:_MAX_ERROR],
        is_contradicted=isinstance(error, LogContradiction),
    )


def read_records(path: Path) -> dict[str, PushRecord]:
    """Return the records by witness; what cannot be read counts as nothing, since it only saves time."""
    try:
        document = load_strict(read_regular_file(path, MAX_STATE_BYTES), max_bytes=MAX_STATE_BYTES)
        raw_records: dict[str, Any] = document["witnesses"]
        records = {name: PushRecord(**raw) for name, raw in raw_records.items()}
        for record in records.values():
            if record.next_try:
                parse_utc(record.next_try)
            int(record.size) + int(record.failures)
    except FileNotFoundError:
        return {}
    except (MalformedError, OSError, KeyError, TypeError, ValueError, AttributeError) as exc:
        get_logger("witness").warning("the waits of witnesses begin anew: %s", exc)
        return {}
    return records


def write_records(path: Path, records: dict[str, PushRecord], names: Sequence[str]) -> None:
    """Keep the records of these witnesses.

    Raises:
        VvError: they cannot be written.
    """
    kept = {name: asdict(records[name]) for name in names if name in records}
    try:
        write_json_atomic(path, {"schema": SCHEMA, "witnesses": kept})
    except OSError as exc:
        raise from_oserror(exc, "keep what witnesses said", path) from exc
