"""A second, independent writer of the provable log, so that the verifier is not tested against its twin.

Nothing of ``vv_core.tlog`` is used here: the tree is built by RFC 6962's definition, files by C2SP
tlog-tiles, notes by C2SP signed-note, lines by their schemas. It writes a whole log at once and knows no
crash, lock or write-ahead file.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from vv_schemas import example_path

BEGIN = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
LABEL = b"vv.hmac-key-evolve/1"
CHAIN = "k20261121-0badf00d"


def canonical(document: Any) -> bytes:
    """Return the canonical form of a document whose keys are ASCII."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sign_line(document: dict[str, Any], key_id: str, secret: bytes) -> bytes:
    """Return the canonical bytes of a document with its signature."""
    details = {"algorithm": "HMAC-SHA256", "key_id": key_id}
    payload = canonical({**document, "signature_details": details})
    details["signature"] = hmac.new(secret, payload, hashlib.sha256).hexdigest()
    return canonical({**document, "signature_details": details})


def leaf_of(entry: bytes) -> bytes:
    """Return the leaf hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """Return MTH of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    row = leaves
    while len(row) > 1:
        pairs = [
            hashlib.sha256(b"\1" + row[at] + row[at + 1]).digest()
            for at in range(0, len(row) - 1, 2)
        ]
        # An odd one goes up as it is: the same tree as that of the recursive definition.
        row = pairs + row[len(row) - len(row) % 2 :]
    return row[0]


def key_id_of(name: str, kind: int, public: bytes) -> bytes:
    """Return the four bytes of a note key's id."""
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:4]


@dataclass(frozen=True)
class NoteKey:
    """An Ed25519 key with a name: of a log (kind 1) or of a witness (kind 4)."""

    name: str
    seed: int
    kind: int = 1

    @property
    def private(self) -> Ed25519PrivateKey:
        """The private key."""
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"%d" % self.seed).digest())

    @property
    def vkey(self) -> str:
        """The public line."""
        public = self.private.public_key().public_bytes_raw()
        key_id = key_id_of(self.name, self.kind, public).hex()
        return f"{self.name}+{key_id}+{base64.b64encode(bytes([self.kind]) + public).decode()}"

    def line(self, text: str, at: int = 0) -> str:
        """Return the signature line of a text."""
        public = self.private.public_key().public_bytes_raw()
        head, stamp = ("", b"")
        if self.kind == 4:
            head, stamp = f"cosignature/v1\ntime {at}\n", struct.pack(">Q", at)
        signature = self.private.sign((head + text).encode())
        data = key_id_of(self.name, self.kind, public) + stamp + signature
        return f"— {self.name} {base64.b64encode(data).decode()}\n"


