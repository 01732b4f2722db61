"""Taking finished recordings from ``raw/`` into ``input/``."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vv_core.atomic import TEMP_PREFIX, move_no_replace
from vv_core.errors import InputMissingError, VvError, from_oserror
from vv_core.paths import Storage, renamed_with_hash
from vv_core.stability import Observation, Writing, is_open_for_writing, is_unchanged_long_enough
from vv_core.utils import compute_sha256
from vv_core.video_files import Candidate, FileSignature, discover

LEFTOVER_AGE_S = 3600.0
"""A temporary file that was not touched for so long is nobody's any more."""


@dataclass
class Round:
    """What one look into ``raw/`` gave.

    Attributes:
        moved: recordings that are in ``input/`` now, by their path below it.
        growing: how many somebody may still be writing.
        failed: recordings that could not be moved, by their path below ``raw/``.
    """

    moved: list[str] = field(default_factory=list)
    growing: int = 0
    failed: dict[str, VvError] = field(default_factory=dict)


class Mover:
    """Moves recordings once nobody writes them; remembers how they looked the last time."""

    def __init__(self, storage: Storage, patterns: Sequence[str], stable_s: float) -> None:
        self._storage = storage
        self._patterns = patterns
        self._stable_s = stable_s
        self._seen: dict[Path, Observation] = {}

    def move_finished(self, now_s: float, is_ending: Callable[[], bool]) -> Round:
        """Look once and move what is finished; one that cannot be moved does not stop the others.

        Args:
            now_s: seconds since 1970.
            is_ending: True when the service is asked to end.

        Raises:
            VvError: ``raw/`` cannot be listed.
        """
        candidates = self._list()
        result = Round()
        for candidate in candidates:
            if is_ending():
                break
            try:
                self._take(candidate, now_s, result)
            except InputMissingError:
                # Its writer took it back.
                continue
            except VvError as exc:
                result.failed[candidate.relative_name] = exc
        return result

    def _list(self) -> list[Candidate]:
        try:
            candidates, _ = discover(self._storage.raw, self._patterns)
        except OSError as exc:
            raise from_oserror(exc, "list the recordings in", self._storage.raw) from exc
        here = {candidate.path for candidate in candidates}
        self._seen = {path: seen for path, seen in self._seen.items() if path in here}
        return candidates

    def _take(self, candidate: Candidate, now_s: float, result: Round) -> None:
        path, signature = candidate.path, candidate.signature
        earlier = self._seen.get(path)
        if earlier is None or earlier.signature != signature or earlier.since > now_s:
            self._seen[path] = Observation(signature, now_s)
        if not is_unchanged_long_enough(signature, earlier, now_s, self._stable_s):
            result.growing += 1
            return
        try:
            if is_open_for_writing(path) is Writing.YES:
                result.growing += 1
                return
            target = place_of(candidate, self._storage.input)
            target.parent.mkdir(exist_ok=True, parents=True)
            put_in_place(path, target)
        except OSError as exc:
            raise from_oserror(exc, "move the recording", path) from exc
        result.moved.append(os.path.relpath(target, self._storage.input))


def place_of(candidate: Candidate, folder: Path) -> Path:
    """Return where a recording goes: under its own name, or one with its hash where that is taken.

    The same content there, under that name, is what a crash between the two steps of a move left.

    Raises:
        VvError: one of the two cannot be read.
    """
    target = folder / candidate.relative_name
    if not os.path.lexists(target) or is_same(candidate.path, target):
        return target
    return target.with_name(renamed_with_hash(target.name, compute_sha256(candidate.path)))


def is_same(one: Path, other: Path) -> bool:
    """Tell whether two names hold the same bytes.

    Raises:
        VvError: one cannot be read.
    """
    status = other.lstat()
    if other.is_symlink() or not other.is_file() or status.st_size != one.stat().st_size:
        return False
    return compute_sha256(one) == compute_sha256(other)


def put_in_place(source: Path, target: Path) -> None:
    """Move a recording; where its content is at the target already, it only goes away here.

    Raises:
        OSError: from the file system.
        VvError: one of the two cannot be read.
    """
    if os.path.lexists(target) and is_same(source, target):
        source.unlink()
        return
    move_no_replace(source, target)


def remove_leftovers(folder: Path, now_s: float) -> int:
    """Remove the temporary copies of a move that was killed; return how many.

    Raises:
        VvError: from the file system.
    """
    removed = 0
    try:
        for path in folder.rglob(f"{TEMP_PREFIX}*"):
            signature = FileSignature.of(path.lstat())
            if now_s - signature.ctime_ns / 1e9 > LEFTOVER_AGE_S:
                path.unlink(missing_ok=True)
                removed += 1
    except FileNotFoundError:
        # Its writer was alive after all.
        return removed
    except OSError as exc:
        raise from_oserror(exc, "remove what a killed move left", folder) from exc
    return removed
