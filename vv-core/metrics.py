"""Figures about the pipeline, as data; step by step more rooms render them."""

from __future__ import annotations

import shutil
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from vv_core.paths import Storage
from vv_core.pipeline.history import CycleRun, History, StageRun
from vv_core.video_files import discover


@dataclass(frozen=True)
class StageMetrics:
    """How one stage has been doing.

    Attributes:
        runs: videos it worked on.
        failures: of these, how many it did not finish.
        median_s: median wall time a video, seconds.
    """

    runs: int
    failures: int
    median_s: float


@dataclass(frozen=True)
class PipelineMetrics:
    """How the pipeline is doing.

    Attributes:
        queued: videos in ``input/``.
        ignored: what is named like a video there but is not processed.
        quarantined: videos in ``corrupted/``.
        retrying: videos that failed and will be tried again.
        stages: figures by stage, of the latest runs.
        last_cycle: the latest cycle, or None before the first.
        disk_free_bytes: free space where ``input/`` lies.
        disk_total_bytes: its size.
    """

    queued: int
    ignored: int
    quarantined: int
    retrying: int
    stages: dict[str, StageMetrics]
    last_cycle: CycleRun | None
    disk_free_bytes: int
    disk_total_bytes: int


def collect_metrics(storage: Storage, patterns: Sequence[str], history: History) -> PipelineMetrics:
    """Count and measure.

    Raises:
        OSError: a folder cannot be listed.
    """
    candidates, ignored = discover(storage.input, patterns)
    # Of a folder below the root: in a container only those are the box's, the root is Docker's.
    disk = shutil.disk_usage(storage.input)
    return PipelineMetrics(
        queued=len(candidates),
        ignored=len(ignored),
        quarantined=sum(1 for _ in storage.corrupted.rglob("*.meta.json")),
        retrying=history.waiting_retries(),
        stages=stage_metrics(history.stage_runs()),
        last_cycle=history.last_cycle(),
        disk_free_bytes=disk.free,
        disk_total_bytes=disk.total,
    )


def stage_metrics(runs: Sequence[StageRun]) -> dict[str, StageMetrics]:
    """Sum stage runs up by stage."""
    by_stage: dict[str, list[StageRun]] = defaultdict(list)
    for run in runs:
        by_stage[run.stage].append(run)
    return {
        stage: StageMetrics(
            runs=len(those),
            failures=sum(1 for run in those if run.exit_code != 0 or run.timed_out),
            median_s=statistics.median(run.duration_s for run in those),
        )
        for stage, those in sorted(by_stage.items())
    }
