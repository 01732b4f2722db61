"""Files of value are written whole or not at all.

A temporary file in the same folder is written, synced, given its mode and renamed; then the folder
is synced. After a power cut a reader finds the old file or the new one.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

TEMP_PREFIX = ".vv-tmp-"
"""Names that start so are left-overs of a killed writer, free to be removed."""


_MAX_SUFFIX_BYTES = 32
_NO_HARD_LINK = {errno.EXDEV, errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def temp_name(suffix: str = "") -> str:
    """Return a fresh temporary name; short, since the final one may have all 255 bytes."""
    kept = suffix if len(os.fsencode(suffix)) <= _MAX_SUFFIX_BYTES else ""
    return f"{TEMP_PREFIX}{secrets.token_hex(6)}{kept}"


def fsync_directory(path: Path) -> None:
    """Make renames and new names in a folder durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def atomic_path(path: Path, mode: int = 0o644) -> Iterator[Path]:
    """Yield a temporary file name beside ``path``; on success it becomes ``path``, durably.

    The suffix is kept, since writers such as ffmpeg choose a format by it. When the block raises,
    the temporary file is removed and ``path`` stays as it was.

    Raises:
        OSError: from the file system.
    """
    temporary = path.parent / temp_name(path.suffix)
    try:
        yield temporary
        _sync_with_mode(temporary, mode)
        os.replace(temporary, path)
        fsync_directory(path.parent)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_bytes_atomic(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Write ``data`` to ``path``, whole and durable, or leave it as it was.

    Raises:
        OSError: from the file system.
    """
    with atomic_path(path, mode) as temporary:
        # Opened with its final mode at most, so that a secret is never readable in between.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)


def write_text_atomic(path: Path, text: str, mode: int = 0o644) -> None:
    """Write ``text`` as UTF-8, whole and durable, or leave ``path`` as it was."""
    write_bytes_atomic(path, text.encode("utf-8"), mode)


def write_json_atomic(path: Path, document: Any, mode: int = 0o644) -> None:
    """Write a document as indented UTF-8 JSON, whole and durable.

    Raises:
        OSError: from the file system.
        ValueError: the document holds NaN, an infinity, or text that is not Unicode.
    """
    text = json.dumps(document, ensure_ascii=False, indent=2, allow_nan=False)
    write_bytes_atomic(path, text.encode("utf-8") + b"\n", mode)


def append_line_durable(path: Path, line: str) -> None:
    """Append one line, in a single write, and sync it before returning.

    A first line also makes the file's name durable. A line that does not fit is taken back.

    Raises:
        OSError: from the file system, also when only a part of the line fitted.
        ValueError: the text holds a newline, or is not Unicode.
    """
    if "\n" in line:
        raise ValueError("a line cannot hold a newline")
    data = line.encode("utf-8") + b"\n"
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(descriptor, data)
        if written != len(data):
            _take_back(descriptor, written)
            raise OSError(errno.ENOSPC, "only a part of the line fitted", str(path))
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    if is_new:
        fsync_directory(path.parent)


def _take_back(descriptor: int, written: int) -> None:
    """Cut what was just appended off again, unless somebody has appended since."""
    end = os.lseek(descriptor, 0, os.SEEK_CUR)
    if os.fstat(descriptor).st_size == end:
        os.ftruncate(descriptor, end - written)


def move_no_replace(source: Path, target: Path) -> None:
    """Move a file, durably, without ever replacing another.

    Within a file system this is link and unlink, so that a crash leaves one name or both, never none;
    across file systems the content is copied, synced and put in place first. A file that is at the
    target already stays there, and so does a source that changes while it is copied.

    Raises:
        FileExistsError: the target exists.
        OSError: from the file system.
    """
    if source.name == target.name and os.path.samefile(source.parent, target.parent):
        return
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        # Both names for one file: what a crash between link and unlink leaves.
        if not os.path.samestat(source.lstat(), target.lstat()):
            raise
    except OSError as exc:
        if exc.errno not in _NO_HARD_LINK:
            raise
        _move_by_copy(source, target)
        return
    fsync_directory(target.parent)
    source.unlink()
    fsync_directory(source.parent)


def _move_by_copy(source: Path, target: Path) -> None:
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    before = source.stat()
    temporary = target.parent / temp_name(target.suffix)
    try:
        shutil.copyfile(source, temporary)
        os.utime(temporary, ns=(before.st_atime_ns, before.st_mtime_ns))
        _sync_with_mode(temporary, before.st_mode & 0o777)
        after = source.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise OSError(errno.EBUSY, "it changed while it was copied", str(source))
        _rename_no_replace(temporary, target)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    fsync_directory(target.parent)
    source.unlink()
    fsync_directory(source.parent)


def _sync_with_mode(path: Path, mode: int) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fchmod(descriptor, mode)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename_no_replace(source: Path, target: Path) -> None:
    """Give a file another name in its folder; where there are no hard links, nobody else may be at it."""
    try:
        os.link(source, target)
    except OSError as exc:
        if exc.errno not in _NO_HARD_LINK:
            raise
        os.replace(source, target)
