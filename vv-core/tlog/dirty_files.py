"""Files that are made visible at once and made durable together.

Each file is written beside its place and renamed, so that a reader finds the old one or the new one. The
disk is only waited for in `sync`: until then the write-ahead file can make them all again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vv_core.atomic import fsync_directory, temp_name
from vv_core.errors import from_oserror


@contextmanager
def failing(doing: str) -> Iterator[None]:
    """Translate an error of the file system into one of ours; ``doing`` as in "append to the log"."""
    try:
        yield
    except OSError as exc:
        raise from_oserror(exc, doing) from exc


class DirtyFiles:
    """What was written since the last sync."""

    def __init__(self) -> None:
        self._files: dict[Path, None] = {}
        self._folders: dict[Path, None] = {}

    def write(self, path: Path, data: bytes, mode: int = 0o644) -> None:
        """Write a file whole, or leave it as it was; folders that are missing are made.

        Raises:
            OSError: from the file system.
        """
        self.make_folder(path.parent)
        temporary = path.parent / temp_name(path.suffix)
        try:
            _write_new(temporary, data, mode)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        self._files[path] = None
        self._folders[path.parent] = None

    def note(self, path: Path) -> None:
        """Have a file that is in place already synced with the others."""
        self._files[path] = None
        self._folders[path.parent] = None

    def forget(self, path: Path) -> None:
        """Leave out a file that nobody needs any more."""
        self._files.pop(path, None)

    def make_folder(self, folder: Path, mode: int = 0o777) -> None:
        """Make a folder, with this mode at most, and those above it that are missing."""
        missing = folder
        while not missing.is_dir():
            self._folders[missing.parent] = None
            missing = missing.parent
        folder.mkdir(mode, parents=True, exist_ok=True)

    def sync(self) -> None:
        """Make everything durable; a file that has gone since is left out.

        Raises:
            OSError: something may not be durable; all of it is still noted.
        """
        for path in self._files:
            with suppress(FileNotFoundError):
                _sync_file(path)
        for folder in self._folders:
            with suppress(FileNotFoundError):
                fsync_directory(folder)
        self._files.clear()
        self._folders.clear()


def _write_new(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
