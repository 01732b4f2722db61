"""Walking over files and folders and verifying every LogLine in them.

Links are never followed, pipes and devices never opened. Whatever is wrong with one file becomes a
finding, and the walk goes on. The order is that of the names, so that two runs say the same; memory does
not grow with the number of files, since a large folder is listed in portions.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vv_core.audit.finding import Finding
from vv_core.audit.regular_file import not_read, read_for_audit
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import (
    MAX_FILE_BYTES,
    verify_bytes,
)

SUFFIX = ".logline.json"
SUFFIXES = (SUFFIX, ".logevent.json")
LOG_FOLDER = "log"
PORTION = 200_000
"""Names of one folder held in memory at a time."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Target:
    """Something to verify, or with a verdict already.

    Attributes:
        path: the file or folder.
        verdict: what is known of it without opening it.
        is_log: a folder that is a log, or that has one beside its published files.
    """

    path: str
    verdict: Verdict | None = None
    is_log: bool = False


class _Entry(NamedTuple):
    """One name of a folder. The name comes first, as entries are sorted."""

    name: str
    mode: int


def audit_paths(
    paths: Iterable[str],
    keys: Mapping[str, bytes],
    portion: int = PORTION,
) -> Iterator[Finding]:
    """Verify the signatures of files and folders, in the order given; whole logs are for `whole_audit`.

    Args:
        paths: what to audit.
        keys: secrets by key id.
        portion: names of one folder to hold in memory at a time.

    Yields:
        A finding for each LogLine, and for each thing that hides one.
    """
    for target in find_targets(paths, portion):
        if target.is_log:
            verdict = Verdict(Status.UNVERIFIABLE, Reason.POSITION_UNPROVEN)
            yield Finding(target.path, verdict)
            continue
        verdict = target.verdict or verify_file(target.path, keys)
        yield Finding(target.path, verdict)


def verify_file(
    path: str | os.PathLike[str],
    keys: Mapping[str, bytes],
) -> Verdict:
    """Verify one LogLine file; whatever is wrong with it is in the verdict."""
    data = read_for_audit(path, MAX_FILE_BYTES)
    return data if isinstance(data, Verdict) else verify_bytes(data, keys)


def find_log(path: str) -> str | None:
    """Return the folder of the log that a folder is, or that lies in it; None where there is none."""
    for folder in (path, os.path.join(path, LOG_FOLDER)):
        if _is_folder(folder) and any(
            os.path.lexists(os.path.join(folder, name)) for name in ("checkpoint", "tile")
        ):
            return folder
    return None


def _is_folder(path: str) -> bool:
    """Tell whether a path is a folder that is not reached through a link."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def find_targets(paths: Iterable[str], portion: int = PORTION) -> Iterator[Target]:
    """Yield what an audit of these paths has to look at, without opening any file."""
    for raw_path in paths:
        # "link/" would be the folder behind the link.
        path = raw_path.rstrip("/") or raw_path[:1]
        try:
            mode = os.lstat(path).st_mode
        except OSError as exc:
            yield Target(path, not_read(exc))
            continue
        if stat.S_ISLNK(mode):
            yield Target(path, Verdict(Status.NOT_READ, Reason.SYMBOLIC_LINK))
        elif stat.S_ISDIR(mode):
            if find_log(path) is not None:
                yield Target(path, is_log=True)
            else:
                yield from find_below(path, portion)
        else:
            yield Target(path)


def find_below(folder: str, portion: int = PORTION, log: str | None = None) -> Iterator[Target]:
    """Yield the targets of a folder and its sub-folders; say so when there is none.

    Args:
        folder: to walk.
        portion: names of one folder to hold in memory at a time.
        log: a folder that is passed over, and lets a folder without LogLines be one.
    """
    is_empty = log is None
    for target in _walk(folder, portion, log):
        is_empty = (
            is_empty and target.verdict is not None and target.verdict.status is Status.SKIPPED
        )
        yield target
    if is_empty:
        yield Target(folder, Verdict(Status.NOT_READ, Reason.NO_LOGLINES))


def _walk(folder: str, portion: int, log: str | None) -> Iterator[Target]:
    # A stack instead of recursion: folders may be nested deeper than Python's calls.
    open_folders = [(folder, _list_sorted(folder, portion))]
    while open_folders:
        path, entries = open_folders[-1]
        try:
            entry = next(entries, None)
        except OSError as exc:
            yield Target(path, not_read(exc))
            entry = None
        if entry is None:
            open_folders.pop()
            continue
        below = os.path.join(path, entry.name)
        if stat.S_ISDIR(entry.mode) and below != log:
            if find_log(below) is not None:
                yield Target(below, is_log=True)
                continue
            open_folders.append((below, _list_sorted(below, portion)))
        yield from _targets_of(below, entry)


def _targets_of(path: str, entry: _Entry) -> Iterator[Target]:
    """Yield a target for a LogLine's name, whatever stands under it, and for any other link."""
    if entry.name.endswith(SUFFIXES):
        if stat.S_ISDIR(entry.mode):
            yield Target(path, Verdict(Status.MALFORMED, Reason.NOT_A_REGULAR_FILE))
        else:
            yield Target(path)
    elif stat.S_ISLNK(entry.mode):
        yield Target(path, Verdict(Status.SKIPPED, Reason.SYMBOLIC_LINK))


def _list_sorted(folder: str, portion: int) -> Iterator[_Entry]:
    """Yield the folder's entries of interest by name, reading it again for every portion."""
    last = ""
    while True:
        names, modes, is_rest = _list_portion(folder, last, portion)
        for name in names:
            yield _Entry(name, modes.get(name, stat.S_IFREG))
        if not is_rest:
            return
        last = names[-1]


def _list_portion(folder: str, last: str, portion: int) -> tuple[list[str], dict[str, int], bool]:
    """Return the first names after ``last``, the kinds of those that are no files, and if more follow."""
    names: list[str] = []
    modes: dict[str, int] = {}
    is_rest = False
    for name, mode in _list_after(folder, last):
        if is_rest and name > names[portion - 1]:
            continue
        names.append(name)
        if mode != stat.S_IFREG:
            modes[name] = mode
        if len(names) >= 2 * portion:
            names.sort()
            del names[portion:]
            is_rest = True
            modes = {name: modes[name] for name in names if name in modes}
    names.sort()
    is_rest = is_rest or len(names) > portion
    return names[:portion], modes, is_rest


def _list_after(folder: str, last: str) -> Iterator[_Entry]:
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if entry.name <= last:
                    continue
                mode = _mode_of(entry)
                if mode != stat.S_IFREG or entry.name.endswith(SUFFIXES):
                    yield _Entry(entry.name, mode)
    finally:
        os.close(descriptor)


def _mode_of(entry: os.DirEntry[str]) -> int:
    """Return the kind of file; everything that is no folder, link or file counts as a pipe."""
    if entry.is_file(follow_symlinks=False):
        return stat.S_IFREG
    if entry.is_symlink():
        return stat.S_IFLNK
    return stat.S_IFDIR if entry.is_dir(follow_symlinks=False) else stat.S_IFIFO
