"""The way out when a log is refused: find the missing part again, or close the log and begin another.

A log is only continued when every line up to the head that was signed last is there again, which its root
decides; where the lines come from does not matter. Nothing is deleted: what is replaced is moved aside.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import fsync_directory
from vv_core.clock import Clock, SystemClock
from vv_core.errors import from_oserror
from vv_core.settings import Settings
from vv_core.tlog.dirty_files import DirtyFiles
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.found_lines import FoundLines, read_wal
from vv_core.tlog.head_state import Head, LogRefused, mark_path, read_head, write_head
from vv_core.tlog.lock import LogLock
from vv_core.tlog.log_files import VKEY, LogPlaces
from vv_core.tlog.log_writer import LogWriter, open_log
from vv_core.tlog.merkle import EMPTY_ROOT
from vv_core.tlog.position import next_epoch
from vv_core.tlog.recovery import read_own_checkpoint
from vv_core.tlog.signing_key import load_signing_key
from vv_core.tlog.tail import Tail
from vv_core.tlog.tiles import PRUNED


@dataclass(frozen=True)
class RepairResult:
    """What a repair did.

    Attributes:
        action: "nothing" (the log is in order), "rebuilt" (all lines were found again) or "new_epoch".
        problem: why the log was refused; empty for "nothing".
        origin: of the log that goes on now.
        size: its lines.
        kept: where the replaced files lie, None for "nothing".
    """

    action: str
    problem: str
    origin: str
    size: int
    kept: Path | None = None


def repair(
    settings: Settings,
    clock: Clock | None = None,
    *,
    source: Path | None = None,
    new_epoch: bool = False,
) -> RepairResult:
    """Make a refused log usable again.

    Args:
        settings: of the box.
        clock: the time.
        source: a copy of the log or of the folder of LogLines, where missing lines may be found.
        new_epoch: when they are not found: close the log, which is kept whole, and begin another one
            whose first line names the head that was lost.

    Raises:
        LogRefused: lines are missing, and a new epoch was not asked for.
        VvError: keys are wrong, or the file system refuses.
    """
    clock = clock or SystemClock()
    try:
        with open_log(settings, clock) as log:
            return RepairResult("nothing", "", log.origin, log.size)
    except LogRefused as refused:
        problem = refused.problem
    places = LogPlaces.of(settings.storage, settings.resolve(settings.log_key_file))
    lock = LogLock(places.lock)
    try:
        lock.take()
        promise = _largest_promise(places)
        kept = _rebuild(places, promise, source) if promise is not None else None
        if kept is None and not new_epoch:
            raise LogRefused(f"{problem}; not all lines up to the signed head were found")
        action = "rebuilt" if kept is not None else "new_epoch"
        kept = kept or _close(places, promise)
    except OSError as exc:
        raise from_oserror(exc, "repair the log") from exc
    finally:
        lock.release()
    with open_log(settings, clock) as log:
        log.append_event(_recovery_of(action, promise, log))
        return RepairResult(action, problem, log.origin, log.size, kept)


def _recovery_of(action: str, promise: Head | None, log: LogWriter) -> Event:
    if action == "rebuilt" or promise is None:
        return Event(EventKind.RECOVERY, {"replayed": log.size, "torn_bytes": 0})
    details = {
        "old_origin": promise.origin,
        "signed_size": promise.size,
        "signed_root": promise.root.hex(),
    }
    return Event(EventKind.RECOVERY, details)


def _largest_promise(places: LogPlaces) -> Head | None:
    """Return the largest head that is known to have been signed; what is damaged says nothing."""
    found = []
    for path in (places.head, mark_path(places.key)):
        try:
            found.append(read_head(path))
        except LogRefused:
            continue
    public_key = load_signing_key(places.key).public_key().public_bytes_raw()
    try:
        found.append(read_own_checkpoint(places, public_key, may_be_damaged=True))
    except LogRefused:
        pass
    known = [head for head in found if head is not None]
    known += [
        Head(head.origin, record.seq + 1, record.root, str(places.wal))
        for head in known[:1]
        for record in read_wal(places.wal)
    ]
    return max(known, key=lambda head: head.size, default=None)


def _rebuild(places: LogPlaces, promise: Head, source: Path | None) -> Path | None:
    """Put a complete log in place and return where the old one lies; None when lines are missing."""
    target = places.state / "rebuilt"
    if target.exists():
        shutil.rmtree(target)
    tail, dirty = Tail(), DirtyFiles()
    for path, data in _tree_files(tail, FoundLines(places, promise.origin, source), promise.size):
        dirty.write(target / path, data)
    if tail.size != promise.size or tail.tree.root() != promise.root:
        return None
    _copy_beside(places.folder, target, dirty)
    dirty.sync()
    kept = _new_folder(places.state / "replaced")
    for old in (places.folder, places.wal):
        _move(old, kept / old.name)
    _move(target, places.folder)
    write_head(places.head, promise)
    return kept


def _tree_files(tail: Tail, lines: FoundLines, size: int) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the tree over the lines that are found; partial ones only at the end."""
    partial: dict[str, tuple[str, bytes]] = {}
    pruned_below = lines.pruned_below
    while tail.size < size:
        changed = _append_found(tail, lines, is_pruned=tail.size < pruned_below)
        if changed is None:
            return
        for path, data in changed.items():
            folder = path.rpartition("/")[0]
            if folder.endswith(".p"):
                partial[folder] = (path, data)
            else:
                partial.pop(f"{path}.p", None)
                yield path, data
    yield from partial.values()


def _append_found(tail: Tail, lines: FoundLines, *, is_pruned: bool) -> dict[str, bytes] | None:
    line = lines.find(tail.size, tail.previous)
    if line is not None:
        return tail.append(line)
    leaf = lines.find_leaf(tail.size) if is_pruned else None
    return None if leaf is None else tail.append_leaf(leaf)


def _copy_beside(folder: Path, target: Path, dirty: DirtyFiles) -> None:
    """Copy what is not made from the lines: what was pruned, and the heads that witnesses hold."""
    for path in [folder / PRUNED, folder / VKEY, *sorted((folder / "witness").glob("*"))]:
        if path.is_file() and not path.is_symlink():
            dirty.write(target / path.relative_to(folder), path.read_bytes())


def _close(places: LogPlaces, promise: Head | None) -> Path:
    """Move the log and its lines away, whole, and return where they lie now.

    There they can be audited as they were; the next log begins with a name of its own.
    """
    kept = _new_folder(places.state / "closed")
    for path in (places.wal, places.head):
        _move(path, kept / path.name)
    mark = mark_path(places.key)
    _move(mark, mark.with_name(f"{mark.name}.{kept.name}"))
    _move(places.published, kept / places.published.name)
    places.folder.mkdir(parents=True)
    origin = next_epoch(promise.origin) if promise is not None else None
    if origin is not None:
        write_head(places.head, Head(origin, 0, EMPTY_ROOT))
    return kept


def _new_folder(parent: Path) -> Path:
    """Make the next numbered folder below another."""
    parent.mkdir(mode=0o700, exist_ok=True)
    number = 1
    while os.path.lexists(parent / f"{number:04}"):
        number += 1
    (parent / f"{number:04}").mkdir(mode=0o700)
    return parent / f"{number:04}"


def _move(source: Path, target: Path) -> None:
    if os.path.lexists(source):
        source.rename(target)
        fsync_directory(target.parent)
        fsync_directory(source.parent)
