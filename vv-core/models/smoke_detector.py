"""Trying a detector before the switch, with the real scanner on a demo clip."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from vv_core.errors import from_exit_code, from_oserror
from vv_core.jsonio import read_json
from vv_core.models.smoke import SmokeTest
from vv_core.process import run_child
from vv_core.settings import Settings
from vv_core.utils import validate_schema
from vv_schemas import schema_path

_TIMEOUT_S = 900.0
_CLIP_NAME = "2026-11-20_18-30-00_smoke.mp4"


def smoke_test_detector(settings: Settings, weights: Path, sha256: str) -> SmokeTest:
    """Scan a demo clip with weights and see that the analytic names them and that they saw somebody.

    Args:
        settings: the box's.
        weights: what the scanner loads.
        sha256: its hash, as the analytic should state it.

    Raises:
        VvError: the clip cannot be made, or the scanner does not run with these weights.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="vv-models-") as raw_folder:
            clip, output = Path(raw_folder, _CLIP_NAME), Path(raw_folder, "clip.analytic.json")
            _run(settings, weights, ["scan_video.demo_clip", str(clip)])
            seconds = _run(settings, weights, ["scan_video.scan_video", str(clip), str(output)])
            analytic = read_json(output)
    except OSError as exc:
        raise from_oserror(exc, "try the detector") from exc
    validate_schema(analytic, schema_path("analytic"))
    return judge_analytic(analytic, sha256, seconds)


def judge_analytic(analytic: dict[str, Any], sha256: str, seconds: float) -> SmokeTest:
    """Decide whether weights may be activated, from the analytic of the demo clip."""
    detector = analytic["detector"]
    seen = any(label["type"] == "object" for label in analytic["labels"])
    problems = []
    if detector["embedded_default"] or detector["weights_hash"] != sha256:
        problems.append(f"the scanner used {detector['name']}, not these weights")
    if not seen:
        problems.append("nothing was seen in a clip with people")
    return SmokeTest(1, 0 if problems else 1, seconds, tuple(problems))


def _run(settings: Settings, weights: Path, arguments: list[str]) -> float:
    """Run a module of the scanner; raises the error that its exit code stands for."""
    result = run_child(
        [sys.executable, "-m", *arguments],
        timeout_s=_TIMEOUT_S,
        env={
            **os.environ,
            "VV_HOME": str(settings.home.absolute()),
            "VV_YOLO_MODEL": str(weights),
            "VV_YOLO_BACKEND": "auto",
        },
        cwd=settings.home.absolute(),
    )
    if result.exit_code != 0:
        raise from_exit_code(
            result.exit_code,
            "\n".join(result.stderr_tail) or f"{arguments[0]} ended with {result.exit_code}",
            advice="Nothing was changed. Read the lines above and logs/app.log.",
        )
    return result.duration_s
