"""Reading the files of a log.

Everything read here may have been placed by an attacker: no links, no pipes, no devices, nothing beyond
its size limit. Only the standard library is needed.
"""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from vv_core.audit.canonical import MalformedError
from vv_core.audit.regular_file import read_regular_file
from vv_core.tlog.merkle import node_hash
from vv_core.tlog.tile_files import (
    CHECKPOINT,
    HASH_BYTES,
    HEIGHT,
    MAX_BUNDLE_BYTES,
    MAX_CHECKPOINT_BYTES,
    MAX_PRUNED_BYTES,
    PRUNED,
    WIDTH,
    TileError,
    bundle_path,
    decode_bundle,
    encode_bundle,
    parse_pruned,
    tile_path,
)

__all__ = [
    "CHECKPOINT",
    "PRUNED",
    "WIDTH",
    "LogReader",
    "TileError",
    "bundle_path",
    "decode_bundle",
    "encode_bundle",
    "parse_pruned",
    "tile_path",
]

_CACHED_TILES = 64


class LogReader:
    """Reads the files of a log, and believes nothing about them but their form.

    Hashes are not checked against each other here; whoever needs that has a checkpoint and verifies.

    Attributes:
        folder: of the log.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._root = os.fspath(folder)
        self._full: OrderedDict[str, bytes] = OrderedDict()

    def checkpoint_bytes(self) -> bytes:
        """Return the newest checkpoint as it lies there.

        Raises:
            TileError: there is none, or it cannot be read.
        """
        return self._read(CHECKPOINT, MAX_CHECKPOINT_BYTES)

    @property
    def pruned_below(self) -> int:
        """The index below which entries may have been deleted; 0 when the log was never pruned.

        Raises:
            TileError: the file that says so cannot be read.
        """
        try:
            data = self._read(PRUNED, MAX_PRUNED_BYTES)
        except TileError as exc:
            if exc.is_missing:
                return 0
            raise
        return parse_pruned(data)

    def get_hash(self, level: int, index: int) -> bytes:
        """Return the hash of the complete subtree of ``2**level`` leaves that begins at leaf ``index << level``.

        Raises:
            TileError: the tile that holds it is missing or cannot be used.
        """
        tile_level, inner = divmod(level, HEIGHT)
        tile_index, start = divmod(index << inner, WIDTH)
        hashes = self.tile(tile_level, tile_index)
        end = start + (1 << inner)
        if len(hashes) < end * HASH_BYTES:
            raise _too_narrow(tile_path(tile_level, tile_index), len(hashes) // HASH_BYTES, end)
        row = [
            hashes[at : at + HASH_BYTES]
            for at in range(start * HASH_BYTES, end * HASH_BYTES, HASH_BYTES)
        ]
        while len(row) > 1:
            row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
        return row[0]

    def tile(self, level: int, index: int, width: int | None = None) -> bytes:
        """Return the hashes of a tile, joined.

        Args:
            level: of the tile.
            index: within its level.
            width: how many hashes; the partial tile of just this width is asked first, else any that has
                them. None: the full tile, or the widest partial one.

        Raises:
            TileError: there is none, or it cannot be used.
        """
        path = tile_path(level, index)
        data = self._full.get(path)
        if data is None:
            data, found = self._read_tile(path, width, WIDTH * HASH_BYTES)
            if len(data) != found * HASH_BYTES:
                raise TileError(path, f"it has {len(data)} bytes; {found * HASH_BYTES} are due")
            if found == WIDTH:
                self._keep(path, data)
        if width is not None and len(data) < width * HASH_BYTES:
            raise _too_narrow(path, len(data) // HASH_BYTES, width)
        return data if width is None else data[: width * HASH_BYTES]

    def bundle(self, index: int, width: int | None = None) -> list[bytes]:
        """Return the entries of a bundle; ``width`` is as in `tile`.

        Raises:
            TileError: there is none, or it cannot be used.
        """
        path = bundle_path(index)
        data, found = self._read_tile(path, width, MAX_BUNDLE_BYTES)
        try:
            entries = decode_bundle(data)
        except ValueError as exc:
            raise TileError(path, str(exc)) from None
        if len(entries) != found:
            raise TileError(path, f"it has {len(entries)} entries; {found} are due")
        if width is not None and found < width:
            raise _too_narrow(path, found, width)
        return entries if width is None else entries[:width]

    def entry(self, seq: int) -> bytes | None:
        """Return one entry, or None when it was pruned.

        Raises:
            TileError: it is missing, or its bundle cannot be used.
        """
        return next(self.entries(seq, seq + 1))

    def entries(self, start: int, end: int) -> Iterator[bytes | None]:
        """Yield the entries from ``start`` up to but without ``end``, None for each that was pruned.

        Not more than one bundle is held in memory.

        Raises:
            TileError: one is missing, or its bundle cannot be used.
        """
        pruned_below = self.pruned_below
        for index in range(start // WIDTH, -(-end // WIDTH)):
            first = index * WIDTH
            low, high = max(start - first, 0), min(end - first, WIDTH)
            try:
                bundle = self.bundle(index)
            except TileError as exc:
                if not exc.is_missing or first + WIDTH > pruned_below:
                    raise
                yield from [None] * (high - low)
                continue
            if len(bundle) < high:
                raise _too_narrow(bundle_path(index), len(bundle), high)
            yield from bundle[low:high]

    def _keep(self, path: str, data: bytes) -> None:
        self._full[path] = data
        if len(self._full) > _CACHED_TILES:
            self._full.popitem(last=False)

    def _read_tile(self, path: str, width: int | None, max_bytes: int) -> tuple[bytes, int]:
        """Return content and width of the partial tile asked for, the full one, or the widest."""
        if width is not None and width < WIDTH:
            try:
                return self._read(f"{path}.p/{width}", max_bytes), width
            except TileError as exc:
                if not exc.is_missing:
                    raise
        try:
            return self._read(path, max_bytes), WIDTH
        except TileError as exc:
            if not exc.is_missing:
                raise
        width = max(self._widths(f"{path}.p"), default=0)
        if not width:
            raise TileError(path, "it is missing", is_missing=True)
        return self._read(f"{path}.p/{width}", max_bytes), width

    def _widths(self, path: str) -> Iterator[int]:
        """Yield the widths of the partial tiles in a folder; names that are none are passed over."""
        self._refuse_links(path)
        with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self._join(path)) as names:
            for name, _ in zip(names, range(4 * WIDTH), strict=False):
                if name.name.isascii() and name.name.isdigit() and len(name.name) <= len("255"):
                    width = int(name.name)
                    if 1 <= width < WIDTH and str(width) == name.name:
                        yield width

    def _read(self, path: str, max_bytes: int) -> bytes:
        self._refuse_links(_parent(path))
        try:
            return read_regular_file(self._join(path), max_bytes)
        except (FileNotFoundError, NotADirectoryError):
            raise TileError(path, "it is missing", is_missing=True) from None
        except MalformedError as exc:
            raise TileError(path, exc.reason.replace("_", " ")) from None
        except OSError as exc:
            raise TileError(path, exc.strerror or "it cannot be read") from exc

    def _refuse_links(self, path: str) -> None:
        """Refuse a folder below the log's that is reached through a link."""
        while path:
            with suppress(FileNotFoundError, NotADirectoryError):
                if stat.S_ISLNK(os.lstat(self._join(path)).st_mode):
                    raise TileError(path, "symbolic link")
            path = _parent(path)

    def _join(self, path: str) -> str:
        return os.path.join(self._root, path)


def _too_narrow(path: str, found: int, needed: int) -> TileError:
    return TileError(path, f"it holds {found}; {needed} are needed", is_missing=True)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]
