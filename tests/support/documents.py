"""Small valid documents to start tests from."""

from __future__ import annotations

from typing import Any


def make_analytic(sha256: str, name: str = "clip.mp4", people: int = 2) -> dict[str, Any]:
    """Return a valid analytic of ten seconds with some people in it."""
    box = [0.1, 0.1, 0.2, 0.4]
    return {
        "schema": "vv.analytic/1",
        "source_hash": sha256,
        "source": {
            "file": name.encode("utf-8", "replace").decode()[:1000],
            "camera": "",
            "bytes": 1000,
            "start": "2026-11-20T15:00:00Z",
            "start_origin": "name",
            "duration_s": 10.0,
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
            "frames": 10,
            "timestamps": "stream",
            "variable_frame_rate": False,
            "complete": True,
            "decode_errors": 0,
        },
        "detector": {
            "backend": "openvino",
            "name": "yolov8n",
            "weights_hash": "0" * 64,
            "embedded_default": False,
            "confidence": 0.25,
            "iou": 0.7,
        },
        "faces": {"backend": "none", "recognition": False, "enrolled": 0, "tolerance": None},
        "tracking": {"method": "none", "reason": "one frame a second is too few to follow"},
        "detections": [
            {
                "timestamp": float(second),
                "type": "object",
                "label": "person",
                "confidence": 0.9,
                "box": box,
                "track_id": None,
            }
            for second in range(10)
            for _ in range(people)
        ],
        "labels": [
            {
                "type": "object",
                "label": "person",
                "peak": people,
                "peak_at": 0.0,
                "frames": 10,
                "first_seen": 0.0,
                "last_seen": 9.0,
                "max_confidence": 0.9,
                "confident_frames": 10,
                "different": None,
            }
        ],
        "names": [],
        "tracks": [],
        "activity": [{"minute": 0, "detections": 10 * people, "peak": {"person": people}}],
        "pictures": [],
        "elapsed_s": 0.1,
        "created": "2026-11-20T15:01:00Z",
        "tool": {"name": "scan_video", "version": "0.1.0"},
    }
