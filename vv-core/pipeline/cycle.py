"""One cycle: look, take videos through the stages, write down what is done, move it away.

The durable order for a video is: outputs of each stage, line in ``processed_videos.log``, move to
``processed/``. A crash between any two is repaired by the next cycle, which finds the outputs again by
the hash that they name, or the hash in the log, and goes on from there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from vv_core.alerts import Alerter, Severity
from vv_core.atomic import TEMP_PREFIX
from vv_core.clock import Clock
from vv_core.errors import VvError, from_oserror
from vv_core.logs import get_logger
from vv_core.pipeline.coverage_log import CoverageLog
from vv_core.pipeline.ending import Ending
from vv_core.pipeline.history import CycleRun, History
from vv_core.pipeline.intake import Intake, ReadyVideo, take_in
from vv_core.pipeline.processed_log import ProcessedLog
from vv_core.pipeline.report import CycleReport
from vv_core.pipeline.retry import RetryPolicy, is_due
from vv_core.pipeline.runners import StageRunner
from vv_core.pipeline.settlement import Settlement
from vv_core.pipeline.stages import StageSpec
from vv_core.pipeline.workflow import Workflow
from vv_core.settings import Settings

_logger = get_logger("pipeline")


class Cycle:
    """Everything that one cycle needs, held together while it runs."""

    def __init__(
        self,
        *,
        settings: Settings,
        stages: Sequence[StageSpec],
        runner: StageRunner,
        history: History,
        alerter: Alerter,
        clock: Clock,
        is_ending: Callable[[], bool] = lambda: False,
        on_finished: Callable[[int, int], None] = lambda _finished, _total: None,
        is_start: bool = False,
    ) -> None:
        """Take the parts.

        Args:
            settings: of this box.
            stages: in their order.
            runner: how they run.
            history: diary and cache.
            alerter: tells the operator.
            clock: the time.
            is_ending: True when the orchestrator is asked to end.
            on_finished: told how many of how many videos are through, for a progress bar.
            is_start: this is the first cycle of a program that stays.
        """
        self._settings = settings
        self._is_start = is_start
        self._coverage = CoverageLog(settings, runner, clock)
        self._storage = settings.storage
        self._stages = stages
        self._runner = runner
        self._history = history
        self._clock = clock
        self._is_ending = is_ending
        self._log = ProcessedLog(self._storage.processed_log)
        self._policy = RetryPolicy(
            first_wait_s=settings.orchestrator_retry_seconds,
            longest_wait_s=settings.orchestrator_retry_max_seconds,
            alert_after=settings.orchestrator_alert_after,
            max_crashes=settings.orchestrator_max_crashes,
        )
        self._report = CycleReport()
        self._settlement = Settlement(
            storage=self._storage,
            log=self._log,
            history=history,
            alerter=alerter,
            clock=clock,
            policy=self._policy,
            report=self._report,
        )
        self._workflow = Workflow(
            settings=settings,
            stages=stages,
            runner=runner,
            settlement=self._settlement,
            monotonic=clock.monotonic,
            is_ending=is_ending,
            on_finished=on_finished,
        )

    def run(self, was_interrupted: bool) -> CycleReport:
        """Run the cycle.

        Args:
            was_interrupted: the last cycle did not end cleanly: clean up after it first.

        Raises:
            Ending: the orchestrator is asked to end.
            VvError, sqlite3.Error: the box's own state cannot be read or written.
        """
        started, begun = self._now(), self._clock.monotonic()
        _logger.info("cycle begins", extra={"fields": {"after_interruption": was_interrupted}})
        try:
            self._run(was_interrupted)
        except OSError as exc:
            error = from_oserror(exc, "keep the orchestrator's state")
            self._report.stopped_by = error.message
            raise error from exc
        except VvError as exc:
            self._report.stopped_by = exc.message
            raise
        except Ending:
            self._report.stopped_by = "asked to end"
            raise
        finally:
            self._write_down(started, self._clock.monotonic() - begun)
        return self._report

    def _run(self, was_interrupted: bool) -> None:
        if was_interrupted:
            self._runner.recover()
            self._remove_leftovers()
        self._log.repair()
        intake = take_in(self._settings, self._history, self._clock.now(), self._is_ending)
        self._note_intake(intake)
        self._note_coverage(intake)
        self._handle(intake.ready)
        if intake.ready:
            self._coverage.still_here()

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _remove_leftovers(self) -> None:
        """Remove the temporary files and batch lists that a killed cycle left."""
        folders = {self._storage.root / spec.folder for spec in self._stages}
        folders |= {
            self._storage.orchestrator_data,
            self._storage.corrupted,
            self._storage.processed,
        }
        batches = self._storage.orchestrator_data / "batches"
        found = [path for folder in folders for path in folder.rglob(f"{TEMP_PREFIX}*")]
        for path in [*found, *batches.glob("*")]:
            _remove(path)

    def _note_intake(self, intake: Intake) -> None:
        report = self._report
        report.found = len(intake.ready)
        report.growing = [str(path.relative_to(self._storage.input)) for path in intake.growing]
        for item in intake.ignored:
            name = str(item.path.relative_to(self._storage.input))
            report.ignored.append(name)
            self._settlement.alert(
                Severity.WARNING, "input_ignored", name, f"{name!r} {item.reason}", item.advice
            )

    def _note_coverage(self, intake: Intake) -> None:
        """Have the log say when the box saw nothing; the cycle goes on when that fails."""
        videos = [*(video.path for video in intake.ready), *intake.growing]
        problem = self._coverage.note(videos, is_start=self._is_start)
        if problem is not None:
            self._report.leaves_rubbish = True
            self._settlement.alert(
                Severity.WARNING,
                "coverage_not_logged",
                "log",
                f"the log could not be told of a start, a gap or a silent camera: {problem}",
                "Look at vv-log status; it is tried again with the next cycle.",
            )

    def _handle(self, videos: Sequence[ReadyVideo]) -> None:
        known = self._log.find({video.sha256 for video in videos})
        first: dict[str, ReadyVideo] = {}
        twins: list[ReadyVideo] = []
        for video in videos:
            if self._is_ending():
                raise Ending
            if video.sha256 in known:
                self._settlement.finish_known(video)
            elif first.setdefault(video.sha256, video) is not video:
                twins.append(video)
        self._workflow.process([video for video in first.values() if self._is_due(video)])
        done = self._log.find({video.sha256 for video in twins})
        for video in twins:
            if video.sha256 in done:
                self._settlement.finish_known(video)

    def _is_due(self, video: ReadyVideo) -> bool:
        if is_due(self._history.attempts(video.sha256), self._now(), self._policy):
            return True
        self._report.waiting.append(video.relative_name)
        return False

    def _write_down(self, started: float, duration_s: float) -> None:
        report = self._report
        fields = {
            **report.counts(),
            "duration_s": round(duration_s, 3),
            "stopped_by": report.stopped_by,
        }
        _logger.info("cycle ends", extra={"fields": fields})
        self._history.add_cycle(
            CycleRun(
                started,
                duration_s,
                report.found,
                len(report.done),
                len(report.quarantined),
                len(report.retried),
                report.stopped_by,
            )
        )


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as exc:
        _logger.warning("a left-over cannot be removed: %s", exc)
