"""A sample summary, a key store, and a stage over a temporary box."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from logline_generator.logline_generator import LoglineStage
from tests.audit.samples import settings_of
from vv_core.audit.keys import create_key_store
from vv_core.settings import Settings
from vv_core.stage import StageItem
from vv_core.tlog.signing_key import create_signing_key

SUMMARY: dict[str, Any] = {
    "schema": "vv.summary/1",
    "source_hash": "a1" * 32,
    "analytic_hash": "b2" * 32,
    "source": {
        "file": "portaria/20261121_020304.mp4",
        "camera": "portaria",
        "bytes": 504961,
        "start": "2026-11-21T05:03:04.500000Z",
        "start_origin": "name",
        "duration_s": 39.9624,
        "width": 640,
        "height": 360,
        "rotation": 0,
        "fps": 29.83,
        "codec": "h264",
        "container": "mov,mp4,m4a,3gp,3g2,mj2",
    },
    "language": "pt-BR",
    "title": "Duas pessoas e uma mochila na portaria",
    "text": "Entre 02:03:04 e 02:03:40 foram vistas no máximo 2 pessoas ao mesmo tempo, "
    "com uma mochila.",
    "facts": [
        {
            "type": "object",
            "label": "person",
            "count": 2,
            "different": 2,
            "first_seen": 0,
            "last_seen": 36.0,
        },
        {
            "type": "object",
            "label": "backpack",
            "count": 1,
            "different": None,
            "first_seen": 4.0,
            "last_seen": 36.0,
        },
    ],
    "names": [],
    "engine": {
        "kind": "rules",
        "model": None,
        "model_hash": None,
        "quantization": None,
        "device": None,
        "prompt_version": None,
        "prompt_hash": None,
        "seed": None,
        "elapsed_s": 0.002,
        "tokens": None,
    },
    "grounding": {
        "checked": True,
        "path": "rules",
        "fallback_reason": None,
        "rejected_text": None,
        "attempts": [],
    },
    "detector": {
        "backend": "openvino",
        "name": "yolov8n_int8_openvino_model",
        "weights_hash": "c3" * 32,
        "embedded_default": False,
        "confidence": 0.25,
        "iou": 0.7,
    },
    "pictures": [
        {
            "kind": "contact_sheet",
            "file": "20261121_020304.pictures/contact_sheet.jpg",
            "sha256": "d4" * 32,
            "label": None,
            "timestamp": None,
        },
        {
            "kind": "best",
            "file": "20261121_020304.pictures/best-person.jpg",
            "sha256": "e5" * 32,
            "label": "person",
            "timestamp": 12.0,
        },
    ],
    "created": "2026-11-21T05:10:00Z",
    "tool": {"name": "scene_summarizer", "version": "0.1.0"},
}

NOW = datetime(2026, 11, 21, 5, 10, 30, tzinfo=UTC)


@dataclass
class FixedClock:
    """A clock that a test sets."""

    moment: datetime = NOW

    def now(self) -> datetime:
        """Return the time that was set."""
        return self.moment

    def monotonic(self) -> float:
        """Return zero."""
        return 0.0


@dataclass
class Box:
    """A temporary box with a key store and one summary."""

    home: Path
    environ: dict[str, str] = field(default_factory=dict)
    clock: FixedClock = field(default_factory=FixedClock)
    _stage: LoglineStage | None = None

    @property
    def item(self) -> StageItem:
        """The summary and the LogLine that is to be made of it."""
        return StageItem(
            self.home / "summaries/a.summary.json", self.home / "loglines/a.logline.json"
        )

    @property
    def page(self) -> Path:
        """The readable page of that LogLine."""
        return self.home / "loglines/a.logline.md"

    @property
    def key_store(self) -> Path:
        """The key store, where the settings look by default."""
        return self.home / "secrets/hmac_keys.json"

    def settings(self) -> Settings:
        """Return the settings of this box."""
        return settings_of(self.home, **{"VV_BOX_NAME": "vv-01", **self.environ})

    def stage(self) -> LoglineStage:
        """Return a stage as a new process would make it, when the last one has ended."""
        self.close()
        self._stage = LoglineStage(self.settings(), self.clock)
        return self._stage

    def close(self) -> None:
        """End the last stage."""
        if self._stage is not None:
            self._stage.close()

    def write_summary(self, summary: Any) -> None:
        """Write the summary, as JSON."""
        self.item.input.parent.mkdir(exist_ok=True)
        self.item.input.write_text(json.dumps(summary), "utf-8")

    def run(self) -> dict[str, Any]:
        """Process the summary and return the LogLine."""
        self.stage().process(self.item, lambda _part: None)
        self.close()
        document: dict[str, Any] = json.loads(self.item.output.read_bytes())
        return document


@pytest.fixture
def summary() -> dict[str, Any]:
    """Return a valid summary that a test may change."""
    return copy.deepcopy(SUMMARY)


@pytest.fixture
def box(tmp_path: Path, summary: dict[str, Any]) -> Box:
    """Return a box with a fresh key store and the sample summary."""
    box = Box(tmp_path)
    create_key_store(box.key_store)
    create_signing_key(box.home / "secrets/log_signing_key.pem")
    box.write_summary(summary)
    return box


@pytest.fixture
def set_path() -> Callable[[dict[str, Any], str, Any], None]:
    """Return a function that sets a value by a path such as "source/camera"."""

    def apply(document: dict[str, Any], path: str, value: Any) -> None:
        *parents, last = path.split("/")
        for parent in parents:
            document = document[parent]
        document[last] = value

    return apply
