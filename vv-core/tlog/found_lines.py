"""Lines of a log, wherever they still are: bundles, the write-ahead file, single files, a copy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from vv_core.audit.canonical import MAX_BYTES, MalformedError, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.tlog.log_files import LogPlaces
from vv_core.tlog.merkle import leaf_hash
from vv_core.tlog.tiles import WIDTH, LogReader, TileError
from vv_core.tlog.wal import MAX_WAL_BYTES, Record, scan_frames

_LINE_SUFFIXES = (".logline.json", ".logevent.json")


class FoundLines:
    """Looks for lines by their place.

    Args:
        places: of the log.
        origin: name of the log.
        source: a copy of the log or of the folder of LogLines.
    """

    def __init__(self, places: LogPlaces, origin: str, source: Path | None) -> None:
        self._origin = origin
        folders = [places.published, *([source] if source else [])]
        self._readers = [LogReader(folder / "log") for folder in folders]
        if source is not None:
            self._readers.append(LogReader(source))
        self._bundles: dict[int, tuple[int, list[bytes]]] = {}
        self._written = {record.seq: record.entry for record in read_wal(places.wal)}
        self._files: dict[int, list[Path]] = {}
        for folder in folders:
            self._list_files(folder)

    @property
    def pruned_below(self) -> int:
        """The index below which the log's entries may be gone."""
        with suppress(TileError):
            return self._readers[0].pruned_below
        return 0

    def find(self, seq: int, previous: bytes | None) -> bytes | None:
        """Return a line that says to stand at this place, after this leaf; None when there is none."""
        place = {
            "origin": self._origin,
            "seq": seq,
            "previous": None if previous is None else previous.hex(),
        }
        found = [line for line in self._candidates(seq) if _place_of(line) == place]
        if len(set(found)) > 1:
            # One was changed: what tiles and the next line say about it decides.
            known = self._known_leaves(seq)
            found.sort(key=lambda line: leaf_hash(line).hex() not in known)
        return found[0] if found else None

    def _known_leaves(self, seq: int) -> set[str]:
        known = set()
        for reader in self._readers:
            with suppress(TileError):
                known.add(reader.get_hash(0, seq).hex())
        for line in self._candidates(seq + 1):
            place = _place_of(line)
            if isinstance(place, dict):
                known.add(str(place.get("previous")))
        return known

    def find_leaf(self, seq: int) -> bytes | None:
        """Return the hash of a leaf, as some tile has it."""
        for reader in self._readers:
            with suppress(TileError):
                return reader.get_hash(0, seq)
        return None

    def _candidates(self, seq: int) -> Iterator[bytes]:
        for number in range(len(self._readers)):
            bundle = self._bundle(number, seq // WIDTH)
            if seq % WIDTH < len(bundle):
                yield bundle[seq % WIDTH]
        if seq in self._written:
            yield self._written[seq]
        for path in self._files.get(seq, ()):
            with suppress(OSError, MalformedError):
                yield read_regular_file(path, MAX_BYTES + 1).removesuffix(b"\n")

    def _bundle(self, number: int, index: int) -> list[bytes]:
        known = self._bundles.get(number)
        if known is None or known[0] != index:
            entries: list[bytes] = []
            with suppress(TileError):
                entries = self._readers[number].bundle(index)
            known = self._bundles[number] = (index, entries)
        return known[1]

    def _list_files(self, folder: Path) -> None:
        for parent, _, names in os.walk(folder):
            for name in names:
                if name.endswith(_LINE_SUFFIXES):
                    self._note_file(Path(parent, name))

    def _note_file(self, path: Path) -> None:
        with suppress(OSError, MalformedError):
            place = _place_of(read_regular_file(path, MAX_BYTES + 1).removesuffix(b"\n"))
            if isinstance(place, dict) and place.get("origin") == self._origin:
                self._files.setdefault(place["seq"], []).append(path)


def _place_of(line: bytes) -> Any:
    """Return what a line says about its place, None when it says nothing."""
    with suppress(MalformedError):
        document = load_strict(line)
        return document.get("log") if isinstance(document, dict) else None
    return None


def read_wal(path: Path) -> tuple[Record, ...]:
    """Return the whole records of a write-ahead file; none when it cannot be read."""
    with suppress(OSError, MalformedError):
        return scan_frames(read_regular_file(path, MAX_WAL_BYTES)).records
    return ()
