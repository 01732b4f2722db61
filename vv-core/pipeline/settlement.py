"""What happens to a video after a stage has ended for it: the decision is written down and carried out.

The durable order for a video that is through: line in ``processed_videos.log``, then the move.
"""

from __future__ import annotations

import threading
from pathlib import Path

from vv_core.alerts import Alert, Alerter, Severity
from vv_core.clock import Clock, format_utc
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.pipeline.batch import ItemOutcome
from vv_core.pipeline.history import History, StageRun
from vv_core.pipeline.intake import ReadyVideo, is_unchanged
from vv_core.pipeline.processed_log import ProcessedLog
from vv_core.pipeline.quarantine import Failure, move_video, plan_place, quarantine
from vv_core.pipeline.report import CycleReport
from vv_core.pipeline.retry import Action, Attempts, RetryPolicy, Verdict, decide
from vv_core.pipeline.stages import StageSpec
from vv_core.processed_video import ProcessedVideo
from vv_core.stage import WHOLE_BATCH

_logger = get_logger("pipeline")


def _verdict(outcome: ItemOutcome, before: Attempts, now: float, policy: RetryPolicy) -> Verdict:
    """Decide by the exit code, except that a fault of the box stops the cycle and no video waits for it."""
    if outcome.is_box_fault:
        return Verdict(Action.STOP, before, alert=True)
    return decide(outcome.exit_code, outcome.timed_out, before, now, policy)


