"""The write-ahead file of a log: frames that are whole or not there.

A frame is ``VVW1``, the length of its payload as four bytes (big-endian), the SHA-256 of length and payload,
and the payload. A line counts as committed once its frame is on the disk (``fdatasync``); everything
else about it can be made again from the frame. A frame that is cut or changed ends what is read; what
follows it is kept aside by recovery and never believed.
"""

from __future__ import annotations

import errno
import hashlib
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import fsync_directory
from vv_core.audit.regular_file import open_regular

MAGIC = b"VVW1"
MAX_FRAME_BYTES = 1024 * 1024
MAX_WAL_BYTES = 256 * MAX_FRAME_BYTES
_LENGTH = struct.Struct(">I")
_SEQ = struct.Struct(">Q")
_HEAD_BYTES = len(MAGIC) + _LENGTH.size + hashlib.sha256().digest_size
_ROOT_BYTES = 32


class FrameError(ValueError):
    """A payload is no record, although its checksum is right."""


@dataclass(frozen=True)
class PublishedFile:
    """A file that an append makes visible.

    Attributes:
        path: relative to the folder of LogLines; absolute for one that lies elsewhere.
        content: all of it.
    """

    path: str
    content: bytes


@dataclass(frozen=True)
class Record:
    """What one append commits to.

    Attributes:
        seq: index of the leaf.
        root: of the tree that ends with it: no other root is ever signed for this size.
        entry: exact bytes of the leaf.
        files: to publish, in this order.
    """

    seq: int
    root: bytes
    entry: bytes
    files: tuple[PublishedFile, ...] = ()


@dataclass(frozen=True)
class Scan:
    """What stands in a write-ahead file.

    Attributes:
        records: of the whole frames, from the start.
        good_bytes: length of those frames.
        torn: everything after them; empty when the file ends as it should.
    """

    records: tuple[Record, ...]
    good_bytes: int
    torn: bytes


def encode_frame(record: Record) -> bytes:
    """Return the frame of a record.

    Raises:
        ValueError: it is too large.
    """
    parts = [_SEQ.pack(record.seq), record.root, _sized(record.entry)]
    for file in record.files:
        parts += [_sized(os.fsencode(file.path)), _sized(file.content)]
    payload = b"".join(parts)
    if len(payload) > MAX_FRAME_BYTES:
        raise ValueError(f"a record of {len(payload)} bytes is too large")
    length = _LENGTH.pack(len(payload))
    return MAGIC + length + hashlib.sha256(length + payload).digest() + payload


def scan_frames(data: bytes) -> Scan:
    """Return the records of all frames up to the first that is not whole."""
    records: list[Record] = []
    position = 0
    while (payload := _payload_at(data, position)) is not None:
        try:
            record = _decode(payload)
        except FrameError:
            break
        records.append(record)
        position += _HEAD_BYTES + len(payload)
    return Scan(tuple(records), position, data[position:])


def _payload_at(data: bytes, position: int) -> bytes | None:
    start = position + _HEAD_BYTES
    if data[position : position + len(MAGIC)] != MAGIC or len(data) < start:
        return None
    raw_length = data[position + len(MAGIC) : position + len(MAGIC) + _LENGTH.size]
    (length,) = _LENGTH.unpack(raw_length)
    payload = data[start : start + length]
    digest = data[start - hashlib.sha256().digest_size : start]
    if length > MAX_FRAME_BYTES or len(payload) != length:
        return None
    return payload if hashlib.sha256(raw_length + payload).digest() == digest else None


def _sized(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _decode(payload: bytes) -> Record:
    fixed = _SEQ.size + _ROOT_BYTES
    if len(payload) < fixed:
        raise FrameError("too short")
    (seq,) = _SEQ.unpack_from(payload)
    entry, *rest = _split_sized(payload, fixed)
    if len(rest) % 2:
        raise FrameError("a path without content")
    files = [
        PublishedFile(os.fsdecode(path), content)
        for path, content in zip(rest[::2], rest[1::2], strict=True)
    ]
    return Record(seq, payload[_SEQ.size : fixed], entry, tuple(files))


def _split_sized(payload: bytes, position: int) -> Sequence[bytes]:
    parts = []
    while position < len(payload):
        start = position + _LENGTH.size
        if start > len(payload):
            raise FrameError("cut within a length")
        position = start + _LENGTH.unpack_from(payload, position)[0]
        if position > len(payload):
            raise FrameError("cut within a part")
        parts.append(payload[start:position])
    if not parts:
        raise FrameError("no entry")
    return parts


class Wal:
    """The open write-ahead file. The caller holds the log's lock.

    Attributes:
        path: of the file.
        size: bytes of whole frames in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._descriptor = -1

    def open(self) -> Scan:
        """Open the file, which is made when it is missing, and return what stands in it.

        Raises:
            OSError: from the file system.
            MalformedError: it is a link or no regular file.
        """
        if not os.path.lexists(self.path):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            fsync_directory(self.path.parent)
        os.close(open_regular(self.path)[0])
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        scan = scan_frames(self._read_all())
        self.size = scan.good_bytes
        return scan

    def append(self, record: Record) -> None:
        """Write a record's frame and sync it: on return the record is committed.

        What stood after the last whole frame is cut off.

        Raises:
            OSError: it is not known whether the record is committed; nothing more may be written.
        """
        frame = encode_frame(record)
        end = self.size + len(frame)
        _write_all(self._descriptor, frame, self.size)
        if os.fstat(self._descriptor).st_size > end:
            os.ftruncate(self._descriptor, end)
        os.fdatasync(self._descriptor)
        self.size = end

    def reset(self) -> None:
        """Empty the file: all that its frames promise is durable elsewhere.

        Raises:
            OSError: from the file system.
        """
        os.ftruncate(self._descriptor, 0)
        os.fdatasync(self._descriptor)
        self.size = 0

    def close(self) -> None:
        """Close the file; it stays as it is."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _read_all(self) -> bytes:
        if os.fstat(self._descriptor).st_size > MAX_WAL_BYTES:
            raise OSError(errno.EFBIG, "the write-ahead file is too large", str(self.path))
        chunks = []
        position = 0
        while chunk := os.pread(self._descriptor, MAX_FRAME_BYTES, position):
            chunks.append(chunk)
            position += len(chunk)
        return b"".join(chunks)


def _write_all(descriptor: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, offset)
        view = view[written:]
        offset += written
