"""A box with processed videos and their LogLines, and the work on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.audit.samples import settings_of
from vv_core.atomic import append_line_durable
from vv_core.clock import format_utc
from vv_core.media_record import MediaRecord, read_media_record
from vv_core.paths import Storage
from vv_core.settings import Settings
from vv_core.utils import compute_sha256
from vv_ingest.converter import ConverterJob
from vv_ingest.process_video import make_job

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)


@dataclass
class SetClock:
    """A clock that stands until it is moved."""

    moment: datetime = NOW
    passed: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.passed

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)
        self.passed += seconds


def never() -> bool:
    return False


@dataclass
class ClipBox:
    """A box whose videos were processed.

    Attributes:
        home: its folder.
        clock: its time.
    """

    home: Path
    clock: SetClock = field(default_factory=SetClock)

    @property
    def settings(self) -> Settings:
        return settings_of(self.home)

    @property
    def storage(self) -> Storage:
        return self.settings.storage

    def prepare(self) -> ClipBox:
        self.storage.ensure()
        self.storage.media.mkdir()
        self.storage.services.mkdir()
        return self

    def put(self, video: Path, name: str, when: datetime | None = None) -> str:
        """Copy a video to ``processed/``, with its LogLine and its line; return its hash."""
        target = self.storage.processed / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(video.read_bytes())
        sha256 = compute_sha256(target)
        self.log(sha256, name, when or self.clock.now())
        return sha256

    def log(self, sha256: str, name: str, when: datetime) -> None:
        stem = f"{Path(name).stem}-{sha256[:8]}"
        document = {"when": format_utc(when), "evidence": {"video_sha256": sha256}}
        (self.storage.loglines / f"{stem}.logline.json").write_text(json.dumps(document))
        finished = format_utc(max(when, self.clock.now()))
        line = "\t".join((sha256, finished, json.dumps(stem), json.dumps(name)))
        append_line_durable(self.storage.orchestrator_data / "processed_videos.log", line)

    def start(self, is_ending: Callable[[], bool] = never) -> ConverterJob:
        """Return the work as a fresh start of the program has it."""
        return make_job(self.settings, self.clock, is_ending)

    def turn(self, job: ConverterJob | None = None) -> Mapping[str, object]:
        return (job or self.start())(never)

    def record(self, sha256: str) -> MediaRecord:
        record = read_media_record(self.storage, sha256)
        assert record is not None
        return record

    def made(self) -> list[str]:
        return sorted(path.name for path in self.storage.tv_curado.iterdir())
