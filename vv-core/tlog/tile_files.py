"""The files of a log, by C2SP ``tlog-tiles``: where they lie and what is in them; nothing is read here.

Hash tiles hold up to 256 SHA-256 hashes, entry bundles up to 256 entries, each after its length as
two bytes, big-endian. A tile that is not full yet lies below ``<N>.p/`` under its width; a wider one
begins with the same bytes. Only the standard library is needed.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from vv_core.audit.canonical import MAX_BYTES, MalformedError, load_strict
from vv_core.errors import InputDataError

HEIGHT = 8
WIDTH = 1 << HEIGHT
"""Hashes of a full tile, entries of a full bundle."""
HASH_BYTES = 32
MAX_LEVEL = 63 // HEIGHT
"""Highest level of tiles in a tree of less than 2**63 entries."""
MAX_BUNDLE_BYTES = WIDTH * (2 + MAX_BYTES)
MAX_CHECKPOINT_BYTES = 64 * 1024

CHECKPOINT = "checkpoint"
PRUNED = "pruned"
PRUNED_SCHEMA = "vv.log-pruned/1"
MAX_PRUNED_BYTES = 4096
_LENGTH = struct.Struct(">H")


class TileError(InputDataError):
    """A file of the log is missing, unreadable, or not what its name says.

    Attributes:
        path: the file, relative to the folder of the log.
        is_missing: nothing is there.
    """

    def __init__(self, path: str, problem: str, *, is_missing: bool = False) -> None:
        super().__init__(
            f"the log's file {path!r} cannot be used: {problem}",
            advice="Audit the log with logline_verifier; get the file from a copy of the log.",
        )
        self.path = path
        self.problem = problem
        self.is_missing = is_missing

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild when the error crosses a process."""
        return (_rebuild, (self.path, self.problem, self.is_missing))


def _rebuild(path: str, problem: str, is_missing: bool) -> TileError:
    return TileError(path, problem, is_missing=is_missing)


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return where a hash tile lies, relative to the log's folder.

    Args:
        level: 0 for leaf hashes; each further one is eight levels of the tree higher.
        index: of the tile within its level, from 0.
        width: hashes in it; fewer than 256 make it a partial one.

    Raises:
        ValueError: there is no such tile.
    """
    if not 0 <= level <= MAX_LEVEL:
        raise ValueError(f"no level of tiles: {level}")
    return f"tile/{level}/{_path_of(index, width)}"


def bundle_path(index: int, width: int = WIDTH) -> str:
    """Return where an entry bundle lies, relative to the log's folder.

    Raises:
        ValueError: there is no such bundle.
    """
    return f"tile/entries/{_path_of(index, width)}"


def _path_of(index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= WIDTH:
        raise ValueError(f"no tile: index {index}, width {width}")
    path = f"{index % 1000:03}"
    while index := index // 1000:
        path = f"x{index % 1000:03}/{path}"
    return path if width == WIDTH else f"{path}.p/{width}"


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the content of an entry bundle.

    Raises:
        ValueError: more than 256 entries, or one of more than 65,535 bytes.
    """
    if len(entries) > WIDTH or any(len(entry) > MAX_BYTES for entry in entries):
        raise ValueError("too many entries, or one too long")
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle.

    Raises:
        ValueError: the data ends within an entry, or holds more than 256.
    """
    entries: list[bytes] = []
    position, end = 0, len(data)
    while position < end:
        start = position + 2
        if start > end or len(entries) == WIDTH:
            raise ValueError("cut within a length, or too many entries")
        position = start + (data[start - 2] << 8 | data[start - 1])
        entries.append(data[start:position])
    if position != end:
        raise ValueError("cut within an entry")
    return entries


def parse_pruned(data: bytes) -> int:
    """Return the index that the file ``pruned`` names.

    Raises:
        TileError: it is not such a file.
    """
    try:
        document = load_strict(data, max_bytes=MAX_PRUNED_BYTES)
    except MalformedError as exc:
        raise TileError(PRUNED, exc.message) from None
    is_ours = isinstance(document, dict) and document.keys() == {"schema", "below"}
    below = document["below"] if is_ours else None
    if not is_ours or document["schema"] != PRUNED_SCHEMA or not isinstance(below, int):
        raise TileError(PRUNED, f"it is not of the form {PRUNED_SCHEMA}")
    if isinstance(below, bool) or below < 0:
        raise TileError(PRUNED, "below is not an index")
    return below
