"""Stages with the real command line, batches and files, but without video decoding.

The content of a "video" is text that says how the scanner should behave: ``ok``, ``bad``, ``crash`` …
Everything around it (run_stage, journals, schemas, atomic files) is the product's own code.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable

from tests.support.documents import make_analytic
from vv_core.atomic import write_json_atomic
from vv_core.errors import (
    ConfigError,
    InputDataError,
    InputMissingError,
    KeyAccessError,
    TemporaryError,
    UnavailableError,
    VvError,
)
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_stage
from vv_core.utils import compute_sha256, validate_schema
from vv_schemas import schema_path

_ERRORS: dict[str, type[VvError]] = {
    "bad": InputDataError,
    "gone": InputMissingError,
    "unavailable": UnavailableError,
    "busy": TemporaryError,
    "nokey": KeyAccessError,
    "config": ConfigError,
}


class LightScanner:
    """Writes an analytic for a text file that pretends to be a video."""

    name = "scan_video"
    version = "1"

    def is_current(self, item: StageItem) -> bool:
        return False

    def process(self, item: StageItem, progress: Callable[[float], None]) -> None:
        word = item.input.read_text("utf-8").split("\n")[0]
        if word in _ERRORS:
            raise _ERRORS[word](f"told to be {word}", advice="change the text")
        if word == "fault":
            raise RuntimeError("told to have a fault")
        if word == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "hang":
            time.sleep(3600)
        if word == "lie":
            return
        document = make_analytic(compute_sha256(item.input), item.relative_name or item.input.name)
        validate_schema(document, schema_path("analytic"))
        write_json_atomic(item.output, document)
        progress(1.0)

    def close(self) -> None:
        pass


def scan(argv: list[str]) -> int:
    """Run the light scanner's command line."""

    def make(_settings: Settings, _arguments: argparse.Namespace) -> LightScanner:
        return LightScanner()

    return run_stage("scan_video", "Light scanner.", make, argv)
