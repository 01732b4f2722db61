"""The log of this very box, as its own commands read it: the newest head, and roots it had before.

The key comes from ``vkey`` in the log's folder. That is right for the box itself, and only for it: an
auditor uses the key that was pinned elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.merkle import EMPTY_ROOT, subtree_root
from vv_core.tlog.note import Note, NoteError, Verifier, open_note, parse_vkey
from vv_core.tlog.tiles import LogReader, TileError

VKEY = "vkey"
MAX_VKEY_BYTES = 1024


class LogContradiction(InputDataError):
    """Somebody outside holds a signed head that this log does not continue: it was cut, or written again."""


@dataclass(frozen=True, slots=True)
class OwnLog:
    """The log and its newest head.

    Attributes:
        reader: of the log's files.
        verifier: the log's key.
        note: the newest head, signed.
        head: what it says.
    """

    reader: LogReader
    verifier: Verifier
    note: bytes
    head: Checkpoint

    def root_at(self, size: int) -> bytes:
        """Return the root that the log had at a size, at most its own.

        Raises:
            TileError: a hash cannot be read.
        """
        return subtree_root(0, size, self.reader.get_hash) if size else EMPTY_ROOT

    def find_contradiction(self, old: Checkpoint) -> str | None:
        """Say how a head that this log once signed contradicts it, or None when the log continues it.

        Raises:
            TileError: a hash cannot be read.
        """
        if old.origin != self.head.origin:
            return f"it is of another log, {old.origin!r}"
        if old.size > self.head.size:
            return (
                f"it covers {old.size} lines, and this log has {self.head.size}: lines were cut off"
            )
        if self.root_at(old.size) != old.root:
            return f"its first {old.size} lines are not those of this log: lines were changed"
        return None


def open_own_log(folder: Path) -> OwnLog:
    """Return the log in a folder, with its newest head.

    Raises:
        InputMissingError: there is no log yet.
        VvError: the head cannot be read, or is not signed by the log's key.
    """
    reader = LogReader(folder)
    try:
        note = reader.checkpoint_bytes()
    except TileError as exc:
        if not exc.is_missing:
            raise
        raise InputMissingError(
            f"there is no log in {str(folder)!r} yet",
            advice="It begins with the first LogLine: run make once. On another machine name its folder.",
        ) from None
    verifier = read_vkey_file(folder / VKEY)
    opened = open_note(note, [verifier])
    return OwnLog(reader, verifier, note, parse_checkpoint(opened.text))


def read_vkey_file(path: Path) -> Verifier:
    """Return the key in a file that holds one verifier key line.

    Raises:
        NoteError: it holds something else.
        VvError: it cannot be read.
    """
    try:
        data = read_regular_file(path, MAX_VKEY_BYTES)
    except MalformedError as exc:
        raise NoteError(f"{str(path)!r} is not a verifier key: {exc.message}") from None
    except OSError as exc:
        raise from_oserror(exc, "read the verifier key", path) from exc
    return parse_vkey(data.decode("utf-8", "replace"))


def open_head(data: bytes, verifiers: list[Verifier]) -> tuple[Note, Checkpoint]:
    """Return a head of which a trusted key has signed the text.

    Raises:
        NoteError: it is no head, or no trusted key has signed it.
    """
    note = open_note(data, verifiers)
    return note, parse_checkpoint(note.text)