@dataclass
class LogBuilder:
    """Builds the folder ``loglines`` of a box.

    Attributes:
        folder: what an auditor copies.
        origin: the log's name.
        secret: HMAC key of step 0.
        entries: exact bytes of each line.
        files: published files by name below the folder.
    """

    folder: Path
    origin: str = "vv-log/box-01-0badf00d"
    seed: int = 1
    secret: bytes = bytes(range(7, 39))
    step: int = 0
    entries: list[bytes] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    now: datetime = BEGIN

    @property
    def log(self) -> Path:
        """The folder of the log."""
        return self.folder / "log"

    @property
    def signer(self) -> NoteKey:
        """The key that signs heads."""
        return NoteKey(self.origin, self.seed)

    @property
    def keys(self) -> dict[str, bytes]:
        """What an auditor with secrets has: the first key of the chain."""
        return {f"{CHAIN}.0": self.secret}

    @property
    def key(self) -> tuple[str, bytes]:
        """Id and secret of the key that signs now."""
        secret = self.secret
        for _ in range(self.step):
            secret = hmac.new(secret, LABEL, hashlib.sha256).digest()
        return f"{CHAIN}.{self.step}", secret

    def position(self) -> dict[str, Any]:
        """Return the place of the next line."""
        previous = leaf_of(self.entries[-1]).hex() if self.entries else None
        return {"origin": self.origin, "seq": len(self.entries), "previous": previous}

    def add_lines(self, count: int) -> None:
        """Add so many LogLines, each of a video of its own."""
        for _ in range(count):
            self.add_line()

    def add_line(self, **changes: Any) -> bytes:
        """Add a LogLine, with some fields changed, and return its bytes."""
        seq = len(self.entries)
        stem = f"clip{seq:06}"
        document = self.document(stem, seq) | changes
        entry = sign_line({**document, "log": self.position()}, *self.key)
        return self.put(entry, f"{stem}.logline.json")

    def document(self, stem: str, seq: int) -> dict[str, Any]:
        """Return a LogLine of the moment, without its place and signature."""
        document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
        for name in ("signature_details", "log"):
            document.pop(name, None)
        digest = hashlib.sha256(b"video %d" % seq).hexdigest()
        self.now += timedelta(seconds=7)
        document |= {
            "schema": "vv.logline/2",
            "id": f"{self.now:%Y%m%dT%H%M%SZ}-{digest[:12]}",
            "source": f"portaria/{stem}.mp4",
            "logged_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
        }
        document["evidence"] = {**document["evidence"], "video_sha256": digest}
        return document

    def add_event(self, kind: str, **details: Any) -> bytes:
        """Add an event and return its bytes."""
        seq = len(self.entries)
        self.now += timedelta(seconds=1)
        document = {
            "schema": "vv.logevent/1",
            "id": f"{self.now:%Y%m%dT%H%M%SZ}-{kind}-{seq}",
            "kind": kind,
            "who": "box-01",
            "did": kind,
            "this": f"evento {kind}",
            "when": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
            "language": "pt-BR",
            "log": self.position(),
            "details": details,
            "logged_at": f"{self.now:%Y-%m-%dT%H:%M:%SZ}",
        }
        return self.put(sign_line(document, *self.key), f"events/{seq:010d}-{kind}.logevent.json")

    def rotate(self) -> None:
        """Evolve the key and say so."""
        old = self.key[0]
        self.step += 1
        last = len(self.entries) - 1
        self.add_event("rotation", old_key_id=old, new_key_id=self.key[0], old_last_seq=last)

    def put(self, entry: bytes, name: str) -> bytes:
        """Add the bytes of a line as they are, with its published file."""
        self.entries.append(entry)
        self.files[name] = entry + b"\n"
        return entry

    def head_text(self, size: int | None = None) -> str:
        """Return the text of the head over the first lines."""
        size = len(self.entries) if size is None else size
        root = root_of([leaf_of(entry) for entry in self.entries[:size]])
        return f"{self.origin}\n{size}\n{base64.b64encode(root).decode()}\n"

    def checkpoint(
        self, size: int | None = None, cosigners: dict[NoteKey, int] | None = None
    ) -> bytes:
        """Return the signed head over the first lines, perhaps with cosignatures."""
        text = self.head_text(size)
        lines = self.signer.line(text)
        for cosigner, at in (cosigners or {}).items():
            lines += cosigner.line(text, at)
        return f"{text}\n{lines}".encode()

    def write(self) -> LogBuilder:
        """Write log and published files."""
        self.write_log()
        for name, content in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return self

    def write_log(self, size: int | None = None) -> None:
        """Write the files of the log over its first lines."""
        entries = self.entries if size is None else self.entries[:size]
        for start in range(0, len(entries), 256):
            part = entries[start : start + 256]
            data = b"".join(struct.pack(">H", len(entry)) + entry for entry in part)
            self.write_tile("entries", start // 256, len(part), data)
        level, row = 0, [leaf_of(entry) for entry in entries]
        while row:
            for start in range(0, len(row), 256):
                part = row[start : start + 256]
                self.write_tile(str(level), start // 256, len(part), b"".join(part))
            full = len(row) // 256
            row = [root_of(row[at * 256 : at * 256 + 256]) for at in range(full)]
            level += 1
        self.log.mkdir(parents=True, exist_ok=True)
        (self.log / "checkpoint").write_bytes(self.checkpoint(len(entries)))
        (self.log / "vkey").write_text(f"{self.signer.vkey}\n")

    def write_tile(self, level: str, index: int, width: int, data: bytes) -> None:
        """Write one tile or bundle."""
        path = self.log / tile_name(level, index, width)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def tile_name(level: str, index: int, width: int = 256) -> str:
    """Return the path of a tile below the log's folder."""
    digits = f"{index:03}"
    while len(digits) % 3:
        digits = f"0{digits}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/{level}/{path}" + ("" if width == 256 else f".p/{width}")
