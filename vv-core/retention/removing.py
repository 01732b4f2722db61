"""Removing what was decided on: each file once more looked at, evidence written down before it goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from vv_core.clock import Clock, format_utc
from vv_core.errors import VvError
from vv_core.logs import get_logger
from vv_core.paths import printable_name
from vv_core.pipeline.quarantine import META_SUFFIX
from vv_core.retention.decision import Reason, Removal
from vv_core.retention.removal_record import Record, RemovalRecord
from vv_core.utils import compute_sha256

_EVIDENCE_SUFFIXES = (".analytic.json", ".summary.json")
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_logger = get_logger("retention")


@dataclass
class Outcome:
    """What became of a plan.

    Attributes:
        removed: in order.
        failed: path and reason of what should have gone and did not.
    """

    removed: list[Removal] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def freed_bytes(self) -> int:
        """How much space came free."""
        return sum(removal.fact.size for removal in self.removed)


def apply_removals(
    removals: Iterable[Removal],
    record: RemovalRecord,
    clock: Clock,
    why: Callable[[Removal], str],
    on_removed: Callable[[Removal], None] = lambda _removal: None,
) -> Outcome:
    """Remove files, one after the other; one that cannot be removed does not stop the others.

    Args:
        removals: what `plan_removals` decided.
        record: where removed evidence is written down first.
        clock: the time.
        why: says for people why a file went.
        on_removed: told of each file that went.
    """
    outcome = Outcome()
    for removal in removals:
        path = removal.fact.path
        try:
            _remove(removal, record, clock, why)
        except FileNotFoundError:
            continue  # somebody else was faster
        except VvError as exc:
            outcome.failed.append((path, exc.message))
        except OSError as exc:
            outcome.failed.append((path, exc.strerror or str(exc)))
        else:
            outcome.removed.append(removal)
            on_removed(removal)
            fields = {"file": path, "bytes": removal.fact.size, "why": removal.reason.value}
            _logger.info("removed", extra={"fields": fields})
    for path, reason in outcome.failed:
        _logger.warning("not removed: %s: %s", path, reason)
    return outcome


def _remove(
    removal: Removal, record: RemovalRecord, clock: Clock, why: Callable[[Removal], str]
) -> None:
    """Remove one file, unless it has changed or a folder above it has become a link."""
    fact = removal.fact
    parent, name = os.path.split(fact.path)
    descriptor = _open_folder(parent)
    try:
        status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        now = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if now != (fact.device, fact.inode, fact.mtime_ns):
            raise OSError(0, "it has changed since it was looked at")
        sha256 = _evidence_hash(removal)
        if sha256 is not None:
            record.add(
                Record(
                    when=format_utc(clock.now()),
                    file=printable_name(f"{fact.area}/{fact.name}"),
                    path_bytes=os.fsencode(fact.path).hex(),
                    inode=fact.inode,
                    sha256=sha256,
                    why=why(removal),
                )
            )
        os.unlink(name, dir_fd=descriptor)
        if sha256 is not None:
            # Before the log says that it is gone.
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_folder(path: str) -> int:
    """Open a folder, following no link on the way."""
    descriptor = os.open("/", _FOLDER_FLAGS)
    for part in path.strip("/").split("/"):
        try:
            inner = os.open(part or ".", _FOLDER_FLAGS, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def _evidence_hash(removal: Removal) -> str | None:
    """Return the hash by which the log knows a file, or should: of a recording that nobody could read too.

    None for other files.

    Raises:
        VvError: the file cannot be read.
    """
    fact = removal.fact
    if removal.reason is not Reason.OLD:
        return None
    if removal.video is not None and (
        fact.area == "processed"
        or (fact.area == "corrupted" and not fact.name.endswith(META_SUFFIX))
    ):
        return removal.video.sha256
    if fact.area in {"analytic", "summaries"} and fact.name.endswith(_EVIDENCE_SUFFIXES):
        return compute_sha256(Path(fact.path))
    return None
