"""Turn YOLO weights (.pt) into a format for the fast path, with ultralytics.

``python -m scan_video.export yolov8n.pt models/yolov8n_openvino_model``
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scan_video.ultralytics_runtime import load_ultralytics
from vv_core.atomic import fsync_directory
from vv_core.cli import CommandParser, run_command
from vv_core.errors import (
    ConfigError,
    ExitCode,
    InputMissingError,
    UsageError,
    VvError,
    from_oserror,
)

PROG = "export"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    parser = CommandParser(PROG, "Turn YOLO weights (.pt) into OpenVINO's or ONNX's format.")
    parser.add_argument("weights", type=Path, help="weights of ultralytics, .pt")
    parser.add_argument(
        "output", type=Path, help="what to make: a folder *_openvino_model, or an .onnx file"
    )
    parser.add_argument("--size", type=int, default=640, help="side of the input, pixels")
    parser.add_argument(
        "--int8", metavar="DATA", help="quantise to INT8, calibrated on this data set (.yaml)"
    )
    arguments = parser.parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _run(arguments: argparse.Namespace) -> int:
    output: Path = arguments.output.absolute()
    form = choose_format(output, is_int8=bool(arguments.int8))
    if not arguments.weights.is_file():
        raise InputMissingError(
            f"the weights {str(arguments.weights)!r} are not there",
            advice="Give the path of a .pt file.",
        )
    options: dict[str, Any] = {"format": form, "imgsz": arguments.size, "batch": 1}
    if arguments.int8:
        options |= {"int8": True, "data": arguments.int8}
    try:
        with tempfile.TemporaryDirectory(dir=output.parent, prefix=".vv-tmp-") as folder:
            # Ultralytics writes beside the weights; those may be read-only.
            copy = Path(shutil.copy(arguments.weights, folder))
            os.replace(_export(copy, options), output)
            fsync_directory(output.parent)
    except OSError as exc:
        raise from_oserror(exc, "export to", output) from exc
    return ExitCode.OK


def choose_format(output: Path, *, is_int8: bool) -> str:
    """Return the format that a name asks for.

    Raises:
        UsageError: the name asks for none, exists already, or the format has no INT8.
    """
    form = "onnx" if output.suffix == ".onnx" else "openvino"
    if form == "openvino" and not output.name.endswith("_openvino_model"):
        raise UsageError(
            f"{output.name!r} names no format",
            advice="End the name in _openvino_model (a folder) or .onnx (a file).",
        )
    if form == "onnx" and is_int8:
        raise UsageError(
            "INT8 is for OpenVINO only", advice="Leave --int8 out, or export to OpenVINO."
        )
    if output.exists():
        raise UsageError(f"{str(output)!r} exists already", advice="Remove it, or give a new name.")
    return form


def _export(weights: Path, options: dict[str, Any]) -> Path:
    ultralytics = load_ultralytics()
    try:
        model = ultralytics.YOLO(str(weights), task="detect")
        return Path(model.export(**options))
    except (ImportError, RuntimeError, ValueError, TypeError, KeyError, AssertionError) as exc:
        raise _cannot(weights, exc) from exc


def _cannot(weights: Path, exc: Exception) -> VvError:
    missing = exc.name if isinstance(exc, ImportError) else None
    if missing:
        return ConfigError(
            f"the export needs {missing}, which is not installed",
            advice=f"Install it in this environment (pip install {missing}) and export again.",
        )
    return ConfigError(
        f"ultralytics cannot export {weights.name!r}: {str(exc)[:300]}",
        advice="Check that the file holds YOLO weights for detection.",
    )


if __name__ == "__main__":
    sys.exit(main())
