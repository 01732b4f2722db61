"""Figures about the pipeline, from real folders and a real history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from vv_core.metrics import StageMetrics, collect_metrics, stage_metrics
from vv_core.paths import Storage
from vv_core.pipeline.history import CycleRun, History, StageRun
from vv_core.pipeline.retry import Attempts


def run(stage: str, duration_s: float, exit_code: int = 0, timed_out: bool = False) -> StageRun:
    return StageRun(1.0, "a" * 64, "a.mp4", stage, duration_s, exit_code, timed_out, "")


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], {}),
        ([run("scan", 2.0)], {"scan": StageMetrics(1, 0, 2.0)}),
        (
            [run("scan", 1.0), run("scan", 9.0, 65), run("scan", 3.0, 0, timed_out=True)],
            {"scan": StageMetrics(3, 2, 3.0)},
        ),
        (
            [run("write", 1.0, 137), run("scan", 2.0), run("scan", 4.0)],
            {"scan": StageMetrics(2, 0, 3.0), "write": StageMetrics(1, 1, 1.0)},
        ),
    ],
)
def test_runs_are_summed_up_by_stage(
    runs: list[StageRun], expected: dict[str, StageMetrics]
) -> None:
    metrics = stage_metrics(runs)
    assert metrics == expected
    assert list(metrics) == sorted(metrics)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    """Return a box without any video."""
    storage = Storage(tmp_path / "data")
    storage.ensure()
    return storage


@pytest.fixture
def history(storage: Storage) -> Iterator[History]:
    """Return an empty history."""
    history = History(storage.orchestrator_data / "orchestrator_db.sqlite")
    yield history
    history.close()


def test_an_empty_box(storage: Storage, history: History) -> None:
    metrics = collect_metrics(storage, ["*.mp4"], history)
    assert (metrics.queued, metrics.ignored, metrics.quarantined, metrics.retrying) == (0, 0, 0, 0)
    assert (metrics.stages, metrics.last_cycle) == ({}, None)
    assert 0 < metrics.disk_free_bytes <= metrics.disk_total_bytes


def test_a_box_at_work(storage: Storage, history: History) -> None:
    (storage.input / "cam1").mkdir()
    for name in ("a.mp4", "cam1/b.MP4", "notes.txt", ".hidden.mp4"):
        (storage.input / name).write_text("x")
    (storage.input / "link.mp4").symlink_to("a.mp4")
    (storage.corrupted / "cam1").mkdir()
    (storage.corrupted / "cam1" / "c.mp4.meta.json").write_text("{}")
    history.remember_attempts("b" * 64, Attempts(failures=1), "scan", "busy")
    history.add_stage_run(run("scan", 2.0))
    cycle = CycleRun(1.0, 2.0, 3, 1, 1, 1, "")
    history.add_cycle(cycle)
    metrics = collect_metrics(storage, ["*.mp4"], history)
    assert (metrics.queued, metrics.ignored, metrics.quarantined, metrics.retrying) == (2, 1, 1, 1)
    assert metrics.stages == {"scan": StageMetrics(1, 0, 2.0)}
    assert metrics.last_cycle == cycle


def test_a_box_without_its_folder_is_an_error(storage: Storage, history: History) -> None:
    storage.input.rmdir()
    with pytest.raises(FileNotFoundError):
        collect_metrics(storage, ["*.mp4"], history)
