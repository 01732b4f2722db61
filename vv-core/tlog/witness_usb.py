"""A USB folder as witness: each visit leaves the newest head there, and finds the older ones.

::

    <folder>/vv-log-heads/<log>/20261121T050304Z-0000001234.checkpoint

The stick is kept elsewhere. What lies on it is compared with the log: a head that this log does not
continue is evidence, and nothing is written over or beside it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vv_core.atomic import fsync_directory, temp_name
from vv_core.errors import InputMissingError, from_oserror
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.heads import NOTE_SUFFIX, USB_FOLDER, list_notes, read_heads
from vv_core.tlog.note import NoteError
from vv_core.tlog.own_log import LogContradiction, OwnLog, open_head
from vv_core.tlog.witness_state import file_name_of


@dataclass(frozen=True, slots=True)
class UsbVisit:
    """What a visit found and left.

    Attributes:
        path: the note that holds the newest head.
        is_new: it was written now; otherwise it was there already.
        known: heads that were there before and that the log continues.
        last_size: lines of the newest of them; 0 if there was none.
        unreadable: files that are no head of this log; they prove nothing.
    """

    path: Path
    is_new: bool
    known: int
    last_size: int
    unreadable: tuple[str, ...]


def visit_usb(log: OwnLog, folder: Path, moment: datetime) -> UsbVisit:
    """Compare the heads in a folder with the log, then leave the newest one there.

    Args:
        log: the log and its newest head.
        folder: of the stick, as it is mounted.
        moment: the current time, for the name.

    Raises:
        LogContradiction: a head there is not continued by this log.
        InputMissingError: there is no such folder; nothing is made, as the stick may not be mounted.
        VvError: something cannot be read or written.
    """
    if not folder.is_dir():
        raise InputMissingError(
            f"there is no folder {str(folder)!r}",
            advice="Plug the stick in, mount it, and name the folder where it is mounted.",
        )
    own = folder / USB_FOLDER / file_name_of(log.head.origin)
    known, unreadable = _read_known(log, own)
    for path, head in known:
        problem = log.find_contradiction(head)
        if problem is not None:
            raise LogContradiction(
                f"the head {str(path)!r} contradicts this log: {problem}",
                advice="Keep stick and box as they are and audit the log with it: logline_verifier --head. "
                "If an older backup was put back: vv-log repair.",
            )
    last_size = max((head.size for _, head in known), default=0)
    same = next((path for path, head in known if head == log.head), None)
    path = same or _write(log, own, moment)
    return UsbVisit(path, same is None, len(known), last_size, unreadable)


def _read_known(log: OwnLog, own: Path) -> tuple[list[tuple[Path, Checkpoint]], tuple[str, ...]]:
    """Return the heads that the log's key signed, and the names of files that are none."""
    known: list[tuple[Path, Checkpoint]] = []
    unreadable: list[str] = []
    for path in list_notes(own) if own.is_dir() else []:
        try:
            (note,) = read_heads(path)
            known.append((path, open_head(note, [log.verifier])[1]))
        except NoteError:
            unreadable.append(path.name)
    return known, tuple(unreadable)


def _write(log: OwnLog, own: Path, moment: datetime) -> Path:
    path = own / f"{moment:%Y%m%dT%H%M%SZ}-{log.head.size:010d}{NOTE_SUFFIX}"
    try:
        own.mkdir(parents=True, exist_ok=True)
        _write_on_stick(path, log.note)
        _check_written(path, log.note)
    except OSError as exc:
        raise from_oserror(exc, "write the head to the stick", path) from exc
    return path


def _write_on_stick(path: Path, data: bytes) -> None:
    """Write a file whole and durable, without setting its mode.

    FAT and exFAT keep no modes, and refuse some that are set (EPERM).
    """
    temporary = path.parent / temp_name(path.suffix)
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    fsync_directory(path.parent)


def _check_written(path: Path, note: bytes) -> None:
    found: Sequence[bytes] = read_heads(path)
    if list(found) != [note]:
        raise NoteError(
            f"{str(path)!r} does not hold what was written", advice="Use another stick."
        )
