"""Running the real summarizer over the fixed scenes, to see what a model makes of them.

The scenes are analytics in ``scenes/``, the same for every model and every version of the product.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vv_core.batch_files import StageItem
from vv_core.errors import SchemaViolation, VvError
from vv_core.jsonio import read_json
from vv_core.process import PARENT_VARIABLE, ChildResult, run_child
from vv_core.settings import Settings
from vv_core.utils import validate_schema
from vv_schemas import schema_path

LANGUAGES = ("pt-BR", "en")
START_TIMEOUT_S = 300.0
"""Longest time until a model is loaded."""
_ATTEMPTS = 2
_FOLDER = Path(__file__).with_name("scenes")
_STAGE = "summarize_scene.summarize_scene"


@dataclass(frozen=True)
class SceneRun:
    """One start of the summarizer over all scenes in one language.

    Attributes:
        language: of the texts.
        child: how the process ended.
        summaries: the valid documents, by scene.
        scenes: names of all scenes.
    """

    language: str
    child: ChildResult
    summaries: dict[str, dict[str, Any]]
    scenes: tuple[str, ...]


def scene_files() -> list[Path]:
    """Return the fixed scenes, in order."""
    return sorted(_FOLDER.glob("*.analytic.json"))


def run_scenes(
    settings: Settings, model: Path, language: str, scenes: Sequence[Path], *, is_batch: bool = True
) -> SceneRun:
    """Let a model write the summaries of scenes.

    Args:
        settings: the box's; only the model and the language are replaced.
        model: the GGUF.
        language: of the texts.
        scenes: analytics; without a batch exactly one.
        is_batch: one start for many, as the orchestrator does it.

    Raises:
        OSError: the process cannot be started, or there is no room for its files.
    """
    with tempfile.TemporaryDirectory(prefix="vv-models-") as raw_folder:
        folder = Path(raw_folder)
        items = [StageItem(scene, folder / f"{_name(scene)}.summary.json") for scene in scenes]
        child = run_child(
            [sys.executable, "-m", _STAGE, *_arguments(folder, items, is_batch=is_batch)],
            timeout_s=START_TIMEOUT_S + _ATTEMPTS * settings.summary_timeout_s * len(items),
            env=_environment(settings, model, language),
            cwd=settings.home.absolute(),
        )
        summaries = {_name(item.input): _read_summary(item.output) for item in items}
    return SceneRun(
        language,
        child,
        {name: summary for name, summary in summaries.items() if summary is not None},
        tuple(_name(scene) for scene in scenes),
    )


def _arguments(folder: Path, items: Sequence[StageItem], *, is_batch: bool) -> list[str]:
    if not is_batch:
        return [str(items[0].input), str(items[0].output)]
    batch_list = folder / "batch.jsonl"
    batch_list.write_text("".join(f"{item.to_json()}\n" for item in items), "ascii")
    return ["--batch", str(batch_list)]


def _environment(settings: Settings, model: Path, language: str) -> dict[str, str]:
    return {
        **os.environ,
        "VV_HOME": str(settings.home.absolute()),
        "VV_SUMMARY_MODEL": str(model),
        "VV_LANGUAGE": language,
        PARENT_VARIABLE: str(os.getpid()),
    }


def _read_summary(path: Path) -> dict[str, Any] | None:
    """Return a summary that is there and valid."""
    try:
        summary = read_json(path)
        validate_schema(summary, schema_path("summary"))
    except (SchemaViolation, VvError):
        return None
    return summary if isinstance(summary, dict) else None


def _name(scene: Path) -> str:
    return scene.name.removesuffix(".analytic.json")
