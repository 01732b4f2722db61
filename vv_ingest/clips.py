"""The record of one video: made by looking at the video, and at what was made of it."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

from vv_core.atomic import TEMP_PREFIX, fsync_directory, temp_name
from vv_core.clock import Clock
from vv_core.errors import InputDataError, InputMissingError, TemporaryError, from_oserror
from vv_core.logs import get_logger
from vv_core.media_record import Clip, MediaRecord, MediaState, find_clip
from vv_core.paths import Storage
from vv_core.utils import compute_sha256
from vv_core.video_files import FileSignature
from vv_ingest.candidates import Candidate, place_of
from vv_ingest.conversion import Conversion, Playable
from vv_ingest.decision import Limits
from vv_ingest.tools import Tools

WORK_PREFIX = f"{TEMP_PREFIX}clip-"
"""What a run that was killed leaves in ``tv_curado/``."""
_MAX_REASON_CHARS = 500
_MODE = 0o644
_NOT_THERE = "the video is not in processed/"
_ANOTHER = "the file in processed/ is not the video that was logged"

_logger = get_logger("clips")


class ClipMaker:
    """Makes the records of videos, and the clips that they speak of.

    Args:
        storage: folders of the box.
        tools: ffmpeg.
        limits: what a TV takes.
        clock: the time.
    """

    def __init__(self, storage: Storage, tools: Tools, limits: Limits, clock: Clock) -> None:
        self._storage = storage
        self._tools = tools
        self._limits = limits
        self._clock = clock

    def make(self, candidate: Candidate) -> MediaRecord:
        """Return the record of a video, with the clip in its place.

        Raises:
            ToolFault: ffmpeg did not come to an end.
            TemporaryError: the disk is full, a file changes, or we were asked to end.
        """
        source = place_of(self._storage, candidate)
        try:
            return self._make(candidate, source)
        except InputDataError as exc:
            return self._without(candidate, MediaState.UNPLAYABLE, exc.message)
        except InputMissingError:
            return self._without(candidate, MediaState.MISSING, _NOT_THERE)
        except OSError as exc:
            error = from_oserror(exc, "make a clip for TVs of", source)
            if isinstance(error, InputMissingError) and not os.path.lexists(source):
                return self._without(candidate, MediaState.MISSING, _NOT_THERE)
            raise TemporaryError(error.message, advice=error.advice) from exc

    def _make(self, candidate: Candidate, source: Path) -> MediaRecord:
        before = look(source)
        if before is None:
            return self._without(candidate, MediaState.MISSING, _NOT_THERE)
        if compute_sha256(source) != candidate.sha256:
            return self._without(candidate, MediaState.MISSING, _ANOTHER)
        target = self._storage.tv_curado / f"{WORK_PREFIX}{temp_name('.mp4')[len(TEMP_PREFIX) :]}"
        try:
            conversion = Conversion(
                source, candidate.sha256, target, tools=self._tools, limits=self._limits
            )
            playable = conversion.run()
            if look(source) != before:
                raise TemporaryError(
                    f"{source.name!r} changed while it was read",
                    advice="Leave processed/ alone; it is tried again by itself.",
                )
            return self._playing(candidate, playable, before)
        finally:
            with suppress(FileNotFoundError):
                target.unlink()

    def _playing(
        self, candidate: Candidate, playable: Playable, source: FileSignature
    ) -> MediaRecord:
        if playable.path is None:
            clip = _clip(playable, candidate.sha256, candidate.relative_name, source.size)
            return self._record(candidate, clip, MediaState.AS_IS, playable.note)
        size = playable.path.stat().st_size
        sha256 = put_by_hash(playable.path)
        clip = _clip(playable, sha256, f"{sha256}.mp4", size)
        return self._record(candidate, clip, MediaState.STANDARDISED, playable.note)

    def _without(self, candidate: Candidate, state: MediaState, reason: str) -> MediaRecord:
        return self._record(candidate, None, state, reason)

    def _record(
        self, candidate: Candidate, clip: Clip | None, state: MediaState, reason: str
    ) -> MediaRecord:
        cut = reason[:_MAX_REASON_CHARS]
        return MediaRecord(candidate.sha256, self._clock.now(), clip, state, cut)


def look(path: Path) -> FileSignature | None:
    """Return what changes when a file does; None: it is no regular file, or not there.

    Raises:
        OSError: it cannot be looked at.
    """
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileSignature.of(status) if stat.S_ISREG(status.st_mode) else None


def put_by_hash(path: Path) -> str:
    """Call a finished file in its folder by the hash of its content, durably; return the hash.

    What has that name already has that content: the same bytes made again.

    Raises:
        VvError: it cannot be read.
        OSError: from the file system.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, _MODE)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sha256 = compute_sha256(path)
    os.replace(path, path.with_name(f"{sha256}{path.suffix}"))
    fsync_directory(path.parent)
    return sha256


def is_in_place(storage: Storage, record: MediaRecord) -> bool:
    """Tell whether the clip of a record is still there, as long as it was; one without a clip needs none."""
    if record.clip is None:
        return True
    found = look(find_clip(storage, record.clip))
    return found is not None and found.size == record.clip.bytes


def remove_leftovers(storage: Storage) -> int:
    """Remove what runs that were killed have left in ``tv_curado/``; return how many.

    For whoever is the only one at work there.

    Raises:
        VvError: from the file system.
    """
    removed = 0
    try:
        for path in storage.tv_curado.glob(f"{WORK_PREFIX}*"):
            path.unlink(missing_ok=True)
            removed += 1
    except OSError as exc:
        raise from_oserror(exc, "remove what a killed run left in", storage.tv_curado) from exc
    if removed:
        _logger.info("removed what a killed run left", extra={"fields": {"files": removed}})
    return removed


def _clip(playable: Playable, sha256: str, path: str, size: int) -> Clip:
    video = playable.probe.videos[0]
    audios = playable.probe.audios
    return Clip(
        sha256=sha256,
        folder="processed" if playable.path is None else "tv_curado",
        path=path,
        bytes=size,
        duration_ms=max(1, round(playable.duration_s * 1000)),
        width=video.width,
        height=video.height,
        video_codec=video.codec,
        audio_codec=audios[0].codec if audios else None,
    )
