"""The video file as it was when its hash was taken, so that hash and analytic speak of the same bytes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vv_core.errors import TemporaryError, from_oserror
from vv_core.utils import compute_sha256


@dataclass(frozen=True)
class FileState:
    """What changes when a file is written to or replaced."""

    size: int
    mtime_ns: int
    inode: int
    device: int

    @property
    def modified(self) -> datetime:
        """The last change, UTC."""
        return datetime.fromtimestamp(self.mtime_ns / 1e9, UTC)


@dataclass(frozen=True)
class SourceFile:
    """A file, its state and its hash."""

    path: Path
    state: FileState
    sha256: str

    def require_unchanged(self) -> None:
        """Make sure that the file is still the one that was hashed.

        Raises:
            TemporaryError: it was written to or replaced.
            InputMissingError: it is gone.
        """
        if read_state(self.path) != self.state:
            raise TemporaryError(
                f"{self.path.name!r} changed while it was read",
                advice="Wait until the recorder has closed the file; it is tried again by itself. "
                "Raise ORCHESTRATOR_STABLE_SECONDS if this happens often.",
            )


def read_state(path: Path) -> FileState:
    """Return the state of a file.

    Raises:
        VvError: it cannot be read.
    """
    try:
        status = os.stat(path)
    except OSError as exc:
        raise from_oserror(exc, "read the video", path) from exc
    return FileState(status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev)


def hash_source(path: Path) -> SourceFile:
    """Return a file with the hash of its content.

    Raises:
        VvError: it cannot be read, or changed meanwhile.
    """
    state = read_state(path)
    source = SourceFile(path, state, compute_sha256(path))
    source.require_unchanged()
    return source
