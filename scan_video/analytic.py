"""Putting the analytic together: from observations to the document of ``analytic.schema.json``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from scan_video.counting import (
    LabelCount,
    NameCount,
    Track,
    activity_by_minute,
    collect_tracks,
    count_labels,
    count_names,
)
from scan_video.detectors import DetectorFacts
from scan_video.observations import Box, Finding, Look
from scan_video.pictures import Picture
from scan_video.plan import Method
from scan_video.probe import VideoProbe
from scan_video.start_time import RecordingStart
from scan_video.tracking import TrackingChoice
from vv_core import __version__
from vv_core.clock import format_utc
from vv_core.paths import printable_name

SCHEMA = "vv.analytic/1"
TOOL = "scan_video"
_MAX_FILE_CHARS = 1100
_MAX_CAMERA_CHARS = 255


@dataclass(frozen=True)
class Sampling:
    """How pictures were chosen and what became of them."""

    interval_s: float
    method: Method
    is_complete: bool
    decode_errors: int


@dataclass(frozen=True)
class FacesFacts:
    """How faces were looked for; `tolerance` is None where nobody was to be recognised."""

    is_on: bool
    is_recognition_on: bool
    enrolled: int
    tolerance: float | None


@dataclass(frozen=True)
class Scan:
    """Everything an analytic is made of."""

    source_hash: str
    relative_name: str
    size_bytes: int
    start: RecordingStart
    probe: VideoProbe
    sampling: Sampling
    detector: DetectorFacts
    faces: FacesFacts
    tracking: TrackingChoice
    looks: Sequence[Look]
    pictures: Sequence[Picture]
    fact_confidence: float


def build_analytic(scan: Scan, elapsed_s: float, created: datetime) -> dict[str, Any]:
    """Return the document.

    Args:
        scan: what it tells.
        elapsed_s: how long the scan took.
        created: when it was done, aware.
    """
    is_tracked = scan.tracking.method != "none"
    counts = count_labels(scan.looks, scan.fact_confidence, is_tracked=is_tracked)
    return {
        "schema": SCHEMA,
        "source_hash": scan.source_hash,
        "source": _source(scan),
        "sampling": _sampling(scan),
        "detector": _detector(scan.detector),
        "faces": {
            "backend": "face_recognition" if scan.faces.is_on else "none",
            "recognition": scan.faces.is_recognition_on,
            "enrolled": scan.faces.enrolled,
            "tolerance": scan.faces.tolerance,
        },
        "tracking": {"method": scan.tracking.method, "reason": scan.tracking.reason},
        "detections": [
            _detection(look.time_s, finding) for look in scan.looks for finding in look.findings
        ],
        "labels": [_label(count) for count in counts],
        "names": [_name(count) for count in count_names(scan.looks)],
        "tracks": [_track(track) for track in collect_tracks(scan.looks)],
        "activity": [
            {"minute": minute.minute, "detections": minute.detections, "peak": minute.peak}
            for minute in activity_by_minute(scan.looks)
        ],
        "pictures": [_picture(picture) for picture in scan.pictures],
        "elapsed_s": _seconds(elapsed_s),
        "created": format_utc(created),
        "tool": {"name": TOOL, "version": __version__},
    }


def camera_of(relative_name: str) -> str:
    """Return the first folder of a path below input/; empty without one."""
    parts = PurePosixPath(relative_name).parts
    return printable_name(parts[0])[:_MAX_CAMERA_CHARS] if len(parts) > 1 else ""


def _source(scan: Scan) -> dict[str, Any]:
    probe = scan.probe
    return {
        "file": printable_name(scan.relative_name)[:_MAX_FILE_CHARS],
        "camera": camera_of(scan.relative_name),
        "bytes": scan.size_bytes,
        "start": format_utc(scan.start.moment),
        "start_origin": scan.start.origin,
        "duration_s": _seconds(probe.duration_s),
        "width": probe.width,
        "height": probe.height,
        "rotation": probe.rotation,
        "fps": round(probe.fps, 3),
        "codec": probe.codec[:40],
        "container": probe.container[:80],
    }


def _sampling(scan: Scan) -> dict[str, Any]:
    timeline = scan.probe.timeline
    return {
        "interval_s": scan.sampling.interval_s,
        "method": scan.sampling.method,
        "frames": len(scan.looks),
        "timestamps": "rebuilt" if timeline.is_rebuilt else "stream",
        "variable_frame_rate": timeline.is_variable,
        "complete": scan.sampling.is_complete,
        "decode_errors": scan.sampling.decode_errors,
    }


def _detector(facts: DetectorFacts) -> dict[str, Any]:
    return {
        "backend": facts.backend,
        "name": facts.name,
        "weights_hash": facts.weights_hash,
        "embedded_default": facts.backend == "embedded",
        "confidence": facts.confidence,
        "iou": facts.iou,
    }


def _detection(time_s: float, finding: Finding) -> dict[str, Any]:
    entry = {
        "timestamp": _seconds(time_s),
        "type": finding.kind,
        "label": finding.label,
        "confidence": _share(finding.confidence),
        "box": _box(finding.box),
        "track_id": finding.track_id,
    }
    return entry | {"name": finding.name} if finding.kind == "face" else entry


def _label(count: LabelCount) -> dict[str, Any]:
    return {
        "type": count.kind,
        "label": count.label,
        "peak": count.peak,
        "peak_at": _seconds(count.peak_at),
        "frames": count.frames,
        "first_seen": _seconds(count.first_seen),
        "last_seen": _seconds(count.last_seen),
        "max_confidence": _share(count.max_confidence),
        "confident_frames": count.confident_frames,
        "different": count.different,
    }


def _name(count: NameCount) -> dict[str, Any]:
    return {
        "name": count.name,
        "frames": count.frames,
        "first_seen": _seconds(count.first_seen),
        "last_seen": _seconds(count.last_seen),
        "distance": _share(count.distance),
    }


def _track(track: Track) -> dict[str, Any]:
    return {
        "track_id": track.track_id,
        "type": track.kind,
        "label": track.label,
        "first_seen": _seconds(track.first_seen),
        "last_seen": _seconds(track.last_seen),
        "frames": track.frames,
        "best": {
            "timestamp": _seconds(track.best_at),
            "box": _box(track.best_box),
            "confidence": _share(track.best_confidence),
        },
    }


def _picture(picture: Picture) -> dict[str, Any]:
    return {
        "kind": picture.kind,
        "file": picture.file,
        "sha256": picture.sha256,
        "label": picture.label,
        "timestamp": picture.timestamp,
    }


def _seconds(value: float) -> float:
    return round(value, 3)


def _share(value: float) -> float:
    return round(value, 4)


def _box(box: Box) -> list[float]:
    return [round(side, 5) for side in box]
