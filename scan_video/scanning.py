"""Scanning one video: read, look, follow, count, draw, write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import av

from scan_video.analytic import FacesFacts, Sampling, Scan, build_analytic
from scan_video.diagnosis import too_many_pictures, too_much_seen
from scan_video.pictures import Picture, remove_left_overs
from scan_video.plan import SamplingPlan, plan_sampling
from scan_video.probe import VideoProbe, explain_failure, probe_video, require_content
from scan_video.source_file import SourceFile, hash_source
from scan_video.start_time import RecordingStart, find_start
from scan_video.tracking import choose_tracking, follow_looks
from scan_video.watching import Watched, watch_with_fallback
from vv_core.atomic import write_bytes_atomic
from vv_core.clock import Clock
from vv_core.errors import InputDataError, from_oserror
from vv_core.jsonio import MAX_DOCUMENT_BYTES
from vv_core.settings import Settings
from vv_core.stage import StageItem
from vv_core.utils import validate_schema
from vv_schemas import schema_path

if TYPE_CHECKING:
    from scan_video.eyes import Eyes

SUFFIX = ".analytic.json"


@dataclass(frozen=True)
class _Prepared:
    """A video that is known to be usable, and what to look at in it."""

    source: SourceFile
    probe: VideoProbe
    plan: SamplingPlan


@dataclass(frozen=True)
class _Seen:
    """A video that was looked at, and with what."""

    prepared: _Prepared
    eyes: Eyes
    watched: Watched


def scan_item(
    item: StageItem,
    settings: Settings,
    clock: Clock,
    get_eyes: Callable[[], Eyes],
    progress: Callable[[float], None],
) -> None:
    """Scan one video and write its analytic and pictures.

    Args:
        item: the video, and where the analytic goes.
        settings: of the box.
        clock: for the analytic's own times.
        get_eyes: returns the loaded models, waiting for them.
        progress: is called with the fraction done.

    Raises:
        VvError: the analytic was not written.
    """
    started = clock.monotonic()
    try:
        seen = _see(item.input, settings, get_eyes, progress)
    except av.error.FFmpegError as exc:
        raise explain_failure(item.input, exc) from exc
    seen.prepared.source.require_unchanged()
    folder, stem = item.output.parent, item.output.name.removesuffix(SUFFIX)
    find_faces = seen.eyes.find_all_faces if seen.eyes.blurs_faces else None
    try:
        pictures = seen.watched.keeper.save(folder, stem, find_faces)
        scan = _describe(item, settings, seen, pictures)
        elapsed_s = clock.monotonic() - started
        _write_document(item, build_analytic(scan, elapsed_s, clock.now()))
        remove_left_overs(folder, stem, pictures)
    except OSError as exc:
        raise from_oserror(exc, "write the analytic", item.output) from exc


def _see(
    path: Path,
    settings: Settings,
    get_eyes: Callable[[], Eyes],
    progress: Callable[[float], None],
) -> _Seen:
    prepared = _prepare(path, settings)
    eyes = get_eyes()
    watched = watch_with_fallback(
        path,
        prepared.probe,
        prepared.plan,
        eyes,
        interval_s=settings.scan_interval_seconds,
        progress=progress,
    )
    return _Seen(prepared, eyes, watched)


def _describe(
    item: StageItem, settings: Settings, seen: _Seen, pictures: Sequence[Picture]
) -> Scan:
    prepared, eyes = seen.prepared, seen.eyes
    tracking = choose_tracking(settings.scan_interval_seconds, is_embedded=eyes.is_embedded)
    looks = seen.watched.looks
    if tracking.method != "none":
        looks = follow_looks(looks, settings.scan_interval_seconds)
    return Scan(
        source_hash=prepared.source.sha256,
        relative_name=item.relative_name or item.input.name,
        size_bytes=prepared.source.state.size,
        start=_start(item, prepared, settings),
        probe=prepared.probe,
        sampling=_sampling(settings, prepared.probe, seen.watched),
        detector=eyes.detector.facts,
        faces=_faces(settings, eyes),
        tracking=tracking,
        looks=looks,
        pictures=pictures,
        fact_confidence=settings.fact_min_confidence,
    )


def _prepare(path: Path, settings: Settings) -> _Prepared:
    require_content(path)
    source = hash_source(path)
    try:
        probe = probe_video(path, settings.max_pixels)
        plan = plan_sampling(probe.table, probe.timeline, settings.scan_interval_seconds)
        if len(plan.times) > settings.max_frames:
            raise too_many_pictures(path, len(plan.times), settings.max_frames)
    except InputDataError:
        # A recording that is still being written looks damaged; then it is not its own fault.
        source.require_unchanged()
        raise
    return _Prepared(source, probe, plan)


def _start(item: StageItem, prepared: _Prepared, settings: Settings) -> RecordingStart:
    return find_start(
        PurePosixPath(item.relative_name or item.input.name).name,
        created=prepared.probe.created,
        modified=prepared.source.state.modified,
        duration_s=prepared.probe.duration_s,
        patterns=settings.start_patterns,
        zone=settings.zone,
    )


def _sampling(settings: Settings, probe: VideoProbe, watched: Watched) -> Sampling:
    interval_s = settings.scan_interval_seconds
    return Sampling(
        interval_s=interval_s,
        method=watched.plan.method,
        is_complete=probe.is_complete and watched.is_whole(interval_s),
        decode_errors=watched.report.errors + probe.table.damaged,
    )


def _faces(settings: Settings, eyes: Eyes) -> FacesFacts:
    recogniser = eyes.recogniser
    return FacesFacts(
        is_on=eyes.reports_faces,
        is_recognition_on=recogniser is not None,
        enrolled=recogniser.enrolled if recogniser else 0,
        tolerance=settings.face_tolerance if recogniser else None,
    )


def _write_document(item: StageItem, document: dict[str, Any]) -> None:
    """Check and write the analytic; compact, since a busy day has many detections.

    Raises:
        VvError: it does not follow its schema, or is larger than any reader accepts.
        OSError: it cannot be written.
    """
    validate_schema(document, schema_path("analytic"))
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    if len(text.encode()) > MAX_DOCUMENT_BYTES:
        raise too_much_seen(item.input)
    write_bytes_atomic(item.output, text.encode())
