"""What each witness is known to hold: the newest head that it cosigned, in the log's folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.clock import format_utc
from vv_core.errors import from_oserror
from vv_core.logs import get_logger
from vv_core.tlog.note import MAX_NOTE_BYTES, NoteError
from vv_core.tlog.own_log import OwnLog, open_head
from vv_core.tlog.witness_files import WitnessPeer

FOLDER = "witness"
"""Below the log; one file for each witness, under its name."""


def receipt_path(folder: Path, name: str) -> Path:
    """Return where the newest head that a witness cosigned lies."""
    return folder / FOLDER / name


def store_receipt(folder: Path, name: str, note: bytes) -> None:
    """Keep a cosigned head in the log's folder, whole and durable.

    Raises:
        VvError: it cannot be written.
    """
    path = receipt_path(folder, name)
    try:
        path.parent.mkdir(exist_ok=True)
        write_bytes_atomic(path, note)
    except OSError as exc:
        raise from_oserror(exc, "keep the cosigned head", path) from exc


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a witness is known to hold, by its own signature.

    Attributes:
        name: of the witness.
        size: lines of the head.
        when: the time of the cosignature, UTC.
        note: the cosigned head.
    """

    name: str
    size: int
    when: str
    note: bytes


def read_receipts(log: OwnLog, peers: Iterable[WitnessPeer]) -> Iterator[Receipt]:
    """Yield the newest head of each witness that has one which its key and the log's have signed."""
    for peer in peers:
        try:
            data = read_regular_file(receipt_path(log.reader.folder, peer.name), MAX_NOTE_BYTES)
            note, head = open_head(data, [log.verifier, peer.verifier])
        except (OSError, MalformedError, NoteError) as exc:
            if not isinstance(exc, FileNotFoundError):
                get_logger("witness").warning("the head that %s cosigned: %s", peer.name, exc)
            continue
        times = [each.timestamp for each in note.verified if each.verifier == peer.verifier]
        is_signed = any(each.verifier == log.verifier for each in note.verified)
        if is_signed and times and times[0] is not None and head.origin == log.head.origin:
            yield Receipt(peer.name, head.size, _utc_text(times[0]), data)


def _utc_text(timestamp: int) -> str:
    try:
        return format_utc(datetime.fromtimestamp(timestamp, UTC))
    except (ValueError, OverflowError, OSError):
        return "?"
