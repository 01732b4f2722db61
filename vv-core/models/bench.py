"""How fast and how good a model is on this box: the fixed scenes, cold and in a batch."""

from __future__ import annotations

import json
import resource
import statistics
from dataclasses import asdict, dataclass
from pathlib import Path

from vv_core.atomic import append_line_durable
from vv_core.clock import Clock
from vv_core.errors import InputDataError, from_oserror
from vv_core.models.scene_runs import LANGUAGES, run_scenes, scene_files
from vv_core.models.smoke import judge_summaries, refuse
from vv_core.models.store import stamp
from vv_core.settings import Settings

FILE_NAME = "model_bench.jsonl"
"""In ``orchestrator_data/``: one line a run of ``vv-models bench``."""

_KIB = 1024


@dataclass(frozen=True)
class BenchResult:
    """What was measured.

    Attributes:
        name: of the model; `sha256` of its file.
        at: when, UTC.
        texts: that were written; `kept` of them by the model.
        cold_s: wall time of a fresh process for one scene, seconds.
        batch_scene_s: median time of one text in a batch, seconds.
        batch_total_s: wall time of the batches, starts included, seconds.
        peak_rss_bytes: most memory that a process of these had.
    """

    name: str
    sha256: str
    at: str
    texts: int
    kept: int
    cold_s: float
    batch_scene_s: float
    batch_total_s: float
    peak_rss_bytes: int


def bench_model(
    settings: Settings, name: str, model: Path, sha256: str, clock: Clock
) -> BenchResult:
    """Measure a model with the real stage, and keep the result.

    Raises:
        InputDataError: it does not write the fixed scenes.
        VvError: the stage cannot be started, or the result not be kept.
    """
    scenes = scene_files()
    try:
        cold = run_scenes(settings, model, settings.language, scenes[:1], is_batch=False)
        runs = [run_scenes(settings, model, language, scenes) for language in LANGUAGES]
    except OSError as exc:
        raise from_oserror(exc, "measure the model") from exc
    test = judge_summaries([cold, *runs], sha256, least_kept_percent=0)
    if len(cold.summaries) != 1 or any(len(run.summaries) != len(scenes) for run in runs):
        raise refuse(name, "summary", test)
    times = [
        float(document["engine"]["elapsed_s"])
        for run in runs
        for document in run.summaries.values()
    ]
    result = BenchResult(
        name=name,
        sha256=sha256,
        at=stamp(clock),
        texts=test.texts,
        kept=test.kept,
        cold_s=round(cold.child.duration_s, 3),
        batch_scene_s=round(statistics.median(times), 3),
        batch_total_s=round(sum(run.child.duration_s for run in runs), 3),
        # Of all children of this process so far; a command that measures has no others.
        peak_rss_bytes=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * _KIB,
    )
    _keep(settings, result)
    return result


def _keep(settings: Settings, result: BenchResult) -> None:
    path = settings.storage.orchestrator_data / FILE_NAME
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        append_line_durable(path, json.dumps(asdict(result), allow_nan=False))
    except OSError as exc:
        raise from_oserror(exc, "keep the result", path) from exc


def require_summary(kind: str, name: str) -> None:
    """Refuse to measure what does not write.

    Raises:
        InputDataError: it is a detector.
    """
    if kind != "summary":
        raise InputDataError(
            f"{name} is a {kind}; bench measures models that write",
            advice="For detectors see bench/ of the repository.",
        )
