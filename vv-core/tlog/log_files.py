"""Where the parts of a log lie, and putting its files there."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import TEMP_PREFIX
from vv_core.errors import InputDataError
from vv_core.paths import Storage
from vv_core.tlog.dirty_files import DirtyFiles
from vv_core.tlog.tile_files import HEIGHT, WIDTH, bundle_path, tile_path
from vv_core.tlog.wal import PublishedFile

VKEY = "vkey"


@dataclass(frozen=True)
class LogPlaces:
    """The folders and files of one log.

    Attributes:
        folder: what an auditor copies: checkpoint, tiles, entry bundles.
        state: what only the writer needs.
        published: where the lines lie as single files.
        key: the signing key.
    """

    folder: Path
    state: Path
    published: Path
    key: Path

    @classmethod
    def of(cls, storage: Storage, key: Path) -> LogPlaces:
        """Return the places of a box's log."""
        return cls(storage.log, storage.log_state, storage.loglines, key)

    @property
    def wal(self) -> Path:
        """The write-ahead file."""
        return self.state / "wal"

    @property
    def head(self) -> Path:
        """The head of the last sync."""
        return self.state / "head.json"

    @property
    def lock(self) -> Path:
        """The lock of the writer."""
        return self.state / "lock"

    @property
    def torn(self) -> Path:
        """What was cut off or replaced by a recovery."""
        return self.state / "torn"

    def published_path(self, path: str) -> Path:
        """Return where a published file goes.

        Raises:
            InputDataError: the path climbs.
        """
        if ".." in Path(path).parts or "\0" in path:
            raise InputDataError(
                f"a published file cannot lie at {path!r}", advice="Name it without '..'."
            )
        return self.published / path

    def relative(self, path: Path) -> str:
        """Return how a record names a file: relative to the LogLines where it lies among them."""
        try:
            return os.fspath(path.relative_to(self.published))
        except ValueError:
            return os.fspath(path.absolute())


def write_tree_files(places: LogPlaces, dirty: DirtyFiles, changed: dict[str, bytes]) -> None:
    """Write the tiles and the bundle that an append changed.

    Raises:
        OSError: from the file system.
    """
    for path, data in changed.items():
        dirty.write(places.folder / path, data)
        # The narrower bundle is not needed once this one is there.
        folder, _, width = path.rpartition("/")
        if path.startswith("tile/entries/") and folder.endswith(".p") and width != "1":
            dirty.forget(places.folder / folder / str(int(width) - 1))


def publish(places: LogPlaces, dirty: DirtyFiles, file: PublishedFile) -> None:
    """Make one file visible.

    Raises:
        OSError: from the file system.
    """
    dirty.write(places.published_path(file.path), file.content)


def remove_superseded(folder: Path, old_size: int, new_size: int) -> None:
    """Remove the partial tiles and bundles that no head needs any more; the wider ones are durable.

    C2SP lets a log remove a partial tile once the full one is there. Of bundles only the widest is kept:
    it begins with the bytes of the narrower ones.

    Raises:
        OSError: from the file system.
    """
    first, last = old_size // WIDTH, new_size // WIDTH
    for index in range(max(first - 1, 0), last):
        _remove_tree(folder / f"{bundle_path(index)}.p")
    _keep_only(folder / f"{bundle_path(last)}.p", new_size % WIDTH)
    for level in range(-(-new_size.bit_length() // HEIGHT)):
        low = max((old_size >> (HEIGHT * (level + 1))) - 1, 0)
        for index in range(low, new_size >> (HEIGHT * (level + 1))):
            _remove_tree(folder / f"{tile_path(level, index)}.p")


def remove_leftovers(places: LogPlaces) -> None:
    """Remove the temporary files that a killed writer left among the files of the log.

    Raises:
        OSError: from the file system.
    """
    folders = [places.folder, places.state, places.torn]
    found = [path for folder in folders for path in folder.glob(f"{TEMP_PREFIX}*")]
    for path in [*found, *(places.folder / "tile").rglob(f"{TEMP_PREFIX}*")]:
        path.unlink(missing_ok=True)


def _remove_tree(path: Path) -> None:
    with suppress(FileNotFoundError):
        shutil.rmtree(path)


def _keep_only(folder: Path, width: int) -> None:
    """Remove the other widths of a bundle; a wider one is what a killed program left."""
    with suppress(FileNotFoundError):
        for path in list(folder.iterdir()):
            if path.name != str(width):
                path.unlink()