class Settlement:
    """Acts on outcomes; safe to use from the cycle's worker threads."""

    def __init__(
        self,
        *,
        storage: Storage,
        log: ProcessedLog,
        history: History,
        alerter: Alerter,
        clock: Clock,
        policy: RetryPolicy,
        report: CycleReport,
    ) -> None:
        """Take the parts; ``report`` is filled in."""
        self._storage = storage
        self._log = log
        self._history = history
        self._alerter = alerter
        self._clock = clock
        self._policy = policy
        self._report = report
        self._lock = threading.RLock()

    @property
    def is_stopped(self) -> bool:
        """Whether a stage's end has stopped the cycle."""
        return bool(self._report.stopped_by)

    def settle(self, spec: StageSpec, video: ReadyVideo, outcome: ItemOutcome) -> bool:
        """Act on how a stage ended for a video; return whether it goes on."""
        now = self._clock.now().timestamp()
        with self._lock:
            if outcome.was_killed or outcome.is_box_fault:
                self._report.leaves_rubbish = True
            before = self._history.attempts(video.sha256)
            verdict = _verdict(outcome, before, now, self._policy)
            self._note_stage(spec, video, outcome, verdict)
            if verdict.action is Action.RETRY:
                self._retry(spec, video, outcome, verdict)
            elif verdict.action is Action.QUARANTINE:
                self._quarantine(spec, video, outcome, verdict)
            elif verdict.action is Action.STOP:
                self._report.stopped_by = f"{spec.name}: {outcome.message}"
                self._report.advice = outcome.advice
                self._report.exit_code = outcome.exit_code
            if verdict.alert:
                self._alert_failure(spec, video, outcome, verdict)
        return verdict.action is Action.ADVANCE

    def _note_stage(
        self, spec: StageSpec, video: ReadyVideo, outcome: ItemOutcome, verdict: Verdict
    ) -> None:
        self._history.add_stage_run(
            StageRun(
                at=self._clock.now().timestamp(),
                sha256=video.sha256,
                name=video.relative_name,
                stage=spec.name,
                duration_s=outcome.duration_s,
                exit_code=outcome.exit_code,
                timed_out=outcome.timed_out,
                message=outcome.message,
            )
        )
        say = _logger.info if verdict.action is Action.ADVANCE else _logger.warning
        say(
            "%s: %s ended with %d, %s%s",
            video.relative_name,
            spec.name,
            outcome.exit_code,
            verdict.action.value,
            f" ({outcome.message} → {outcome.advice})" if outcome.message else "",
            extra={
                "fields": {
                    "video": video.relative_name,
                    "sha256": video.sha256,
                    "stage": spec.name,
                    "exit_code": outcome.exit_code,
                    "out_of_memory": outcome.out_of_memory,
                    "action": verdict.action.value,
                    "duration_s": round(outcome.duration_s, 3),
                    "stderr": list(outcome.stderr_tail),
                }
            },
        )

    def _retry(
        self, spec: StageSpec, video: ReadyVideo, outcome: ItemOutcome, verdict: Verdict
    ) -> None:
        self._report.retried.append(video.relative_name)
        self._report.reasons[video.relative_name] = outcome.message
        self._history.remember_attempts(video.sha256, verdict.attempts, spec.name, outcome.message)

    def _quarantine(
        self, spec: StageSpec, video: ReadyVideo, outcome: ItemOutcome, verdict: Verdict
    ) -> None:
        failure = Failure(
            stage=spec.name,
            exit_code=outcome.exit_code,
            timed_out=outcome.timed_out,
            reason=outcome.message,
            advice=outcome.advice,
            stderr_tail=outcome.stderr_tail,
            attempts=verdict.attempts.failures,
            when=format_utc(self._clock.now()),
        )
        try:
            quarantine(self._storage, video.path, video.relative_name, video.sha256, failure)
        except OSError as exc:
            # The video stays where it is and comes again; the others go on.
            self._retry(spec, video, outcome, verdict)
            self.alert(
                Severity.WARNING,
                "quarantine_failed",
                video.relative_name,
                f"{video.relative_name!r} cannot be moved to corrupted/: {exc}",
                "Check space and access of corrupted/; the move is tried again by itself.",
            )
            return
        self._history.forget_attempts(video.sha256)
        self._report.quarantined.append(video.relative_name)
        self._report.reasons[video.relative_name] = outcome.message

    def _alert_failure(
        self, spec: StageSpec, video: ReadyVideo, outcome: ItemOutcome, verdict: Verdict
    ) -> None:
        # What concerns every video alike is told once, not once a video.
        concerns_all = outcome.exit_code in WHOLE_BATCH or outcome.is_box_fault
        self.alert(
            Severity.WARNING if verdict.action is Action.RETRY else Severity.CRITICAL,
            f"stage_{verdict.action.value}",
            spec.name if concerns_all else video.relative_name,
            f"{spec.name} failed for {video.relative_name!r}: {outcome.message}",
            outcome.advice,
            stderr=list(outcome.stderr_tail),
            attempts=verdict.attempts.failures,
        )

    def commit(self, video: ReadyVideo, stem: str) -> None:
        """Write down that a video is done, and move it away.

        Raises:
            OSError: the line cannot be written; the video stays.
        """
        with self._lock:
            target = plan_place(self._storage.processed, video.relative_name, video.sha256)
            self._log.append(
                ProcessedVideo(
                    sha256=video.sha256,
                    finished=format_utc(self._clock.now()),
                    stem=stem,
                    relative_name=str(target.relative_to(self._storage.processed)),
                )
            )
            self._history.forget_attempts(video.sha256)
            self._report.done.append(video.relative_name)
            self._move_away(video, target)
        fields = {"video": video.relative_name, "sha256": video.sha256, "stem": stem}
        _logger.info("%s is done", video.relative_name, extra={"fields": fields})

    def finish_known(self, video: ReadyVideo) -> None:
        """Move a video whose content was processed before, by this name or another."""
        _logger.info("%s was processed before: only moved", video.relative_name)
        with self._lock:
            self._report.known.append(video.relative_name)
            target = plan_place(self._storage.processed, video.relative_name, video.sha256)
            self._move_away(video, target)

    def _move_away(self, video: ReadyVideo, target: Path) -> None:
        """Move to ``processed/``, unless the file is no longer what was processed."""
        if not is_unchanged(video):
            # What is there now, if anything, is another video.
            _logger.warning("%s vanished or changed after it was hashed", video.relative_name)
            return
        try:
            move_video(video.path, target, video.sha256)
        except OSError as exc:
            # Done is done: the next cycle finds its hash in the log and tries the move again.
            self.alert(
                Severity.WARNING,
                "move_failed",
                video.relative_name,
                f"{video.relative_name!r} is done but cannot be moved to processed/: {exc}",
                "Check space and access of processed/; the move is tried again by itself.",
            )

    def alert(
        self,
        severity: Severity,
        code: str,
        subject: str,
        message: str,
        advice: str,
        **fields: object,
    ) -> None:
        """Tell the operator, unless the same was told lately."""
        with self._lock:
            told = Alert(severity, code, subject, message, advice, fields)
            self._alerter.tell(told, self._clock.now())
