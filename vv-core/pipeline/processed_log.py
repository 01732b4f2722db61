"""``processed_videos.log``: the truth about what is done.

Append-only text, one line a video (`vv_core.processed_video`). Only whole lines count.
"""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Collection
from pathlib import Path

from vv_core.atomic import append_line_durable, fsync_directory
from vv_core.logs import get_logger
from vv_core.processed_video import ProcessedVideo

_FEW = 24
"""Up to so many hashes are searched one by one; for more, one pass over all lines is cheaper."""

_HASH_AT_START = re.compile(rb"^([0-9a-f]{64})\t", re.MULTILINE)


class ProcessedLog:
    """The log on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def repair(self) -> bytes:
        """Cut a torn last line off, keep it beside the log, and return it (empty: nothing torn).

        Raises:
            OSError: from the file system.
        """
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            torn = _torn_tail(descriptor)
            if torn:
                # Kept before it is cut: whatever it was, nothing is thrown away.
                with self._path.with_suffix(".torn").open("ab") as keep:
                    keep.write(torn + b"\n")
                    keep.flush()
                    os.fsync(keep.fileno())
                os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
                os.fsync(descriptor)
                fsync_directory(self._path.parent)
                get_logger("pipeline").warning(
                    "a torn last line of processed_videos.log was cut",
                    extra={"fields": {"bytes": len(torn)}},
                )
        finally:
            os.close(descriptor)
        return torn

    def find(self, hashes: Collection[str]) -> set[str]:
        """Return those of ``hashes`` that are in the log.

        Linear in the log's size; a few hashes cost one search each, in constant memory.

        Raises:
            OSError: from the file system.
        """
        if not hashes:
            return set()
        try:
            with self._path.open("rb") as stream:
                if os.fstat(stream.fileno()).st_size == 0:
                    return set()
                with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
                    return (
                        _find_few(content, hashes)
                        if len(hashes) <= _FEW
                        else _find_many(content, hashes)
                    )
        except FileNotFoundError:
            return set()

    def append(self, video: ProcessedVideo) -> None:
        """Add a line, durably; never to the rest of one that an earlier failure left.

        Raises:
            OSError: from the file system.
        """
        self.repair()
        append_line_durable(self._path, video.to_line())


def _torn_tail(descriptor: int) -> bytes:
    """Return what follows the last newline."""
    size = os.fstat(descriptor).st_size
    start = size
    tail = b""
    while start > 0 and b"\n" not in tail:
        step = min(start, 4096)
        start -= step
        tail = os.pread(descriptor, step, start) + tail
    return tail[tail.rfind(b"\n") + 1 :]


def _find_few(content: mmap.mmap, hashes: Collection[str]) -> set[str]:
    return {sha for sha in hashes if _stands_at_line_start(content, sha.encode("ascii") + b"\t")}


def _stands_at_line_start(content: mmap.mmap, prefix: bytes) -> bool:
    return content[: len(prefix)] == prefix or content.find(b"\n" + prefix) >= 0


def _find_many(content: mmap.mmap, hashes: Collection[str]) -> set[str]:
    wanted = {sha.encode("ascii") for sha in hashes}
    return {
        found.group(1).decode("ascii")
        for found in _HASH_AT_START.finditer(content)
        if found.group(1) in wanted
    }
