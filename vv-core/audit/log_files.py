"""The names below ``tile/``: what belongs to a log of a size, what an interrupted append may leave, what not."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from vv_core.atomic import TEMP_PREFIX
from vv_core.tlog.tiles import WIDTH

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-7])/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})"
    r"(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)
_HEIGHT = 8
_MAX_INDEX_CHARS = 30


class Place(Enum):
    """How a file of the log stands to the log's size."""

    DUE = "due"
    NARROWER = "narrower"
    NEXT = "next"
    STRAY = "stray"


@dataclass(frozen=True, slots=True)
class TileName:
    """Which tile or bundle a path names; level -1 are the entry bundles."""

    level: int
    index: int
    width: int


def parse_tile_path(path: str) -> TileName | None:
    """Return what a path below the log's folder names, or None when it names nothing of a log."""
    match = _PATH.fullmatch(path)
    if match is None or len(match["index"]) > _MAX_INDEX_CHARS:
        return None
    groups = match["index"].split("/")
    if len(groups) > 1 and groups[0] == "x000":
        return None
    index = int("".join(group.removeprefix("x") for group in groups))
    width = int(match["width"] or WIDTH)
    if match["width"] is not None and width >= WIDTH:
        return None
    return TileName(-1 if match["level"] == "entries" else int(match["level"]), index, width)


def place_of(name: TileName, size: int) -> Place:
    """Tell how a tile or bundle stands to a log of ``size`` entries."""
    width = _width_at(name, size)
    if name.width == width:
        return Place.DUE
    if name.width < width:
        return Place.NARROWER
    return Place.NEXT if name.width == _width_at(name, size + 1) else Place.STRAY


def _width_at(name: TileName, size: int) -> int:
    hashes = size >> (_HEIGHT * max(name.level, 0))
    return max(0, min(WIDTH, hashes - name.index * WIDTH))


def count_bundles_to_scan(folder: str, size: int) -> int:
    """Return how many bundles to look at in a log whose head claims ``size`` entries.

    A head may claim any size; what is not there in any form need not be asked for one by one. Where more
    than half of the files are gone, the rest counts as gone without a look.
    """
    counts = [_count_files(os.path.join(folder, "tile", name)) for name in ("entries", "0")]
    return min(-(-size // WIDTH), 2 * max(counts) + WIDTH)


def _count_files(folder: str) -> int:
    return sum(len(names) for _, _, names in os.walk(folder))


def list_tile_files(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield every name below ``tile/`` that is no folder, and whether it is a regular file; sorted.

    Left-overs of a killed writer are passed over.

    Raises:
        OSError: a folder cannot be read.
    """
    waiting = ["tile"]
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, below)) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            path = f"{below}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                waiting.append(path)
            elif not entry.name.startswith(TEMP_PREFIX):
                yield path, stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)
