"""The scanner's real work on real footage, summarized: ghosts do not become facts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from summarize_scene.number_words import Language
from summarize_scene.vocabulary import LANGUAGES

pytestmark = pytest.mark.integration

SHARED = Path(__file__).resolve().parents[3] / "shared"
VIDEO = SHARED / "videos" / "bottle-detection.mp4"
WEIGHTS = SHARED / "models" / "yolov8n_int8_openvino_model"


def run(module: str, folder: Path, *arguments: object, **variables: str) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("VV_", "SCAN_"))}
    subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=inherited | {"VV_HOME": str(folder), "VV_LOG_DIR": "logs"} | variables,
        cwd=folder,
        timeout=200,
        check=True,
        capture_output=True,
    )


@pytest.fixture(scope="module")
def analytic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for needed in (VIDEO, WEIGHTS):
        if not needed.exists():
            pytest.skip(f"not here: {needed.name}")
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    folder = tmp_path_factory.mktemp("bottles")
    output = folder / "bottles.analytic.json"
    run("scan_video.scan_video", folder, VIDEO, output, VV_YOLO_MODEL=str(WEIGHTS))
    return output


def test_the_footage_has_ghosts_and_doubles(analytic: Path) -> None:
    labels = {entry["label"] for entry in json.loads(analytic.read_text("utf-8"))["labels"]}
    assert {"bottle", "person", "vase"} <= labels
    assert len(labels) > 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_what_was_really_there_is_told(analytic: Path, language: Language) -> None:
    output = analytic.with_name(f"bottles.{language}.summary.json")
    run("summarize_scene.summarize_scene", analytic.parent, analytic, output, VV_LANGUAGE=language)
    summary: dict[str, Any] = json.loads(output.read_text("utf-8"))
    counts = {fact["label"]: fact["count"] for fact in summary["facts"]}
    assert counts.keys() == {"bottle", "person"}
    assert counts["bottle"] == 3
    bottles = {"pt-BR": "três garrafas", "en": "three bottles"}[language]
    assert bottles in summary["text"]
    assert bottles in summary["title"]
