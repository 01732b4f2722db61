"""Importing ultralytics so that it works on a box: offline, silent, and beside a CPU-only torch.

Nothing here is imported on the fast path: ultralytics pulls torch, which costs more time and memory
than all the rest of the scanner.
"""

from __future__ import annotations

import importlib
import os
import sys
import types
from types import ModuleType
from typing import Any

from vv_core.errors import ConfigError
from vv_core.logs import get_logger

_QUIET = {"YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false", "YOLO_VERBOSE": "false"}


def load_ultralytics() -> Any:
    """Return the ultralytics module, ready for predictions and exports.

    Raises:
        ConfigError: it is not installed.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    try:
        ultralytics = importlib.import_module("ultralytics")
        _ensure_torchvision()
    except ImportError as exc:
        raise ConfigError(
            f"ultralytics cannot be used: {exc}",
            advice='Install it (pip install "vv-video-ai-system[ultralytics]"), or use weights in '
            "OpenVINO's or ONNX's format.",
        ) from exc
    return ultralytics


def _ensure_torchvision() -> None:
    """Make ``import torchvision`` work, with ultralytics' own suppression of doubles if need be.

    The torchvision wheels of PyPI are built against CUDA. Beside a CPU-only torch their compiled
    operators do not load, and the import ends in a RuntimeError. Ultralytics imports torchvision
    before each prediction for one function, ``ops.nms``, and ships a replacement that gives the same
    boxes (``TorchNMS``, in use wherever torchvision is not imported). So that one stands in.
    """
    try:
        importlib.import_module("torchvision")
    except (RuntimeError, OSError, ImportError) as exc:
        get_logger("scan_video").info(
            "torchvision does not load beside this torch; ultralytics' own suppression is used",
            extra={"fields": {"reason": str(exc)[:200]}},
        )
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        sys.modules["torchvision"] = _torchvision_stand_in()


def _torchvision_stand_in() -> ModuleType:
    suppression = importlib.import_module("ultralytics.utils.nms").TorchNMS
    stand_in = types.ModuleType("torchvision", "Only what ultralytics' predictions call.")
    operators = types.ModuleType("torchvision.ops")
    operators.nms = suppression.nms  # type: ignore[attr-defined]
    stand_in.ops = operators  # type: ignore[attr-defined]
    return stand_in
