"""The three stages, as the orchestrator knows them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vv_core.paths import Storage
from vv_core.settings import Settings


@dataclass(frozen=True)
class StageSpec:
    """How to start a stage and where its output lies.

    Attributes:
        name: of the stage.
        module: what ``python -m`` runs.
        service: its service in docker-compose.yml.
        memory_setting: the variable of docker-compose.yml that says how much memory its container gets.
        folder: its output's folder below the storage root.
        suffix: of the output's name.
        schema: of the output.
        hash_field: where the output names its video's hash, as a path of keys.
        timeout_s: longest time for one video, seconds.
        is_exclusive: only one process at a time, whatever the number of workers.
    """

    name: str
    module: str
    service: str
    memory_setting: str
    folder: str
    suffix: str
    schema: str
    hash_field: tuple[str, ...]
    timeout_s: float
    is_exclusive: bool = False

    def output(self, storage: Storage, stem: str) -> Path:
        """Return where the output for a video goes."""
        return storage.root / self.folder / f"{stem}{self.suffix}"


def pipeline_stages(settings: Settings) -> tuple[StageSpec, ...]:
    """Return the stages in their order."""
    return (
        StageSpec(
            name="scan_video",
            module="scan_video.scan_video",
            service="scene_scanner",
            memory_setting="SCANNER_MEMORY",
            folder="analytic",
            suffix=".analytic.json",
            schema="analytic",
            hash_field=("source_hash",),
            timeout_s=settings.scan_timeout_s,
        ),
        StageSpec(
            name="summarize_scene",
            module="summarize_scene.summarize_scene",
            service="scene_summarizer",
            memory_setting="SUMMARIZER_MEMORY",
            folder="summaries",
            suffix=".summary.json",
            schema="summary",
            hash_field=("source_hash",),
            timeout_s=settings.summarize_timeout_s,
        ),
        StageSpec(
            name="logline_generator",
            module="logline_generator.logline_generator",
            service="logline_writer",
            memory_setting="WRITER_MEMORY",
            folder="loglines",
            suffix=".logline.json",
            schema="logline",
            hash_field=("evidence", "video_sha256"),
            timeout_s=settings.logline_timeout_s,
            # One log, one writer.
            is_exclusive=True,
        ),
    )
