"""Heads that left the box, in every form in which they may come back to an auditor.

A note as a file; the JSON that the webhook sends; a PNG or SVG that `vv_core.tlog.head_pictures` drew (the note
stands in the picture's text as well, so that no camera is needed); a USB folder of dated notes. Nothing read
here is believed: whoever asks verifies the note with a key that was pinned. Standard library only.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from html import unescape
from pathlib import Path

from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.errors import InputMissingError, from_oserror
from vv_core.tlog.note import NoteError, split_note

MAX_PICTURE_BYTES = 4 * 1024 * 1024
MAX_NOTES = 10_000
NOTE_SUFFIX = ".checkpoint"
USB_FOLDER = "vv-log-heads"
WEBHOOK_SCHEMA = "vv.log-head/1"
PNG_KEYWORD = b"vv-log-head"

_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
_ITXT_HEAD = PNG_KEYWORD + b"\x00\x00\x00\x00\x00"
_SVG_DESC = re.compile(r"<desc>([^<]*)</desc>")


def read_heads(path: Path) -> list[bytes]:
    """Return the signed notes that a file or folder holds, not verified.

    Args:
        path: a note, a webhook's JSON, a picture, or a folder (a USB folder, or ``log/witness``).

    Raises:
        NoteError: there is no note in it.
        InputMissingError: there is nothing at that path.
        VvError: it cannot be read.
    """
    if path.is_dir():
        notes = [_read_file(each) for each in list_notes(path)]
        if not notes:
            raise NoteError(
                f"no head lies in {str(path)!r}", advice="Name the folder of the notes."
            )
        return notes
    return [_read_file(path)]


def list_notes(folder: Path) -> list[Path]:
    """Return the files of a folder that may be notes, by name; those of a USB stick's own folder are found.

    Raises:
        NoteError: there are more than `MAX_NOTES`.
        VvError: a folder cannot be read.
    """
    found: list[Path] = []
    try:
        for root, folders, names in os.walk(folder, onerror=_raise):
            folders.sort()
            found += [Path(root, name) for name in sorted(names) if not name.startswith(".")]
            if len(found) > MAX_NOTES:
                raise NoteError(f"{str(folder)!r} holds more than {MAX_NOTES} files")
    except OSError as exc:
        raise from_oserror(exc, "list the heads in", folder) from exc
    is_of_usb = any(path.suffix == NOTE_SUFFIX for path in found)
    return [path for path in found if path.suffix == NOTE_SUFFIX or not is_of_usb]


def _raise(error: OSError) -> None:
    raise error


def _read_file(path: Path) -> bytes:
    try:
        return extract_note(read_regular_file(path, MAX_PICTURE_BYTES))
    except MalformedError as exc:
        raise NoteError(f"{str(path)!r} is no head: {exc.reason.replace('_', ' ')}") from None
    except NoteError as exc:
        raise NoteError(f"{str(path)!r} is no head: {exc.message}", advice=exc.advice) from None
    except FileNotFoundError:
        raise InputMissingError(
            f"there is no head {str(path)!r}", advice="Check the path."
        ) from None
    except OSError as exc:
        raise from_oserror(exc, "read the head", path) from exc


def extract_note(data: bytes) -> bytes:
    """Return the signed note in the content of a file, of whatever form.

    Raises:
        NoteError: there is none.
    """
    if data.startswith(_PNG_MAGIC):
        note = _find_in_png(data)
    elif data.lstrip()[:1] == b"{":
        note = _find_in_json(data)
    elif data.lstrip()[:1] == b"<":
        note = _find_in_svg(data)
    else:
        # Copying a QR code's text may lose its last newline or change it.
        note = data.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n"
    if note is None:
        raise NoteError(
            "it holds no signed head", advice="Scan its QR code and save the text instead."
        )
    split_note(note)
    return note


def png_text_chunk(note: bytes) -> bytes:
    """Return the chunk (PNG, section 11.3.3.4, iTXt) that carries a note in a picture."""
    return _chunk(b"iTXt", _ITXT_HEAD + note)


def add_to_png(png: bytes, note: bytes) -> bytes:
    """Return a PNG file with a note in it, right after its header."""
    end = len(_PNG_MAGIC) + 12 + struct.unpack_from(">I", png, len(_PNG_MAGIC))[0]
    return png[:end] + png_text_chunk(note) + png[end:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    crc = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", crc)


def _find_in_png(data: bytes) -> bytes | None:
    position = len(_PNG_MAGIC)
    while position + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, position)
        content = data[position + 8 : position + 8 + length]
        if data[position + 4 : position + 8] == b"iTXt" and content.startswith(_ITXT_HEAD):
            return content[len(_ITXT_HEAD) :]
        position += 12 + length
    return None


def _find_in_svg(data: bytes) -> bytes | None:
    match = _SVG_DESC.search(data.decode("utf-8", "replace"))
    return unescape(match[1]).encode("utf-8") if match else None


def _find_in_json(data: bytes) -> bytes | None:
    try:
        document = load_strict(data)
    except MalformedError as exc:
        raise NoteError(f"it is not JSON: {exc.reason.replace('_', ' ')}") from None
    is_ours = isinstance(document, dict) and document.get("schema") == WEBHOOK_SCHEMA
    note = document.get("checkpoint") if is_ours else None
    return note.encode("utf-8") if isinstance(note, str) else None
