"""From files in ``input/`` to videos that are ready: finished, readable, hashed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from vv_core.errors import InputMissingError, VvError, from_oserror
from vv_core.logs import get_logger
from vv_core.pipeline.ending import Ending
from vv_core.pipeline.history import History
from vv_core.settings import Settings
from vv_core.stability import Writing, is_open_for_writing, is_unchanged_long_enough
from vv_core.utils import compute_sha256
from vv_core.video_files import Candidate, FileSignature, Ignored, discover


@dataclass(frozen=True)
class ReadyVideo:
    """A video that can be processed.

    Attributes:
        path: where it is.
        relative_name: its path below ``input/``.
        signature: as it was when hashed.
        sha256: of its content.
    """

    path: Path
    relative_name: str
    signature: FileSignature
    sha256: str


def is_unchanged(video: ReadyVideo) -> bool:
    """Tell whether the file is still there as it was when it was hashed."""
    try:
        return FileSignature.of(video.path.lstat()) == video.signature
    except OSError:
        return False


@dataclass
class Intake:
    """What one look at ``input/`` gave.

    Attributes:
        ready: videos to process, in order of their paths.
        growing: files that somebody may still be writing.
        ignored: what is named like a video but is not processed, and why.
    """

    ready: list[ReadyVideo] = field(default_factory=list)
    growing: list[Path] = field(default_factory=list)
    ignored: list[Ignored] = field(default_factory=list)


def take_in(
    settings: Settings,
    history: History,
    moment: datetime,
    is_ending: Callable[[], bool] = lambda: False,
) -> Intake:
    """Look at ``input/`` once.

    Args:
        settings: of this box.
        history: knows earlier looks and hashes.
        moment: the current time.
        is_ending: True when the orchestrator is asked to end.

    Raises:
        Ending: the orchestrator is asked to end.
        VvError: the folder cannot be listed.
    """
    folder = settings.storage.input
    try:
        candidates, ignored = discover(folder, settings.orchestrator_patterns)
    except OSError as exc:
        raise from_oserror(exc, "list the videos in", folder) from exc
    intake = Intake(ignored=ignored)
    for candidate in candidates:
        if is_ending():
            raise Ending
        try:
            video = _take_one(candidate, settings, history, moment.timestamp())
        except InputMissingError:
            get_logger("pipeline").info("%s vanished before it was read", candidate.path.name)
            continue
        except VvError as exc:
            intake.ignored.append(
                Ignored(candidate.path, f"is left out: {exc.message}", exc.advice)
            )
            continue
        if video is None:
            intake.growing.append(candidate.path)
        else:
            intake.ready.append(video)
    history.forget_files_except(candidate.path for candidate in candidates)
    return intake


def _take_one(
    candidate: Candidate, settings: Settings, history: History, now: float
) -> ReadyVideo | None:
    """Return the video when it is finished, None while it grows.

    Raises:
        VvError: it vanished or cannot be read.
    """
    path, signature = candidate.path, candidate.signature
    earlier = history.observe(path, signature, now)
    wait = settings.orchestrator_stable_seconds
    if not is_unchanged_long_enough(signature, earlier, now, wait):
        return None
    sha256 = history.cached_hash(path, signature)
    try:
        if is_open_for_writing(path) is Writing.YES:
            return None
        if sha256 is None:
            sha256 = compute_sha256(path)
            if FileSignature.of(path.lstat()) != signature:
                return None
            history.remember_hash(path, sha256)
    except OSError as exc:
        raise from_oserror(exc, "read the video", path) from exc
    return ReadyVideo(path, candidate.relative_name, signature, sha256)
