"""Opening a log: what the last writer left is made whole, or refused.

The base is the head of the last sync, whose files are durable. Every record of the write-ahead file after
it is applied again, whether or not its files are there: after a power cut those may be empty or old. Then
the log must hold every head that was promised.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field

from vv_core.atomic import write_bytes_atomic
from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.logs import get_logger
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.dirty_files import DirtyFiles
from vv_core.tlog.head_state import Head, LogRefused, check_promises, mark_path, read_head
from vv_core.tlog.log_files import LogPlaces, publish, write_tree_files
from vv_core.tlog.note import NoteError, Verifier, open_note, split_note
from vv_core.tlog.tail import Tail, load_tail, root_at
from vv_core.tlog.tiles import LogReader, TileError
from vv_core.tlog.wal import MAX_FRAME_BYTES, PublishedFile, Record, Scan

_logger = get_logger("tlog")


@dataclass
class Recovered:
    """A log that can be continued.

    Attributes:
        tail: its right end.
        origin: its name; None for a log that does not exist yet.
        replayed: lines that were committed and whose files were missing or old.
        must_sync: something was written that is not durable yet, or the head is not the newest.
        torn: bytes of frames that were cut; kept aside.
    """

    tail: Tail
    origin: str | None
    replayed: int = 0
    must_sync: bool = False
    torn: bytes = field(default=b"", repr=False)


def recover(places: LogPlaces, scan: Scan, public_key: bytes, dirty: DirtyFiles) -> Recovered:
    """Bring the files of a log to the state that its writer has committed to.

    Args:
        places: of the log.
        scan: what stands in the write-ahead file.
        public_key: of the key that signs the heads, 32 bytes.
        dirty: takes what is written here.

    Raises:
        LogRefused: the log is not the one that was signed last.
        OSError: from the file system.
    """
    base = read_head(places.head)
    mark = read_head(mark_path(places.key))
    checkpoint = read_own_checkpoint(places, public_key, may_be_damaged=base is not None)
    origin = next((head.origin for head in (base, checkpoint, mark) if head is not None), None)
    tail = _load(places, base or checkpoint)
    found = Recovered(tail, origin, torn=scan.torn)
    _replay(places, scan.records, found, checkpoint, dirty)
    if checkpoint is not None and checkpoint.size > tail.size:
        found.tail = _adopt(places, checkpoint, tail)
        found.must_sync = True
    _check(places, found, [head for head in (base, mark, checkpoint) if head is not None])
    found.must_sync |= checkpoint is None or checkpoint.size != found.tail.size
    return found


def read_own_checkpoint(
    places: LogPlaces, public_key: bytes, *, may_be_damaged: bool
) -> Head | None:
    """Return the head on disk, if this box has signed it.

    One that cannot be parsed may be what a power cut left, where the state says what was synced.
    """
    try:
        data = LogReader(places.folder).checkpoint_bytes()
    except TileError as exc:
        if exc.is_missing:
            return None
        raise LogRefused(exc.message) from exc
    try:
        checkpoint = parse_checkpoint(split_note(data)[0])
    except NoteError as exc:
        if not may_be_damaged:
            raise LogRefused(f"its head is damaged: {exc.message}") from exc
        _logger.warning("the log's head is damaged and is made again: %s", exc.message)
        return None
    return _verified(data, checkpoint, public_key)


def _verified(data: bytes, checkpoint: Checkpoint, public_key: bytes) -> Head:
    try:
        open_note(data, [Verifier(checkpoint.origin, public_key)])
    except NoteError as exc:
        raise LogRefused(
            f"its head was not signed with the key of this box ({exc.message})",
            advice="Put the signing key of this log back (VV_LOG_KEY_FILE), or close the log with "
            "vv-log repair --new-epoch.",
        ) from exc
    return Head(checkpoint.origin, checkpoint.size, checkpoint.root, "checkpoint")


def _load(places: LogPlaces, base: Head | None) -> Tail:
    if base is None:
        return Tail()
    try:
        tail = load_tail(LogReader(places.folder), base.size)
    except TileError as exc:
        raise LogRefused(
            f"a head of {base.size} lines was signed, but {exc.path!r} {exc.problem}; it looks like "
            "an older backup put back, or files were removed"
        ) from exc
    if tail.tree.root() != base.root:
        raise LogRefused(
            f"its first {base.size} lines are not the ones whose head was signed ({base.source})"
        )
    return tail


def _replay(
    places: LogPlaces,
    records: Sequence[Record],
    found: Recovered,
    checkpoint: Head | None,
    dirty: DirtyFiles,
) -> None:
    shown = 0 if checkpoint is None else checkpoint.size
    for record in records:
        if record.seq < found.tail.size:
            continue
        if record.seq > found.tail.size:
            raise LogRefused(
                f"lines {found.tail.size} to {record.seq - 1} are missing between the log and its "
                "write-ahead file; it looks like an older backup put back"
            )
        write_tree_files(places, dirty, found.tail.append(record.entry))
        if found.tail.tree.root() != record.root:
            raise LogRefused(f"line {record.seq} was committed to another log than this one")
        missing = [file for file in record.files if _publish_again(places, dirty, file)]
        found.replayed += bool(missing) or record.seq >= shown
        found.must_sync = True


def _publish_again(places: LogPlaces, dirty: DirtyFiles, file: PublishedFile) -> bool:
    """Make a published file what it was; return whether it was not. What stood there is kept."""
    path = places.published_path(file.path)
    try:
        present = read_regular_file(path, MAX_FRAME_BYTES)
    except FileNotFoundError:
        present = b""
    except MalformedError as exc:
        raise LogRefused(
            f"{str(path)!r} cannot be made again: {exc.reason.replace('_', ' ')}",
            advice="Move away what lies there and run this again.",
        ) from exc
    if present == file.content:
        dirty.note(path)
        return False
    if present:
        keep_aside(places, present)
    publish(places, dirty, file)
    return True


def _adopt(places: LogPlaces, checkpoint: Head, tail: Tail) -> Tail:
    """Return the right end of a log that goes further than what the writer's own state knows."""
    adopted = _load(places, checkpoint)
    if root_at(LogReader(places.folder), tail.size) != tail.tree.root():
        raise LogRefused("the files of the log and its write-ahead file contradict each other")
    _logger.warning("the writer's state was %s lines behind the log", adopted.size - tail.size)
    return adopted


def _check(places: LogPlaces, found: Recovered, promises: Sequence[Head]) -> None:
    reader = LogReader(places.folder)

    def root_of(size: int) -> bytes:
        is_whole = size == found.tail.size
        return found.tail.tree.root() if is_whole else root_at(reader, size)

    try:
        check_promises(found.tail.size, found.origin or "", promises, root_of)
    except TileError as exc:
        raise LogRefused(exc.message) from exc


def keep_aside(places: LogPlaces, data: bytes) -> None:
    """Keep bytes that a recovery takes out, under their hash.

    Raises:
        OSError: from the file system.
    """
    places.torn.mkdir(mode=0o700, exist_ok=True)
    path = places.torn / hashlib.sha256(data).hexdigest()[:32]
    if not os.path.lexists(path):
        write_bytes_atomic(path, data, 0o600)
