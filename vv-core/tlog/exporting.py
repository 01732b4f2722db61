"""Giving a clip away with its proof: which line belongs to it, which head proves it best, and the files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.atomic import atomic_path, write_bytes_atomic
from vv_core.audit.canonical import MalformedError, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.errors import InputDataError, InputMissingError, from_oserror
from vv_core.tlog.checkpoint import parse_checkpoint
from vv_core.tlog.export_note import note_text
from vv_core.tlog.note import add_signature_line, format_vkey, split_note
from vv_core.tlog.own_log import OwnLog
from vv_core.tlog.proof import MAX_LINE_BYTES, make_proof
from vv_core.tlog.proof_file import AIM_BYTES, PROOF_SUFFIX
from vv_core.tlog.proof_verdict import video_sha256
from vv_core.tlog.tiles import WIDTH
from vv_core.tlog.witness_receipts import Receipt
from vv_core.utils import compute_sha256

NOTE_NAME = "LEIA-ME.txt"
_FEWEST_SIGNATURES = 2


@dataclass(frozen=True, slots=True)
class LoggedLine:
    """A line and where it stands.

    Attributes:
        seq: its index.
        line: its exact bytes.
    """

    seq: int
    line: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The line as a document."""
        document: dict[str, Any] = load_strict(self.line)
        return document


def find_line(log: OwnLog, name: str) -> LoggedLine:
    """Return the line that a person names: by its index, or by its file.

    Raises:
        InputMissingError: there is no such line or file, or the entry was pruned.
        InputDataError: the file is not a line of this log.
        VvError: it cannot be read.
    """
    if name.isascii() and name.isdigit() and len(name) < 20:  # noqa: PLR2004 - digits of 2**63
        return LoggedLine(int(name), _entry(log, int(name)))
    path = Path(name)
    try:
        data = read_regular_file(path, MAX_LINE_BYTES + 1)
        place = load_strict(data, max_bytes=MAX_LINE_BYTES + 1).get("log")
        seq = place["seq"]
    except MalformedError as exc:
        raise InputDataError(
            f"{name!r} is not a LogLine: {exc.message}",
            advice="Name a .logline.json file, or a number.",
        ) from None
    except (AttributeError, KeyError, TypeError):
        raise InputDataError(
            f"{name!r} names no place in a log",
            advice="It was signed before the log began; its signature alone can be verified.",
        ) from None
    except OSError as exc:
        raise from_oserror(exc, "read the LogLine", path) from exc
    if not isinstance(seq, int) or isinstance(seq, bool) or _entry(log, seq) + b"\n" != data:
        raise InputDataError(
            f"{name!r} is not the line that stands at its place in the log",
            advice="Audit the folder: logline_verifier.",
        )
    return LoggedLine(seq, data[:-1])


def _entry(log: OwnLog, seq: int) -> bytes:
    if not 0 <= seq < log.head.size:
        raise InputMissingError(
            f"the log has no line {seq}", advice=f"It has {log.head.size} lines, from 0."
        )
    line = log.reader.entry(seq)
    if line is None:
        raise InputMissingError(
            f"line {seq} was pruned: its text is gone", advice="Only its hash is left in the log."
        )
    return line


def find_clip(log: OwnLog, sha256: str) -> LoggedLine:
    """Return the newest line that names a video by this hash.

    Raises:
        InputMissingError: there is none, or it was pruned.
        TileError: an entry cannot be read.
    """
    wanted = sha256.encode("ascii")
    for start in range((log.head.size - 1) // WIDTH * WIDTH, -1, -WIDTH):
        entries = list(log.reader.entries(start, min(start + WIDTH, log.head.size)))
        for offset in range(len(entries) - 1, -1, -1):
            line = entries[offset]
            # Looked for as bytes first: parsing a million lines would take a minute.
            if line is not None and wanted in line and video_sha256(load_strict(line)) == sha256:
                return LoggedLine(start + offset, line)
    raise InputMissingError(
        f"no line of the log names a video with the hash {sha256}",
        advice="The file was changed since, or is not from this box, or its line was pruned.",
    )


def choose_head(log: OwnLog, receipts: Iterable[Receipt], seq: int) -> bytes:
    """Return the head that proves a line best: the one that most witnesses have seen, the newest of those.

    Args:
        log: the log; its newest head is one of them.
        receipts: heads that witnesses cosigned.
        seq: the line that it must cover.
    """
    heads = {split_note(log.note)[0]: log.note}
    for receipt in receipts:
        if receipt.size > seq:
            text = split_note(receipt.note)[0]
            heads[text] = _join(heads.get(text, receipt.note), receipt.note)
    return max(heads.values(), key=_worth)


def _join(note: bytes, other: bytes) -> bytes:
    """Return one note with the signatures of two that have the same text."""
    for signature in split_note(other)[1]:
        note = add_signature_line(note, signature)
    return note


def _worth(note: bytes) -> tuple[int, int]:
    text, signatures = split_note(note)
    return len(signatures), parse_checkpoint(text).size


def prove_line(log: OwnLog, receipts: Iterable[Receipt], found: LoggedLine) -> bytes:
    """Return the proof file of a line.

    Raises:
        VvError: a hash cannot be read.
    """
    head = choose_head(log, receipts, found.seq)
    while True:
        proof = make_proof(log.reader, found.line, found.seq, head)
        text, signatures = split_note(head)
        if len(proof) <= AIM_BYTES or len(signatures) <= _FEWEST_SIGNATURES:
            return proof
        # Witnesses beyond the first are left out where they would make it too large to be sent on.
        kept = "".join(f"{each.line}\n" for each in signatures[:-1])
        head = f"{text}\n{kept}".encode()


@dataclass(frozen=True, slots=True)
class Export:
    """What was put together for somebody else.

    Attributes:
        folder: that holds it all.
        clip: the copy.
        proof: beside it.
        proof_bytes: its size.
        seq: of the line.
    """

    folder: Path
    clip: Path
    proof: Path
    proof_bytes: int
    seq: int


def export_clip(
    log: OwnLog, receipts: Iterable[Receipt], clip: Path, target: Path, box: str
) -> Export:
    """Copy a clip with its proof, its LogLine and a note on how to check into a folder.

    Args:
        log: the log.
        receipts: heads that witnesses cosigned.
        clip: the video.
        target: the folder that gets a new one, named like the clip.
        box: name of the box, for the note.

    Raises:
        InputMissingError: no line names this video.
        VvError: something cannot be read or written.
    """
    sha256 = compute_sha256(clip)
    found = find_clip(log, sha256)
    proof = prove_line(log, receipts, found)
    folder = target / clip.stem
    export = Export(
        folder, folder / clip.name, folder / f"{clip.name}{PROOF_SUFFIX}", len(proof), found.seq
    )
    vkey = format_vkey(log.verifier)
    text = note_text(found.document, clip.name, export.proof.name, vkey, box)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(clip, export.clip)
        write_bytes_atomic(export.proof, proof)
        write_bytes_atomic(folder / f"{clip.stem}.logline.json", found.line + b"\n")
        write_bytes_atomic(folder / NOTE_NAME, text.encode("utf-8"))
    except OSError as exc:
        raise from_oserror(exc, "export the clip", folder) from exc
    if compute_sha256(export.clip) != sha256:
        raise InputDataError(
            f"the copy {str(export.clip)!r} is not the clip",
            advice="Check the disk; export it again.",
        )
    return export


def _copy(source: Path, target: Path) -> None:
    if target.exists() and os.path.samefile(source, target):
        return
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)
