"""Finding logs and reading their lines, whatever rotation and packing did to them."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import stat
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import IO

from vv_core.log_export.selection import LogFile, is_log_name, split_name

_MAX_LINE = 1024 * 1024

Problem = tuple[str, str]
"""A path, and why it could not be read."""


def find_logs(
    sources: Sequence[Path], closed: Collection[str]
) -> tuple[list[LogFile], list[Problem]]:
    """Return the logs below some folders; links are not followed.

    Args:
        sources: the folders; one may be a single log.
        closed: real paths of folders that are never looked into: keys, earlier exports.
    """
    files: list[LogFile] = []
    problems: list[Problem] = []
    labels: dict[str, int] = {}
    for source in sources:
        name = source.name or "root"
        labels[name] = labels.get(name, 0) + 1
        label = name if labels[name] == 1 else f"{name}-{labels[name]}"
        real = os.path.realpath(source)
        if os.path.isfile(real):  # noqa: PTH113
            _note(files, real, label)
        else:
            _walk(real, label, closed, files, problems)
    return files, problems


def _walk(
    root: str,
    label: str,
    closed: Collection[str],
    files: list[LogFile],
    problems: list[Problem],
) -> None:
    waiting = [(root, label)]
    while waiting:
        folder, place = waiting.pop()
        if folder in closed:
            continue
        try:
            with os.scandir(folder) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError as exc:
            problems.append((folder, exc.strerror or str(exc)))
            continue
        for entry in found:
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith("."):
                waiting.append((entry.path, f"{place}/{entry.name}"))
            elif is_log_name(entry.name):
                _note(files, entry.path, place)


def _note(files: list[LogFile], path: str, place: str) -> None:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return  # rotated away meanwhile
    if not stat.S_ISREG(status.st_mode):
        return
    base, packed = split_name(Path(path).name)
    inode = (status.st_dev, status.st_ino)
    files.append(LogFile(path, f"{place}/{base}", packed, status.st_mtime, inode))


def read_lines(file: LogFile) -> Iterator[bytes]:
    """Yield the lines of a log, unpacked; a line that is longer than a mebibyte comes in parts.

    Raises:
        OSError: it cannot be read, is damaged, or has given way to something else.
    """
    descriptor = os.open(file.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as raw:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no regular file")
        stream = _unpacked(raw, file.packed)
        try:
            while line := stream.readline(_MAX_LINE):
                yield line
        except (EOFError, zlib.error, lzma.LZMAError) as exc:
            raise OSError(0, f"it is damaged: {exc}") from exc


def _unpacked(raw: IO[bytes], packed: str) -> IO[bytes]:
    if packed == "gz":
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if packed == "xz":
        return lzma.LZMAFile(raw)
    return bz2.BZ2File(raw) if packed == "bz2" else raw


def has_moved(file: LogFile) -> bool:
    """Tell whether rotation has given the name to another file since it was found."""
    try:
        status = os.lstat(file.path)
    except OSError:
        return True
    return (status.st_dev, status.st_ino) != file.inode
