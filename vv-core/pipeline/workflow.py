"""Videos on their way through the stages: in batches, one stage after the other."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from vv_core.errors import ExitCode
from vv_core.pipeline.batch import ItemOutcome, run_batch, share_blame
from vv_core.pipeline.intake import ReadyVideo, is_unchanged
from vv_core.pipeline.outputs import choose_stem, output_problem, owner_of
from vv_core.pipeline.runners import StageRunner
from vv_core.pipeline.settlement import Settlement
from vv_core.pipeline.stages import StageSpec
from vv_core.settings import Settings
from vv_core.stage import WHOLE_BATCH, StageItem


@dataclass(frozen=True)
class Work:
    """A video on its way.

    Attributes:
        video: the video.
        stem: how its outputs are called.
    """

    video: ReadyVideo
    stem: str


class Workflow:
    """Takes videos through the stages and hands over what became of each."""

    def __init__(
        self,
        *,
        settings: Settings,
        stages: Sequence[StageSpec],
        runner: StageRunner,
        settlement: Settlement,
        monotonic: Callable[[], float],
        is_ending: Callable[[], bool],
        on_finished: Callable[[int, int], None],
    ) -> None:
        """Take the parts.

        Args:
            settings: of this box.
            stages: in their order.
            runner: how they run.
            settlement: acts on how each stage ends for each video.
            monotonic: a clock, seconds.
            is_ending: True when the orchestrator is asked to end.
            on_finished: told how many of how many videos are through.
        """
        self._settings = settings
        self._storage = settings.storage
        self._stages = stages
        self._runner = runner
        self._settlement = settlement
        self._monotonic = monotonic
        self._on_finished = on_finished
        self._is_ending = is_ending
        self._has_failed = threading.Event()
        self._exclusive = {spec.name: threading.Lock() for spec in stages if spec.is_exclusive}
        self._reserved: dict[str, str] = {}

    def process(self, videos: Sequence[ReadyVideo]) -> None:
        """Take videos through all stages, so far as each gets.

        Raises:
            Ending: the orchestrator is asked to end.
            OSError, VvError, sqlite3.Error: the box's own state cannot be read or written.
        """
        works = [self._name(video) for video in videos]
        size = self._settings.orchestrator_batch_size
        batches = [works[start : start + size] for start in range(0, len(works), size)]
        self._on_finished(0, len(works))
        if self._settings.orchestrator_workers == 1:
            self._follow(map(self._process_batch, batches), len(works))
            return
        with ThreadPoolExecutor(max_workers=self._settings.orchestrator_workers) as pool:
            try:
                running = [pool.submit(self._process_batch, batch) for batch in batches]
                self._follow((each.result() for each in as_completed(running)), len(works))
            except BaseException:
                # Leaving the pool waits for its threads: have them end their stages first.
                self._has_failed.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _name(self, video: ReadyVideo) -> Work:
        """Choose the stem of the outputs; within a cycle no two videos get the same."""
        on_disk = owner_of(self._storage, self._stages)
        stem = choose_stem(
            Path(video.relative_name).stem,
            video.sha256,
            lambda name: self._reserved.get(name) or on_disk(name),
        )
        self._reserved[stem] = video.sha256
        return Work(video, stem)

    def _follow(self, sizes: Iterable[int], total: int) -> None:
        finished = 0
        for size in sizes:
            finished += size
            self._on_finished(finished, total)

    def _process_batch(self, works: Sequence[Work]) -> int:
        alive = list(works)
        for position, spec in enumerate(self._stages):
            if not alive or self._settlement.is_stopped:
                return len(works)
            with self._exclusive.get(spec.name, contextlib.nullcontext()):
                alive = self._run_stage(position, spec, alive)
        for work in alive:
            self._settlement.commit(work.video, work.stem)
        return len(works)

    def _run_stage(self, position: int, spec: StageSpec, works: list[Work]) -> list[Work]:
        """Run a stage for those whose output is not there yet; return who goes on."""
        todo = [work for work in works if self._problem(spec, work) is not None]
        if not todo:
            return works
        outcomes = run_batch(
            self._runner,
            spec,
            [self._item(position, spec, work) for work in todo],
            self._storage.orchestrator_data / "batches",
            monotonic=self._monotonic,
            is_ending=lambda: self._is_ending() or self._has_failed.is_set(),
        )
        believed = [
            self._believe(spec, work, outcome) for work, outcome in zip(todo, outcomes, strict=True)
        ]
        leaving = {
            work.video.sha256
            for work, outcome in zip(todo, share_blame(believed, spec.name), strict=True)
            if not self._settlement.settle(spec, work.video, outcome)
        }
        return [work for work in works if work.video.sha256 not in leaving]

    def _problem(self, spec: StageSpec, work: Work) -> str | None:
        return output_problem(spec, spec.output(self._storage, work.stem), work.video.sha256)

    def _item(self, position: int, spec: StageSpec, work: Work) -> StageItem:
        source = work.video.path
        if position > 0:
            source = self._stages[position - 1].output(self._storage, work.stem)
        return StageItem(source, spec.output(self._storage, work.stem), work.video.relative_name)

    def _believe(self, spec: StageSpec, work: Work, outcome: ItemOutcome) -> ItemOutcome:
        """Check what a stage says against what is there."""
        if outcome.exit_code == ExitCode.OK and not outcome.timed_out:
            problem = self._problem(spec, work)
            if problem is None:
                return outcome
            outcome = replace(
                outcome,
                exit_code=ExitCode.SOFTWARE,
                message=f"{spec.name} reported success, but {problem}",
                advice="This is a fault of the stage: report it with logs/app.log.",
            )
        if outcome.is_box_fault or outcome.exit_code in WHOLE_BATCH or is_unchanged(work.video):
            return outcome
        # What the stage says is about another content than the one that was hashed.
        return replace(
            outcome,
            exit_code=ExitCode.NOINPUT,
            timed_out=False,
            message="the video vanished or changed while it was processed",
            advice="Nothing to do: what is there is processed when it is left alone.",
        )
