"""What lies in ``input/``: videos, and what only looks like one."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class FileSignature:
    """What changes when a file's content does.

    Attributes:
        size: bytes.
        mtime_ns: last change of the content, nanoseconds since 1970.
        ctime_ns: last change of content or metadata by this machine's clock.
        inode: the file's number.
    """

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileSignature:
        """Take the signature from a ``stat`` result."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)


@dataclass(frozen=True)
class Candidate:
    """A regular file whose name says video.

    Attributes:
        path: where it is.
        relative_name: its path below ``input/``; the first folder is the camera.
        signature: as it was when listed.
    """

    path: Path
    relative_name: str
    signature: FileSignature


@dataclass(frozen=True)
class Ignored:
    """Something named like a video that is not processed.

    Attributes:
        path: where it is.
        reason: why.
        advice: what to do about it.
    """

    path: Path
    reason: str
    advice: str


def discover(folder: Path, patterns: Sequence[str]) -> tuple[list[Candidate], list[Ignored]]:
    """List the videos below a folder, sorted by path, and what is named like one but is none.

    Hidden names are left out, links are never followed, names match without regard to case.

    Args:
        folder: ``input/``.
        patterns: shell patterns for names, as ``*.mp4``.

    Raises:
        OSError: the folder itself cannot be listed.
    """
    lowered = [pattern.lower() for pattern in patterns]
    candidates: list[Candidate] = []
    ignored: list[Ignored] = []
    for entry in _walk(folder, lowered, ignored):
        found = _classify(entry, folder)
        if isinstance(found, Candidate):
            candidates.append(found)
        elif found is not None:
            ignored.append(found)
    candidates.sort(key=lambda candidate: os.fsencode(candidate.relative_name))
    ignored.sort(key=lambda item: os.fsencode(item.path))
    return candidates, ignored


def _walk(
    folder: Path, patterns: Sequence[str], ignored: list[Ignored]
) -> Iterator[os.DirEntry[str]]:
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            entries = list(os.scandir(current))
        except OSError as exc:
            if current == folder:
                raise
            if isinstance(exc, FileNotFoundError):
                continue
            ignored.append(Ignored(current, f"cannot be listed: {exc.strerror}", _ACCESS))
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_video_name = any(
                fnmatch.fnmatchcase(entry.name.lower(), pattern) for pattern in patterns
            )
            if is_video_name:
                yield entry
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(Path(entry.path))


_ACCESS = "Give the user of the service access to it (owner and mode)."


def _classify(entry: os.DirEntry[str], folder: Path) -> Candidate | Ignored | None:
    path = Path(entry.path)
    try:
        status = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as exc:
        return Ignored(path, f"cannot be looked at: {exc.strerror}", _ACCESS)
    if stat.S_ISREG(status.st_mode):
        return Candidate(path, os.path.relpath(path, folder), FileSignature.of(status))
    if stat.S_ISLNK(status.st_mode):
        return Ignored(
            path, "is a symbolic link", "Put the video itself here; links are not followed."
        )
    if stat.S_ISDIR(status.st_mode):
        return Ignored(
            path, "is a folder named like a video", "Rename the folder to use it as a camera."
        )
    return Ignored(path, "is not a regular file", "Remove it; only files are processed.")
