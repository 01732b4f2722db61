"""The work that goes on for as long as the box runs: a record for each video that TVs may show."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from vv_core.clock import Clock
from vv_core.errors import InputDataError, TemporaryError, VvError, from_oserror
from vv_core.logs import get_logger, printable
from vv_core.media_record import (
    MediaRecord,
    MediaState,
    find_clip,
    read_media_record,
    record_path,
    write_media_record,
)
from vv_core.paths import Storage
from vv_core.video_files import FileSignature
from vv_ingest.candidates import Candidate, Candidates, newest_first, place_of
from vv_ingest.clips import ClipMaker, is_in_place, look, remove_leftovers
from vv_ingest.tools import Interrupted, ToolFault, require_tools
from vv_ingest.waiting import MOST_FAULTS, Wait, Waiting, is_due, note_failure

TURN_S = 120.0
"""After so long a turn ends, so that the service says that it is at work."""
LOOK_AGAIN_S = 60.0
"""Between two looks at what is done: whether clips are still there, whether missing videos have come."""
TIDY_S = 3600.0
"""Between two removals of records that nothing needs any more."""
STATE_FOLDER = "state"
"""Below the records: what only this program needs."""
_LOCK, _WAITING = "converter.lock", "waiting.json"
_SUFFIX = ".json"

_logger = get_logger("clips")


@contextmanager
def hold_lock(storage: Storage) -> Iterator[None]:
    """Be the only one that makes clips for this box, while entered.

    Raises:
        TemporaryError: another one does.
        VvError: the folder cannot be written.
    """
    path = storage.media / STATE_FOLDER / _LOCK
    try:
        path.parent.mkdir(exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as exc:
        raise from_oserror(exc, "lock", path) from exc
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise TemporaryError(
                "another clip_converter is at work here",
                advice="Leave it to that one, or end it first.",
            ) from exc
        yield
    finally:
        os.close(descriptor)


class ConverterJob:
    """Brings records up to date; one call is one turn.

    Args:
        storage: folders of the box; the caller holds its lock (`hold_lock`).
        window: how far back TVs may look.
        maker: makes records.
        clock: the time.
    """

    def __init__(self, storage: Storage, window: timedelta, maker: ClipMaker, clock: Clock) -> None:
        self._storage = storage
        self._maker = maker
        self._clock = clock
        self._candidates = Candidates(storage, window)
        self._waiting = Waiting(storage.media / STATE_FOLDER / _WAITING)
        self._known: dict[str, MediaRecord] = {}
        self._missing: dict[str, FileSignature | None] = {}
        self._look_again = self._tidy = clock.monotonic()
        self._is_first = True

    def __call__(self, is_ending: Callable[[], bool]) -> Mapping[str, object]:
        """Do one turn and return its figures.

        Raises:
            VvError: ffmpeg is lacking, the disk is full, or a folder cannot be read or written.
        """
        require_tools()
        if self._is_first:
            remove_leftovers(self._storage)
            self._is_first = False
        deadline = self._clock.monotonic() + TURN_S
        self._forget_what_changed()
        while not is_ending() and self._clock.monotonic() < deadline:
            # Asked anew each time: what has come meanwhile is newer, and goes first.
            candidate = self._next()
            if candidate is None:
                break
            self._work_on(candidate)
        return self._figures()

    def _next(self) -> Candidate | None:
        """Return the newest video that has no record and does not wait."""
        found = self._candidates.refresh(self._clock.now())
        for sha256 in self._known.keys() - found.keys():
            del self._known[sha256]
        now = self._clock.now()
        for candidate in newest_first(found[sha] for sha in found.keys() - self._known.keys()):
            if not is_due(self._waiting.of(candidate.sha256), now):
                continue
            record = self._read(candidate)
            if record is None:
                return candidate
            self._known[candidate.sha256] = record
        return None

    def _read(self, candidate: Candidate) -> MediaRecord | None:
        """Return the record that a video has, if that still holds."""
        try:
            record = read_media_record(self._storage, candidate.sha256)
        except InputDataError as exc:
            _logger.warning("a media record is made anew: %s", exc.message)
            return None
        if record is None or not self._holds(candidate, record):
            return None
        return record

    def _holds(self, candidate: Candidate, record: MediaRecord) -> bool:
        """Tell whether a record is still true, without reading videos."""
        if record.state is MediaState.MISSING:
            # Another file of that name is looked into once, not every minute.
            there = look(place_of(self._storage, candidate))
            return there is None or there == self._missing.get(candidate.sha256)
        if record.state is MediaState.AS_IS and record.clip is not None:
            is_same_place = record.clip.path == candidate.relative_name
            return is_same_place and is_in_place(self._storage, record)
        return is_in_place(self._storage, record)

    def _work_on(self, candidate: Candidate) -> None:
        fields = {"video": printable(candidate.relative_name)}
        self._missing[candidate.sha256] = look(place_of(self._storage, candidate))
        try:
            record = self._maker.make(candidate)
            write_media_record(self._storage, record)
            self._waiting.set(candidate.sha256, None)
        except Interrupted:
            return
        except VvError as exc:
            self._fail(candidate, exc)
            return
        if record.state is not MediaState.MISSING:
            self._missing.pop(candidate.sha256, None)
        self._known[candidate.sha256] = record
        fields |= {"state": record.state, "reason": record.reason}
        _logger.info("a video was looked at", extra={"fields": fields})

    def _fail(self, candidate: Candidate, error: VvError) -> None:
        """Let a video wait; one at which ffmpeg breaks down again and again is given up."""
        now = self._clock.now()
        wait = note_failure(
            self._waiting.of(candidate.sha256),
            now,
            error.message,
            is_fault=isinstance(error, ToolFault),
        )
        fields = {"video": printable(candidate.relative_name), "failures": wait.failures}
        _logger.warning("%s → %s", error.message, error.advice, extra={"fields": fields})
        if wait.faults < MOST_FAULTS:
            self._waiting.set(candidate.sha256, wait)
            return
        self._give_up(candidate, wait, now)

    def _give_up(self, candidate: Candidate, wait: Wait, now: datetime) -> None:
        reason = f"given up after {wait.faults} tries: {wait.reason}"[:500]
        record = MediaRecord(candidate.sha256, now, None, MediaState.UNPLAYABLE, reason)
        write_media_record(self._storage, record)
        self._waiting.set(candidate.sha256, None)
        self._known[candidate.sha256] = record

    def _forget_what_changed(self) -> None:
        """Look, now and then, whether what is known still holds; what does not is worked on again."""
        now = self._clock.monotonic()
        if now < self._look_again:
            return
        self._look_again = now + LOOK_AGAIN_S
        found = self._candidates.refresh(self._clock.now())
        for sha256, record in list(self._known.items()):
            candidate = found.get(sha256)
            is_there = os.path.lexists(record_path(self._storage, sha256))
            if candidate is None or not is_there or not self._holds(candidate, record):
                del self._known[sha256]
        self._waiting.forget_others(found.keys())
        if now >= self._tidy:
            self._tidy = now + TIDY_S
            remove_old_records(self._storage, found)

    def _figures(self) -> dict[str, object]:
        """Return how many videos there are in each state.

        Raises:
            TemporaryError: a video waits for something that is not its own fault.
        """
        reason = self._waiting.reason()
        if reason:
            raise TemporaryError(
                reason,
                advice="Look at the disk and at logs/app.log; it is tried again by itself.",
            )
        states = Counter(str(record.state) for record in self._known.values())
        total = len(self._candidates.refresh(self._clock.now()))
        return {
            **{str(state): states[state] for state in MediaState},
            "waiting": self._waiting.count(),
            "to_do": max(0, total - len(self._known)),
        }


def remove_old_records(storage: Storage, young: Mapping[str, object]) -> int:
    """Remove the records of videos that TVs no longer show and whose clips are gone; return how many.

    Raises:
        VvError: from the file system.
    """
    removed = 0
    for path in _records(storage.media):
        sha256 = path.name.removesuffix(_SUFFIX)
        if sha256 in young:
            continue
        try:
            record = read_media_record(storage, sha256)
        except (InputDataError, ValueError):
            # What is no record is left to a person.
            continue
        if record is None:
            continue
        if record.clip is None or not os.path.lexists(find_clip(storage, record.clip)):
            with suppress(FileNotFoundError):
                path.unlink()
            removed += 1
    return removed


def _records(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name.endswith(_SUFFIX)]
    except OSError as exc:
        raise from_oserror(exc, "list the media records in", folder) from exc
    yield from (folder / name for name in names)
