"""Running the scanner on one video, for tests that look at what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scan_video.scanner import ScanStage
from vv_core.settings import Settings
from vv_core.stage import StageItem, run_item
from vv_core.utils import validate_schema
from vv_schemas import schema_path


def scan(settings: Settings, video: Path, relative_name: str | None = None) -> dict[str, Any]:
    """Scan a video and return its analytic, checked against its schema."""
    folder = settings.home / "analytic"
    folder.mkdir(exist_ok=True)
    item = StageItem(video, folder / f"{video.stem[:50]}.analytic.json", relative_name)
    stage = ScanStage(settings)
    try:
        run_item(stage, item, lambda _done: None)
    finally:
        stage.close()
    document: dict[str, Any] = json.loads(item.output.read_bytes())
    validate_schema(document, schema_path("analytic"))
    return document


def label_of(document: dict[str, Any], label: str) -> dict[str, Any]:
    (entry,) = (entry for entry in document["labels"] if entry["label"] == label)
    return dict(entry)
