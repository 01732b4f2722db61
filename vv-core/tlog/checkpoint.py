"""Checkpoints (C2SP ``tlog-checkpoint``): what a log's signed head says, as the text of a note."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass

from vv_core.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from vv_core.tlog.note import NoteError, decode_base64

MAX_SIZE = 2**63 - 1
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")
_LEAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a log.

    Attributes:
        origin: which log.
        size: how many leaves it has.
        root: their Merkle root, 32 bytes.
        extensions: further lines; this product writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def encode(self) -> str:
        """Return the text of the note, with its last newline.

        Raises:
            ValueError: a field cannot stand in a checkpoint.
        """
        text = "".join(
            f"{line}\n"
            for line in (
                self.origin,
                str(self.size),
                base64.b64encode(self.root).decode("ascii"),
                *self.extensions,
            )
        )
        try:
            is_read_back = parse_checkpoint(text) == self
        except NoteError as exc:
            raise ValueError(f"no checkpoint: {exc.message}") from None
        if not is_read_back:
            raise ValueError("no checkpoint: a newline within a line")
        return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Return what the text of a note says as a checkpoint; whether it was signed is the caller's to know.

    Raises:
        NoteError: it is not a checkpoint.
    """
    if not text.endswith("\n"):
        raise NoteError("a checkpoint ends in a newline")
    lines = text[:-1].split("\n")
    if len(lines) < _LEAST_LINES or not all(lines):
        raise NoteError("a checkpoint has an origin, a size, a root, and no empty line")
    origin, raw_size, raw_root, *extensions = lines
    if not _SIZE.fullmatch(raw_size) or int(raw_size) > MAX_SIZE:
        raise NoteError("the size of the checkpoint is not a number of leaves")
    size, root = int(raw_size), decode_base64(raw_root)
    if root is None or len(root) != HASH_BYTES:
        raise NoteError("the root of the checkpoint is not 32 bytes in base64")
    if size == 0 and root != EMPTY_ROOT:
        raise NoteError("the checkpoint gives a root to an empty log that it cannot have")
    return Checkpoint(origin, size, root, tuple(extensions))
