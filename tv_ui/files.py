"""Opening files by names that come from elsewhere: below one folder, through no link, regular ones only."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file.

    Attributes:
        descriptor: of the operating system.
        status: as it was when it was opened.
    """

    descriptor: int
    status: os.stat_result

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file; fewer where it ends before.

        Raises:
            OSError: it cannot be read.
        """
        return read_at(self.descriptor, offset, length)

    def close(self) -> None:
        """Give the descriptor back."""
        os.close(self.descriptor)


def open_below(folder: Path, raw_path: str) -> OpenFile:
    """Open a regular file below a folder.

    The folder itself may be a link; nothing below it is followed.

    Raises:
        OSError: there is no such file, or it is none that may be read (ELOOP, EINVAL).
    """
    parts = PurePosixPath(raw_path).parts
    if not parts or raw_path.startswith("/") or ".." in parts or "\0" in raw_path:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), raw_path)
    at = os.open(folder, _FOLDER)
    try:
        for name in parts[:-1]:
            below = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return _open_regular(parts[-1], at)
    finally:
        os.close(at)


def _open_regular(name: str, folder: int) -> OpenFile:
    # Looked at before, since opening a device may do something, and after, since names change hands.
    _refuse_special(os.stat(name, dir_fd=folder, follow_symlinks=False), name)
    descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        _refuse_special(status, name)
    except OSError:
        os.close(descriptor)
        raise
    return OpenFile(descriptor, status)


def _refuse_special(status: os.stat_result, name: str) -> None:
    if not stat.S_ISREG(status.st_mode):
        code = errno.ELOOP if stat.S_ISLNK(status.st_mode) else errno.EINVAL
        raise OSError(code, os.strerror(code), name)


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Return bytes of a file; fewer where it ends before.

    Raises:
        OSError: it cannot be read.
    """
    data = os.pread(descriptor, length, offset)
    # A regular file gives all at once, but does not promise to.
    while 0 < len(data) < length:
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            break
        data += more
    return data
