"""Scenes and analytics to start tests from."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from summarize_scene.facts import LabelFact, NameFact, SceneFacts

ZONE = ZoneInfo("America/Sao_Paulo")
START = datetime(2026, 11, 21, 14, 5, tzinfo=ZONE)


def label(name: str, count: int, first: float = 3.0, last: float = 31.0, **extra: Any) -> LabelFact:
    """Return a fact; an object unless told otherwise."""
    values: dict[str, Any] = {
        "type": "object",
        "label": name,
        "count": count,
        "different": None,
        "first_seen": first,
        "last_seen": last,
        "peak_at": first,
        "frames": 5,
    }
    return LabelFact(**(values | extra))


def person(name: str, first: float = 5.0, last: float = 9.0) -> NameFact:
    """Return a recognised person."""
    return NameFact(name, 3, first, last)


def scene(*labels: LabelFact, **extra: Any) -> SceneFacts:
    """Return a scene of 40 seconds at the camera "entrada"."""
    values: dict[str, Any] = {
        "camera": "entrada",
        "start": START,
        "start_is_certain": True,
        "duration_s": 40.0,
        "labels": tuple(labels),
    }
    return SceneFacts(**(values | extra))


def detection(timestamp: float, name: str, confidence: float, **extra: Any) -> dict[str, Any]:
    """Return one detection of an analytic."""
    values: dict[str, Any] = {
        "timestamp": timestamp,
        "type": "object",
        "label": name,
        "confidence": confidence,
        "box": [0.1, 0.1, 0.2, 0.4],
        "track_id": None,
    }
    return values | extra


def analytic(*detections: dict[str, Any], **extra: Any) -> dict[str, Any]:
    """Return a valid analytic of 40 seconds with these detections; ``extra`` replaces top-level keys."""
    labels = {(entry["type"], entry["label"]) for entry in detections}
    values: dict[str, Any] = {
        "schema": "vv.analytic/1",
        "source_hash": "a1" * 32,
        "source": {
            "file": "entrada/20261121_140500.mp4",
            "camera": "entrada",
            "bytes": 1000,
            "start": "2026-11-21T17:05:00Z",
            "start_origin": "name",
            "duration_s": 40.0,
            "width": 640,
            "height": 360,
            "rotation": 0,
            "fps": 25.0,
            "codec": "h264",
            "container": "mov,mp4",
        },
        "sampling": {
            "interval_s": 1.0,
            "method": "all_frames",
            "frames": 40,
            "timestamps": "stream",
            "variable_frame_rate": False,
            "complete": True,
            "decode_errors": 0,
        },
        "detector": {
            "backend": "openvino",
            "name": "yolov8n",
            "weights_hash": "c3" * 32,
            "embedded_default": False,
            "confidence": 0.25,
            "iou": 0.7,
        },
        "faces": {"backend": "none", "recognition": False, "enrolled": 0, "tolerance": None},
        "tracking": {"method": "none", "reason": "one frame a second is too few to follow"},
        "detections": list(detections),
        "labels": [_label_entry(kind, name, detections) for kind, name in sorted(labels)],
        "names": [],
        "tracks": [],
        "activity": [],
        "pictures": [],
        "elapsed_s": 0.1,
        "created": "2026-11-21T17:10:00Z",
        "tool": {"name": "scan_video", "version": "0.1.0"},
    }
    return values | extra


def _label_entry(kind: str, name: str, detections: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    own = [entry for entry in detections if (entry["type"], entry["label"]) == (kind, name)]
    moments = [entry["timestamp"] for entry in own]
    peak_at = max(moments, key=moments.count)
    return {
        "type": kind,
        "label": name,
        "peak": moments.count(peak_at),
        "peak_at": peak_at,
        "frames": len(set(moments)),
        "first_seen": min(moments),
        "last_seen": max(moments),
        "max_confidence": max(entry["confidence"] for entry in own),
        "different": None,
    }
