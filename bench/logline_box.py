"""A box with very many LogLines and a signed log of them, made quickly: without syncs, and without HMAC signatures.

Head, tiles and bundles are right, so that whoever proves a LogLine by the log finds it there. The real writer makes
everything durable, which for a million lines takes hours.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vv_core.paths import Storage
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.merkle import CompactRange, leaf_hash, root_hash
from vv_core.tlog.note import sign_note
from vv_core.tlog.note_keys import Signer, format_vkey
from vv_core.tlog.tile_files import WIDTH, bundle_path, encode_bundle, tile_path
from vv_schemas import example_path

ORIGIN = "vv-log/bench-0badf00d"
_UTC = "%Y-%m-%dT%H:%M:%SZ"
_NO_MARKS = {ord("-"): None, ord(":"): None}
_STATUSES = ("confirmado", "curado", "alerta", "experimental")


class LoglineBox:
    """Adds LogLines to a log below a storage root."""

    def __init__(self, root: Path) -> None:
        self.storage = Storage(root)
        self.storage.ensure()
        self.storage.services.mkdir()
        self.storage.log.mkdir(parents=True)
        self._signer = Signer(ORIGIN, Ed25519PrivateKey.generate())
        (self.storage.log / "vkey").write_text(f"{format_vkey(self._signer.verifier)}\n")
        self._range = CompactRange()
        self._entries: list[bytes] = []
        self._rows: list[list[bytes]] = []
        self._previous = "null"
        self._template = _make_template()

    @property
    def size(self) -> int:
        """How many lines the log has."""
        return self._range.size

    def add(self, when: int) -> bytes:
        """Add the LogLine of a recording that began then, signed ten minutes later, and return its bytes."""
        seq = self.size
        video = hashlib.sha256(b"video %d" % seq).hexdigest()
        began, logged = (time.strftime(_UTC, time.gmtime(each)) for each in (when, when + 600))
        entry = (
            self._template
            % {
                "id": f"{began.translate(_NO_MARKS)}-{video[:12]}",
                "video": video,
                "seq": seq,
                "status": _STATUSES[seq % len(_STATUSES)],
                "began": began,
                "logged": logged,
                "previous": self._previous,
            }
        ).encode()
        leaf = leaf_hash(entry)
        self._previous = f'"{leaf.hex()}"'
        self._range.append(leaf)
        self._entries.append(entry)
        self._put(0, leaf)
        return entry

    def publish(self) -> None:
        """Write what is not yet whole of the log, and its signed head."""
        index = (self.size - 1) // WIDTH
        if self._entries:
            self._write(bundle_path(index, len(self._entries)), encode_bundle(self._entries))
        for level, row in enumerate(self._rows):
            if row:
                place = self.size >> 8 * level
                self._write(tile_path(level, place // WIDTH, len(row)), b"".join(row))
        head = Checkpoint(ORIGIN, self.size, self._range.root()).encode()
        self._write("checkpoint", sign_note(head, self._signer))

    def write_file(self, entry: bytes, mtime: float | None = None, name: str = "") -> Path:
        """Write the file of the newest LogLine, whole, as if at a time."""
        path = self.storage.loglines / (name or f"clip-{self.size - 1}.logline.json")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, entry + b"\n")
        if mtime is not None:
            os.utime(descriptor, (mtime, mtime))
        os.close(descriptor)
        return path

    def _put(self, level: int, value: bytes) -> None:
        if level == len(self._rows):
            self._rows.append([])
        row = self._rows[level]
        row.append(value)
        if len(row) < WIDTH:
            return
        index = (self.size >> 8 * level) // WIDTH - 1
        self._write(tile_path(level, index), b"".join(row))
        if level == 0:
            self._write(bundle_path(index), encode_bundle(self._entries))
            self._entries.clear()
        root = root_hash(row)
        row.clear()
        self._put(level + 1, root)

    def _write(self, name: str, data: bytes) -> None:
        path = self.storage.log / name
        try:
            path.with_name(f".{path.name}").write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(f".{path.name}").write_bytes(data)
        path.with_name(f".{path.name}").replace(path)


def _make_template() -> str:
    """Return the canonical form of the example LogLine, with places for what differs."""
    document = json.loads(example_path("logline").read_bytes())
    document |= {
        "schema": "vv.logline/2",
        "id": "%(id)s",
        "source": "portaria/%(seq)d.mp4",
        "title": "%(seq)d",
        "status": "%(status)s",
        "when": "%(began)s",
        "logged_at": "%(logged)s",
        "log": {"origin": ORIGIN, "previous": "PREVIOUS", "seq": "SEQ"},
    }
    document["evidence"]["video_sha256"] = "%(video)s"
    text = json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.replace('"PREVIOUS"', "%(previous)s").replace('"SEQ"', "%(seq)d")
