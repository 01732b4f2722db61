"""Having the log say when the box was blind: the look, its state on disk, and the child that writes.

The keys of the log are the writer's alone: the orchestrator runs ``logline_generator.log_events`` as it runs a
stage. What cannot be written now is kept and tried again with the next cycle.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vv_core import __version__
from vv_core.atomic import write_json_atomic
from vv_core.clock import Clock, format_utc, parse_utc
from vv_core.errors import ExitCode, InputMissingError, VvError
from vv_core.jsonio import read_json
from vv_core.logs import get_logger
from vv_core.manifest.check import installation_root
from vv_core.manifest.tree import MANIFEST_NAME
from vv_core.pipeline.runners import StageRunner
from vv_core.pipeline.stages import StageSpec
from vv_core.settings import Settings
from vv_core.tlog.coverage import Camera, Coverage, Limits, Look, plan_coverage
from vv_core.tlog.events import Event, EventKind
from vv_core.utils import compute_sha256

SCHEMA = "vv.coverage/1"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_MAX_PENDING = 1000
_MAX_NAME = 255

_logger = get_logger("pipeline")


class CoverageLog:
    """Looks once a cycle and hands what is to be logged to the writer."""

    def __init__(self, settings: Settings, runner: StageRunner, clock: Clock) -> None:
        self._settings = settings
        self._runner = runner
        self._clock = clock
        self._path = settings.storage.orchestrator_data / "coverage.json"

    def note(self, videos: Iterable[Path], *, is_start: bool = False) -> str | None:
        """Note a cycle and the videos that wait.

        Args:
            videos: in ``input/``.
            is_start: this is the first cycle of a program that stays.

        Returns:
            None, or why the log could not be written.

        Raises:
            OSError: the state cannot be written.
        """
        settings = self._settings
        limits = Limits.of(settings.camera_silent_minutes, settings.orchestrator_interval)
        after = plan_coverage(self._read(), self._look(videos, is_start), limits)
        problem = None
        if after.pending:
            # Kept first: an event is rather tried twice than lost.
            self._write(after)
            problem = append_events(self._settings, self._runner, after.pending)
        if problem is None:
            self._write(after, pending=())
        return problem

    def still_here(self) -> None:
        """Note the end of a cycle, so that a long one is no gap.

        Raises:
            OSError: the state cannot be written.
        """
        before = self._read()
        if before is not None:
            look = self._look((), is_start=False)
            never = Limits.of(0, float(10**9))
            self._write(plan_coverage(before, look, never), pending=before.pending)

    def _look(self, videos: Iterable[Path], is_start: bool) -> Look:
        manifest = installation_root() / MANIFEST_NAME
        return Look(
            boot_id=_BOOT_ID.read_text("utf-8").strip() if _BOOT_ID.exists() else "",
            wall=self._clock.now(),
            monotonic_s=self._clock.monotonic(),
            version=__version__,
            manifest_sha256=compute_sha256(manifest) if manifest.is_file() else None,
            delivered=self._delivered(videos),
            is_start=is_start,
        )

    def _delivered(self, videos: Iterable[Path]) -> dict[str, datetime]:
        """Return when each camera put its newest video there: the change time, which no copy keeps."""
        newest: dict[str, float] = {}
        for video in videos:
            try:
                moment = video.lstat().st_ctime
            except OSError:
                continue
            camera = camera_of(video, self._settings.storage.input)
            newest[camera] = max(moment, newest.get(camera, 0.0))
        return {name: datetime.fromtimestamp(moment, UTC) for name, moment in newest.items()}

    def _read(self) -> Coverage | None:
        try:
            return coverage_of(read_json(self._path))
        except InputMissingError:
            return None
        except (VvError, ValueError, KeyError, TypeError) as exc:
            _logger.warning("the state of coverage is damaged and begins anew: %r", exc)
            return None

    def _write(self, coverage: Coverage, pending: tuple[Event, ...] | None = None) -> None:
        kept = coverage.pending if pending is None else pending
        write_json_atomic(self._path, coverage_to_json(coverage, kept[-_MAX_PENDING:]))


def append_events(settings: Settings, runner: StageRunner, events: Iterable[Event]) -> str | None:
    """Have the log's writer append events; return None, or why it could not.

    Raises:
        OSError: the list for it cannot be written.
    """
    folder = settings.storage.orchestrator_data / "batches"
    folder.mkdir(exist_ok=True)
    batch = folder / f"events-{secrets.token_hex(4)}.jsonl"
    batch.write_text("".join(f"{json.dumps(event_to_json(each))}\n" for each in events), "ascii")
    try:
        end = runner.run(
            writer_of(settings),
            batch,
            timeout_s=settings.logline_timeout_s,
            is_stalled=lambda: False,
        )
    except VvError as exc:
        return exc.message
    finally:
        batch.unlink(missing_ok=True)
    if end.fault is not None:
        return end.fault.message
    if end.child.exit_code == ExitCode.OK:
        return None
    return " ".join(end.child.stderr_tail) or f"exit code {end.child.exit_code}"


def writer_of(settings: Settings) -> StageSpec:
    """Return the program that writes events, as the runners start it."""
    return StageSpec(
        name="log_events",
        module="logline_generator.log_events",
        service="log_events",
        memory_setting="WRITER_MEMORY",
        folder="loglines",
        suffix=".logevent.json",
        schema="logevent",
        hash_field=(),
        timeout_s=settings.logline_timeout_s,
        is_exclusive=True,
    )


def camera_of(video: Path, folder: Path) -> str:
    """Return the camera of a video: the first folder below ``input/``, "" for none."""
    parts = Path(os.path.relpath(video, folder)).parts
    name = parts[0] if len(parts) > 1 else ""
    return name.encode("utf-8", "replace").decode("utf-8")[:_MAX_NAME]


def event_to_json(event: Event) -> dict[str, Any]:
    """Return an event as a line of a batch says it."""
    when = None if event.when is None else format_utc(event.when)
    return {"kind": event.kind.value, "details": dict(event.details), "when": when}


def event_of(document: Mapping[str, Any]) -> Event:
    """Return the event of such a line; raises ValueError, KeyError or TypeError for anything else."""
    when = document["when"]
    moment = None if when is None else parse_utc(when)
    return Event(EventKind(document["kind"]), dict(document["details"]), moment)


def coverage_to_json(coverage: Coverage, pending: Iterable[Event]) -> dict[str, Any]:
    """Return the state as it stands on disk."""
    return {
        "schema": SCHEMA,
        "boot_id": coverage.boot_id,
        "wall": format_utc(coverage.wall),
        "monotonic_s": coverage.monotonic_s,
        "version": coverage.version,
        "manifest_sha256": coverage.manifest_sha256,
        "cameras": {
            name: {"seen": format_utc(each.seen), "is_silent": each.is_silent}
            for name, each in coverage.cameras.items()
        },
        "pending": [event_to_json(event) for event in pending],
    }


def coverage_of(document: Any) -> Coverage:
    """Return the state; raises ValueError, KeyError or TypeError for anything else."""
    if document["schema"] != SCHEMA:
        raise ValueError(f"not {SCHEMA}")
    return Coverage(
        boot_id=str(document["boot_id"]),
        wall=parse_utc(document["wall"]),
        monotonic_s=float(document["monotonic_s"]),
        version=str(document["version"]),
        manifest_sha256=document["manifest_sha256"],
        cameras={
            name: Camera(parse_utc(each["seen"]), bool(each["is_silent"]))
            for name, each in document["cameras"].items()
        },
        pending=tuple(event_of(each) for each in document["pending"]),
    )
