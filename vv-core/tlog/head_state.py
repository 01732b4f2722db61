"""What this box has signed last, kept apart from the log, and whether the log found still fits it.

The state lies in ``orchestrator_data/log/head.json``, and a copy beside the signing key, so that data put
back from an older backup is noticed by the key that has signed more.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from vv_core.atomic import write_bytes_atomic
from vv_core.audit.canonical import MalformedError, canonical_bytes, load_strict
from vv_core.audit.regular_file import read_regular_file
from vv_core.errors import KeyAccessError

SCHEMA = "vv.log-head/1"
MAX_BYTES = 4096
_HASH = re.compile(r"[0-9a-f]{64}")
_KEYS = {"schema", "origin", "size", "root"}

ADVICE = (
    "Nothing was written. Run vv-log repair: it looks for the missing part in loglines/ and in a copy of the "
    "log (--from FOLDER); where the part is lost for good, vv-log repair --new-epoch closes this log and "
    "begins another one that names it."
)


class LogRefused(KeyAccessError):
    """The log on disk is not the one that was signed last: signing goes no further."""

    def __init__(self, problem: str, *, advice: str = ADVICE) -> None:
        super().__init__(f"the log is not continued: {problem}", advice=advice)
        self.problem = problem

    def __reduce__(self) -> tuple[object, ...]:
        """Rebuild when the error crosses a process."""
        return (_rebuild, (self.problem, self.advice))


def _rebuild(problem: str, advice: str) -> LogRefused:
    return LogRefused(problem, advice=advice)


@dataclass(frozen=True, slots=True)
class Head:
    """A head that was promised: signed, or about to be.

    Attributes:
        origin: of the log.
        size: leaves.
        root: their root.
        source: where it stands, for messages.
    """

    origin: str
    size: int
    root: bytes
    source: str = ""


def read_head(path: Path) -> Head | None:
    """Return the head in a file, None when there is no file.

    Raises:
        LogRefused: what is there cannot be believed.
        OSError: it cannot be read.
    """
    try:
        document = load_strict(read_regular_file(path, MAX_BYTES))
    except FileNotFoundError:
        return None
    except MalformedError as exc:
        raise LogRefused(f"{str(path)!r} is damaged: {exc.reason.replace('_', ' ')}") from None
    if not isinstance(document, dict) or document.keys() != _KEYS or not _is_head(document):
        raise LogRefused(f"{str(path)!r} is damaged: it is not of the form {SCHEMA}")
    root = bytes.fromhex(document["root"])
    return Head(document["origin"], document["size"], root, str(path))


def _is_head(document: dict[str, object]) -> bool:
    origin, size, root = document["origin"], document["size"], document["root"]
    return (
        document["schema"] == SCHEMA
        and isinstance(origin, str)
        and isinstance(size, int)
        and not isinstance(size, bool)
        and size >= 0
        and isinstance(root, str)
        and _HASH.fullmatch(root) is not None
    )


def write_head(path: Path, head: Head) -> None:
    """Write a head, durably.

    Raises:
        OSError: from the file system.
    """
    document = {
        "schema": SCHEMA,
        "origin": head.origin,
        "size": head.size,
        "root": head.root.hex(),
    }
    write_bytes_atomic(path, canonical_bytes(document) + b"\n", 0o600)


def mark_path(key_path: Path) -> Path:
    """Return where the copy beside a signing key lies."""
    return key_path.with_name(f"{key_path.name}.head")


def write_mark(key_path: Path, head: Head) -> None:
    """Keep a copy of the head beside the signing key, where that folder can be written.

    Secrets that are mounted read-only have none; then only the state in the data is compared.

    Raises:
        OSError: from the file system.
    """
    if os.access(key_path.parent, os.W_OK):
        write_head(mark_path(key_path), head)


def check_promises(
    size: int, origin: str, promises: Iterable[Head], root_at: Callable[[int], bytes]
) -> None:
    """Refuse a log that does not hold what was promised about it.

    Args:
        size: leaves of the log found.
        origin: of the log found.
        promises: heads that were signed before.
        root_at: gives the root of the log found at an earlier size.

    Raises:
        LogRefused: it is another log, shorter than a promise (rolled back), or different (forked).
    """
    for head in promises:
        if head.origin != origin:
            raise LogRefused(
                f"it is {origin!r}, while {head.source} is about {head.origin!r}: "
                "data and keys of different boxes"
            )
        if head.size > size:
            raise LogRefused(
                f"it holds {size} lines, but a head of {head.size} lines was signed ({head.source}); "
                "it looks like an older backup put back, or lines were removed"
            )
        if root_at(head.size) != head.root:
            raise LogRefused(
                f"its first {head.size} lines are not the ones whose head was signed ({head.source}); "
                "lines were changed or exchanged"
            )
