"""What a person does with a log: change or revoke a key, delete old entries, add a witness' signature.

Every act is a line of the log before it takes effect elsewhere.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass

from vv_core.atomic import fsync_directory, write_bytes_atomic
from vv_core.audit.key_chain import split_key_id
from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, from_oserror
from vv_core.settings import Settings
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.key_rotation import evolve_store, export_key, replace_key
from vv_core.tlog.lines import key_id_of
from vv_core.tlog.log_writer import LogWriter, open_log
from vv_core.tlog.tile_files import PRUNED, PRUNED_SCHEMA, WIDTH, bundle_path

__all__ = [
    "PruneResult",
    "RevokeResult",
    "RotateResult",
    "add_cosignature",
    "export_signing_key",
    "prune",
    "revoke",
    "rotate",
]


@dataclass(frozen=True)
class RotateResult:
    """A changed key.

    Attributes:
        old_key_id: signed so far; erased now, unless it was of a store of the first version.
        new_key_id: signs from here on.
        seq: of the line that says so; None while the log is empty.
    """

    old_key_id: str
    new_key_id: str
    seq: int | None


@dataclass(frozen=True)
class RevokeResult:
    """A revoked key.

    Attributes:
        key_ids: what they signed from ``from_seq`` on does not count: the key that was named, and those
            after it in its chain, as they follow from it.
        from_seq: the first bad line.
        new_key_id: signs now.
        seq: of the last line that revokes one.
    """

    key_ids: tuple[str, ...]
    from_seq: int
    new_key_id: str
    seq: int

    @property
    def key_id(self) -> str:
        """The key that was named."""
        return self.key_ids[0]


@dataclass(frozen=True)
class PruneResult:
    """Deleted entries.

    Attributes:
        below: entries with a smaller index may be gone.
        bundles: how many bundles were deleted now.
        seq: of the line that says so; None when nothing was left to say.
    """

    below: int
    bundles: int
    seq: int | None


def rotate(settings: Settings, clock: Clock | None = None) -> RotateResult:
    """Change the signing key to the next of its chain and erase it.

    Raises:
        ConfigError: the key store cannot be written.
        VvError: the log is not in order.
    """
    clock = clock or SystemClock()
    with open_log(settings, clock) as log:
        old = log.keys.active
        appended = log.rotate(lambda store: evolve_store(store, clock.now()))
        return RotateResult(old, log.keys.active, appended.seq if appended else None)


def export_signing_key(settings: Settings) -> tuple[str, bytes]:
    """Return id and key-store file of the key that signs now, for an auditor who derives the later ones.

    Who holds it verifies, and could forge, from here on: it is a secret.

    Raises:
        VvError: the log or its keys are not in order.
    """
    with open_log(settings) as log:
        return log.keys.active, export_key(log.keys)


def revoke(
    settings: Settings, key_id: str, from_seq: int, clock: Clock | None = None
) -> RevokeResult:
    """Revoke a key from a line on: a key of a fresh chain signs, and says so.

    The place is an index of the log, which nobody can back-date. It may lie in the past, since a theft is
    noticed after it happened, but not before the key's own first line: nothing of another key is
    revoked with it. Lines that a witness has seen stay witnessed, and the report says both.

    Args:
        settings: of the box.
        key_id: the key, or the first stolen one of a chain; later keys of the chain fall with it.
        from_seq: index of the first line that does not count.
        clock: the time.

    Raises:
        InputDataError: the key signed nothing here, or the index lies before its first line or beyond
            the end of the log.
        ConfigError: the key store cannot be written.
        VvError: the log is not in order.
    """
    clock = clock or SystemClock()
    with open_log(settings, clock) as log:
        _check_revocation(log, key_id, from_seq)
        key_ids = _stolen_keys(log, key_id, from_seq)
        if _is_later(log.keys.active, key_id):
            log.rotate(lambda store: replace_key(store, clock.now(), drop=True))
        for each in key_ids:
            details = {"key_id": each, "from_seq": from_seq}
            seq = log.append_event(Event(EventKind.REVOCATION, details)).seq
        return RevokeResult(key_ids, from_seq, log.keys.active, seq)


def _check_revocation(log: LogWriter, key_id: str, from_seq: int) -> None:
    first = _first_line_of(log, key_id)
    if first is None:
        raise InputDataError(
            f"the key {key_id!r} has signed no line of this log",
            advice="Give the key id of a line (signature_details.key_id); see vv-log status.",
        )
    if not first <= from_seq <= log.size:
        raise InputDataError(
            f"the key {key_id!r} cannot be revoked from line {from_seq}: its first line is {first}, "
            f"and the log has {log.size}",
            advice=f"Give an index from {first} to {log.size} (the next line).",
        )


def _first_line_of(log: LogWriter, key_id: str) -> int | None:
    """Return the index of the first line that a key signed; entries that were pruned count as others."""
    for seq, line in enumerate(log.reader.entries(0, log.size)):
        if line is not None and key_id_of(line) == key_id:
            return seq
    return None


def _stolen_keys(log: LogWriter, key_id: str, from_seq: int) -> tuple[str, ...]:
    """Return the key and those after it in its chain that signed a line from an index on."""
    found = {key_id: None}
    for line in log.reader.entries(from_seq, log.size):
        signer = key_id_of(line) if line is not None else None
        if signer is not None and _is_later(signer, key_id):
            found[signer] = None
    return tuple(found)


def _is_later(key_id: str, stolen: str) -> bool:
    """Tell whether a key is the stolen one, or follows from it."""
    one, other = split_key_id(key_id), split_key_id(stolen)
    if one is None or other is None:
        return key_id == stolen
    return one[0] == other[0] and one[1] >= other[1]


def prune(settings: Settings, below: int, clock: Clock | None = None) -> PruneResult:
    """Delete the entries below an index, by law or for space; tiles stay, so every proof still holds.

    The order is: a line that says so, the file ``pruned``, the bundles. Only whole bundles go. Published
    files of the same entries may be deleted by whoever keeps them.

    Args:
        settings: of the box.
        below: index of the first entry to keep.
        clock: the time.

    Raises:
        InputDataError: there are not so many entries.
        VvError: the log is not in order, or the file system refuses.
    """
    with open_log(settings, clock or SystemClock()) as log:
        if not 0 <= below <= log.size:
            raise InputDataError(
                f"entries below {below} cannot be pruned: the log has {log.size}",
                advice=f"Give an index from 0 to {log.size}.",
            )
        before, seq = log.reader.pruned_below, None
        if below > before:
            seq = log.append_event(Event(EventKind.PRUNED, {"below": below})).seq
        try:
            log.sync()
            bundles = _delete_bundles(log, max(below, before))
        except OSError as exc:
            raise from_oserror(exc, "prune the log") from exc
        return PruneResult(max(below, before), bundles, seq)


def _delete_bundles(log: LogWriter, below: int) -> int:
    folder = log.places.folder
    document = json.dumps({"schema": PRUNED_SCHEMA, "below": below}, separators=(",", ":"))
    write_bytes_atomic(folder / PRUNED, document.encode("ascii") + b"\n")
    deleted = 0
    for index in range(below // WIDTH):
        path = folder / bundle_path(index)
        with suppress(FileNotFoundError):
            path.unlink()
            fsync_directory(path.parent)
            deleted += 1
    return deleted


def add_cosignature(settings: Settings, note: bytes) -> bool:
    """Put the signature lines of a note under the log's checkpoint, if both have the same text.

    Returns:
        False when the log has another head by now.

    Raises:
        NoteError: it is not a note.
        VvError: the log is not in order, or the file system refuses.
    """
    with open_log(settings) as log:
        return log.add_cosignature(note)
