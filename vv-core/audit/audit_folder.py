"""Walking over files and folders and verifying every LogLine in them.

Links are never followed, pipes and devices never opened. Whatever is wrong with one file becomes a
finding, and the walk goes on. The order is that of the names, so that two runs say the same; memory does
not grow with the number of files, since a large folder is listed in portions.
"""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.audit.verdict import Reason, Status, Verdict
from vv_core.audit.verify import (
    MAX_FILE_BYTES,
    FindSchemaProblem,
    find_schema_problem,
    verify_bytes,
)

SUFFIX = ".logline.json"
PORTION = 50_000
"""Names of one folder held in memory at a time."""

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Finding:
    """One item of an audit and its verdict."""

    path: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Target:
    """Something to verify, or with a verdict already."""

    path: str
    verdict: Verdict | None = None


class _Entry(NamedTuple):
    """One name of a folder. The name comes first, as entries are sorted."""

    name: str
    mode: int


def audit_paths(
    paths: Iterable[str],
    keys: Mapping[str, bytes],
    find_problem: FindSchemaProblem = find_schema_problem,
    portion: int = PORTION,
) -> Iterator[Finding]:
    """Verify files and folders, in the order given.

    Args:
        paths: what to audit.
        keys: secrets by key id.
        find_problem: the schema check.
        portion: names of one folder to hold in memory at a time.

    Yields:
        A finding for each LogLine, and for each thing that hides one.
    """
    for target in find_targets(paths, portion):
        verdict = target.verdict or verify_file(target.path, keys, find_problem)
        yield Finding(target.path, verdict)


def verify_file(
    path: str | os.PathLike[str],
    keys: Mapping[str, bytes],
    find_problem: FindSchemaProblem = find_schema_problem,
) -> Verdict:
    """Verify one LogLine file; whatever is wrong with it is in the verdict."""
    try:
        data = read_regular_file(path, MAX_FILE_BYTES)
    except MalformedError as exc:
        return Verdict(Status.MALFORMED, exc.reason, exc.detail)
    except OSError as exc:
        return _not_read(exc)
    return verify_bytes(data, keys, find_problem)


def find_targets(paths: Iterable[str], portion: int = PORTION) -> Iterator[Target]:
    """Yield what an audit of these paths has to look at, without opening any file."""
    for raw_path in paths:
        # "link/" would be the folder behind the link.
        path = raw_path.rstrip("/") or raw_path[:1]
        try:
            mode = os.lstat(path).st_mode
        except OSError as exc:
            yield Target(path, _not_read(exc))
            continue
        if stat.S_ISLNK(mode):
            yield Target(path, Verdict(Status.NOT_READ, Reason.SYMBOLIC_LINK))
        elif stat.S_ISDIR(mode):
            yield from _find_below(path, portion)
        else:
            yield Target(path)


def _find_below(folder: str, portion: int) -> Iterator[Target]:
    """Yield the targets of a folder and its sub-folders; say so when there is none."""
    is_empty = True
    for target in _walk(folder, portion):
        is_empty = (
            is_empty and target.verdict is not None and target.verdict.status is Status.SKIPPED
        )
        yield target
    if is_empty:
        yield Target(folder, Verdict(Status.NOT_READ, Reason.NO_LOGLINES))


def _walk(folder: str, portion: int) -> Iterator[Target]:
    # A stack instead of recursion: folders may be nested deeper than Python's calls.
    open_folders = [(folder, _list_sorted(folder, portion))]
    while open_folders:
        path, entries = open_folders[-1]
        try:
            entry = next(entries, None)
        except OSError as exc:
            yield Target(path, _not_read(exc))
            entry = None
        if entry is None:
            open_folders.pop()
            continue
        below = os.path.join(path, entry.name)
        if stat.S_ISDIR(entry.mode):
            open_folders.append((below, _list_sorted(below, portion)))
        yield from _targets_of(below, entry)


def _targets_of(path: str, entry: _Entry) -> Iterator[Target]:
    """Yield a target for a LogLine's name, whatever stands under it, and for any other link."""
    if entry.name.endswith(SUFFIX):
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
        names = heapq.nsmallest(portion, _list_after(folder, last))
        yield from names
        if len(names) < portion:
            return
        last = names[-1].name


def _list_after(folder: str, last: str) -> Iterator[_Entry]:
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                mode = _mode_of(entry)
                if entry.name > last and (mode != stat.S_IFREG or entry.name.endswith(SUFFIX)):
                    yield _Entry(entry.name, mode)
    finally:
        os.close(descriptor)


def _mode_of(entry: os.DirEntry[str]) -> int:
    """Return the kind of file; everything that is no folder, link or file counts as a pipe."""
    if entry.is_symlink():
        return stat.S_IFLNK
    if entry.is_dir(follow_symlinks=False):
        return stat.S_IFDIR
    return stat.S_IFREG if entry.is_file(follow_symlinks=False) else stat.S_IFIFO


def _not_read(exc: OSError) -> Verdict:
    if isinstance(exc, FileNotFoundError):
        return Verdict(Status.NOT_READ, Reason.NOT_FOUND)
    return Verdict(Status.NOT_READ, Reason.UNREADABLE, exc.strerror or "")
