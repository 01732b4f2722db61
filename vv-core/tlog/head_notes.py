"""The head of a log as a signed note, and the signatures of witnesses under it."""

from __future__ import annotations

from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.note import Signer, add_signature_line, sign_note, split_note


def sign_head(signer: Signer, size: int, root: bytes) -> bytes:
    """Return the checkpoint of the log that the signer is named after."""
    return sign_note(Checkpoint(signer.name, size, root).encode(), signer)


def add_cosignatures(checkpoint: bytes, note: bytes, own_key_hash: int) -> bytes | None:
    """Return the checkpoint with the signature lines of a note about the same head.

    Args:
        checkpoint: as the log has it.
        note: as a witness gave it.
        own_key_hash: of the log's key, whose line stays as it is.

    Returns:
        None when the note is about another head.

    Raises:
        NoteError: one of them is not a note.
    """
    text, signatures = split_note(note)
    if split_note(checkpoint)[0] != text:
        return None
    for signature in signatures:
        if signature.key_hash != own_key_hash:
            checkpoint = add_signature_line(checkpoint, signature)
    return checkpoint
