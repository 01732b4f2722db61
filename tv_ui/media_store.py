"""Clips by content: found by their hash, proven whole once, and chunk by chunk with each reading."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tv_ui.chunk_table import CHUNK_BYTES, ChunkTable, Piece, TableCache, build_table
from tv_ui.files import OpenFile, open_below, read_at
from vv_core.errors import VvError
from vv_core.logs import get_logger
from vv_core.media_record import read_media_record
from vv_core.paths import Storage
from vv_core.video_files import FileSignature

_HASHERS = 2
"""Long files are hashed apart from what is read for others, and two at a time."""
_READERS = 4
_MAX_TABLE_BYTES = 16 * 1024 * 1024
_MAX_REFUSED = 1000

_logger = get_logger("tv_api")
_Key = tuple[str, FileSignature]


class MediaRefused(Exception):
    """The bytes on disk are not those that the name stands for."""


class _Stopped(Exception):
    """The program ends: a proof is not worth waiting for."""


@dataclass
class OpenClip:
    """A clip whose whole was right when it was read first.

    Attributes:
        sha256: of its content.
        table: by which each chunk is held.
    """

    sha256: str
    table: ChunkTable
    _store: MediaStore
    _file: OpenFile
    _key: _Key

    async def read(self, piece: Piece) -> bytes:
        """Return the wanted bytes of a chunk, all of which was read and is right.

        Raises:
            MediaRefused: the file has other bytes there, or cannot be read.
        """
        return await self._store.read(self._key, self._file, self.table, piece)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class MediaStore:
    """Opens clips; remembers what was proven, and which files are not what they are called.

    Its coroutines belong to one event loop; files are read by threads of its own.
    """

    def __init__(self, storage: Storage, on_refused: Callable[[str], None]) -> None:
        """Begin with nothing proven.

        Args:
            storage: of this box.
            on_refused: told the hash by which a file was asked for that has other bytes; on a thread.
        """
        self._storage = storage
        self._on_refused = on_refused
        self._tables = TableCache(_MAX_TABLE_BYTES)
        self._refused: OrderedDict[_Key, None] = OrderedDict()
        self._making: dict[_Key, asyncio.Task[ChunkTable | None]] = {}
        self._hashers = ThreadPoolExecutor(_HASHERS, "hash")
        self._readers = ThreadPoolExecutor(_READERS, "read")
        self._is_closing = threading.Event()

    def close(self) -> None:
        """Let the threads end; a proof that is being made is given up."""
        self._is_closing.set()
        for pool in (self._hashers, self._readers):
            pool.shutdown(wait=False, cancel_futures=True)

    async def open(self, sha256: str) -> OpenClip | None:
        """Open the clip of a hash; None: there is none, or it is not what it is called.

        Args:
            sha256: 64 lower-case hexadecimal digits.
        """
        loop = asyncio.get_running_loop()
        file = await loop.run_in_executor(self._readers, find_media, self._storage, sha256)
        if file is None:
            return None
        key = (sha256, FileSignature.of(file.status))
        try:
            table = await self._prove(key, file)
        except BaseException:
            file.close()
            raise
        if table is None:
            file.close()
            return None
        return OpenClip(sha256, table, self, file, key)

    async def read(self, key: _Key, file: OpenFile, table: ChunkTable, piece: Piece) -> bytes:
        """See `OpenClip.read`."""
        loop = asyncio.get_running_loop()
        try:
            data = await loop.run_in_executor(self._readers, _read_piece, file, table, piece)
        except OSError as exc:
            _logger.error("a clip cannot be read: %s", exc.strerror)
            raise MediaRefused(key[0]) from exc
        if data is None:
            await self._refuse(key)
            raise MediaRefused(key[0])
        return data

    async def _prove(self, key: _Key, file: OpenFile) -> ChunkTable | None:
        """Return the table of a file; the first who asks has it made, the others wait for the same."""
        if key in self._refused:
            return None
        table = self._tables.get(key[0])
        if table is not None:
            if table.size == key[1].size:
                return table
            await self._refuse(key)
            return None
        task = self._making.get(key)
        if task is None:
            # Its own descriptor: whoever asked may leave before it is done.
            task = asyncio.create_task(self._make(key, os.dup(file.descriptor)))
            self._making[key] = task
            task.add_done_callback(lambda _: self._making.pop(key, None))
        return await asyncio.shield(task)

    async def _make(self, key: _Key, descriptor: int) -> ChunkTable | None:
        try:
            loop = asyncio.get_running_loop()
            table = await loop.run_in_executor(
                self._hashers, _hash_file, descriptor, key[0], self._is_closing
            )
        except (OSError, _Stopped) as exc:
            # Nothing is proven, and nothing is wrong: the next one asks again.
            _logger.warning("a clip cannot be checked now: %s", exc or "the program ends")
            return None
        finally:
            os.close(descriptor)
        if table is None:
            await self._refuse(key)
        else:
            self._tables.put(key[0], table)
        return table

    async def _refuse(self, key: _Key) -> None:
        """Remember a file as wrong until it is another one, and tell."""
        if key in self._refused:
            return
        self._refused[key] = None
        while len(self._refused) > _MAX_REFUSED:
            self._refused.popitem(last=False)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self._on_refused, key[0])


def find_media(storage: Storage, sha256: str) -> OpenFile | None:
    """Open the file that should have this content: one that was made for TVs, else a video as it came.

    Returns:
        None where there is none that may be read.
    """
    made = _open(storage, "tv_curado", f"{sha256}.mp4")
    if made is not None:
        return made
    try:
        record = read_media_record(storage, sha256)
    except VvError as exc:
        _logger.error("%s", exc.message)
        return None
    if record is None or record.clip is None or record.clip.sha256 != sha256:
        return None
    return _open(storage, record.clip.folder, record.clip.path)


def _open(storage: Storage, folder: str, path: str) -> OpenFile | None:
    try:
        return open_below(storage.root / folder, path)
    except FileNotFoundError:
        return None
    except OSError as exc:
        _logger.warning("a clip in %s/ is not opened: %s", folder, exc.strerror)
        return None


def _hash_file(descriptor: int, sha256: str, is_closing: threading.Event) -> ChunkTable | None:
    return build_table(_chunks(descriptor, is_closing), sha256)


def _chunks(descriptor: int, is_closing: threading.Event) -> Iterator[bytes]:
    offset = 0
    while chunk := read_at(descriptor, offset, CHUNK_BYTES):
        if is_closing.is_set():
            raise _Stopped
        yield chunk
        offset += len(chunk)


def _read_piece(file: OpenFile, table: ChunkTable, piece: Piece) -> bytes | None:
    """Return the wanted bytes of a chunk, or None when the file has others.

    Raises:
        OSError: it cannot be read.
    """
    data = file.read(piece.offset, piece.length)
    if not table.is_genuine(piece.index, data):
        return None
    return data[piece.within.start : piece.within.end]
