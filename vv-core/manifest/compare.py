"""What is different between the files that were shipped and those found; no files here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from vv_core.manifest.statement import ShippedFile


class Difference(StrEnum):
    """How a file is not as it was shipped."""

    MISSING = "missing"
    CHANGED = "changed"
    MODE = "mode"
    EXTRA = "extra"
    SYMLINK = "symlink"
    SPECIAL = "special"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """One name of an installation as it is now.

    Attributes:
        kind: "file", "symlink", "special" (device, pipe, socket, or a folder in a file's place) or
            "unreadable".
        sha256: of a file's content; "" where nobody asked for it.
        size: of a file, bytes.
        mode: permission bits of a file.
    """

    kind: str
    sha256: str = ""
    size: int = 0
    mode: int = 0


@dataclass(frozen=True, slots=True)
class Deviation:
    """One file that is not as it was shipped.

    Attributes:
        difference: how.
        path: which; may be untrusted text.
        detail: more, in English.
    """

    difference: Difference
    path: str
    detail: str = ""


_KINDS = {
    "symlink": Difference.SYMLINK,
    "special": Difference.SPECIAL,
    "unreadable": Difference.UNREADABLE,
}


def compare_files(
    shipped: Mapping[str, ShippedFile], found: Mapping[str, FoundFile]
) -> tuple[Deviation, ...]:
    """Return everything that is different, by path.

    Args:
        shipped: what the manifest lists.
        found: every listed name that exists, and every other name that is not left out by rule.
    """
    deviations: list[Deviation] = []
    for path in sorted({*shipped, *found}):
        deviations += _compare_one(path, shipped.get(path), found.get(path))
    return tuple(deviations)


def _compare_one(
    path: str, shipped: ShippedFile | None, found: FoundFile | None
) -> Iterator[Deviation]:
    if found is None:
        yield Deviation(Difference.MISSING, path)
    elif found.kind != "file":
        yield Deviation(_KINDS[found.kind], path)
    elif shipped is None:
        yield Deviation(Difference.EXTRA, path)
    else:
        if (found.size, found.sha256) != (shipped.size, shipped.sha256):
            yield Deviation(Difference.CHANGED, path, f"{found.size} bytes, were {shipped.size}")
        if not is_mode_kept(shipped.mode, found.mode):
            yield Deviation(Difference.MODE, path, f"{found.mode:04o}, was {shipped.mode}")


def is_mode_kept(shipped: str, found: int) -> bool:
    """Tell whether permission bits are those that were shipped.

    A stricter umask may take bits from group and others; nothing may be added, and the owner's stay.
    """
    wanted = int(shipped, 8)
    return not found & ~wanted and found & 0o700 == wanted & 0o700
