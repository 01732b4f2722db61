"""Being told by the kernel what changes in folders (inotify), and knowing when it may not have told all."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from inotify_simple import INotify, flags

from vv_core.logs import get_logger

NAMES = flags.CREATE | flags.MOVED_TO | flags.MOVED_FROM | flags.DELETE | flags.CLOSE_WRITE
"""Files come, go, or are complete."""
CONTENT = NAMES | flags.MODIFY | flags.ATTRIB
"""And each time that one changes: for folders of small files."""
_SELF = flags.DELETE_SELF | flags.MOVE_SELF
_ENDS = flags.DELETE_SELF | flags.MOVE_SELF | flags.IGNORED | flags.UNMOUNT

_logger = get_logger("playlist")


@dataclass(frozen=True, slots=True)
class _Watched:
    number: int
    place: tuple[int, int]
    mask: int


@dataclass
class Heard:
    """What the kernel told.

    Attributes:
        names: of files that have changed, by their folder.
        gone: folders that are no longer watched, since they were moved or removed.
        has_missed: there was more than could be told.
    """

    names: dict[str, set[str]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    has_missed: bool = False


class Watch:
    """Watches folders, not what lies below them; where that cannot be, nothing is heard."""

    def __init__(self) -> None:
        self._folders: dict[str, _Watched] = {}
        self._told: dict[str, str] = {}
        try:
            self._inotify: INotify | None = INotify(nonblocking=True)
        except OSError as exc:
            self._inotify = None
            _logger.warning("changes of folders are not told (%s): they are looked for", exc)

    @property
    def descriptors(self) -> list[int]:
        """What can be read when something was told."""
        return [self._inotify.fileno()] if self._inotify is not None else []

    def close(self) -> None:
        """End."""
        if self._inotify is not None:
            self._inotify.close()

    def follow(self, folders: Mapping[str, int]) -> set[str]:
        """Watch these folders and no others; one that was replaced is watched anew.

        Args:
            folders: and what is to be told of each, `NAMES` or `CONTENT`.

        Returns:
            The folders that are watched from now on; what changed in them before was not told.
        """
        for folder in self._folders.keys() - folders.keys():
            self._leave(folder)
        return {folder for folder, mask in folders.items() if self._begin(folder, mask)}

    def hear(self) -> Heard:
        """Return what was told since the last time, without waiting."""
        heard = Heard()
        if self._inotify is None:
            return heard
        by_number = {each.number: folder for folder, each in self._folders.items()}
        for event in self._inotify.read(timeout=0):
            folder = by_number.get(event.wd)
            if event.mask & flags.Q_OVERFLOW:
                heard.has_missed = True
            elif folder is None:
                continue
            elif event.mask & _ENDS:
                heard.gone.add(folder)
                self._leave(folder)
            elif event.name:
                heard.names.setdefault(folder, set()).add(event.name)
        return heard

    def _begin(self, folder: str, mask: int) -> bool:
        try:
            status = os.stat(folder)
            place = (status.st_dev, status.st_ino)
            known = self._folders.get(folder)
            if self._inotify is None or (
                known is not None and (known.place, known.mask) == (place, mask)
            ):
                return False
            self._leave(folder)
            number = self._inotify.add_watch(folder, mask | _SELF | flags.ONLYDIR)
        except OSError as exc:
            self._leave(folder)
            self._tell(folder, exc.strerror or str(exc))
            return False
        self._tell(folder, "")
        self._folders[folder] = _Watched(number, place, mask)
        return True

    def _leave(self, folder: str) -> None:
        watched = self._folders.pop(folder, None)
        if watched is not None and self._inotify is not None:
            # The watch of a folder that is gone is gone too.
            with suppress(OSError):
                self._inotify.rm_watch(watched.number)

    def _tell(self, folder: str, problem: str) -> None:
        """Log once that a folder cannot be watched."""
        if problem and self._told.get(folder) != problem:
            _logger.warning("%r is not watched (%s): it is looked at each minute", folder, problem)
        self._told[folder] = problem
