"""The orchestrator's command: one cycle, a loop of cycles, or videos back from quarantine."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

from vv_core.alerts import Alert, Severity, make_alerter
from vv_core.cli import CommandParser, report_error, run_command
from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode, TemporaryError, VvError, from_oserror
from vv_core.logs import get_logger, printable, setup_logging
from vv_core.manifest.check import check_manifest
from vv_core.pipeline.cycle import Cycle
from vv_core.pipeline.database import is_damage, put_aside
from vv_core.pipeline.ending import Ending, StopSign
from vv_core.pipeline.history import History
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.pipeline.quarantine import find_quarantined, put_back, quarantined
from vv_core.pipeline.report import CycleReport, report_lines
from vv_core.pipeline.runners import StageRunner, make_runner
from vv_core.pipeline.stages import pipeline_stages
from vv_core.service_alerts import relay_alerts
from vv_core.settings import Settings, load_settings

PROG = "orchestrator"

MakeRunner = Callable[[Settings, int | None], StageRunner]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = _parser().parse_args(argv)
    return run_command(lambda: _run(arguments), PROG)


def _parser() -> CommandParser:
    parser = CommandParser(
        PROG,
        "Turn the videos in input/ into signed LogLines: scan, summarise, sign, move away.",
        epilog="Exit codes are those of sysexits.h; see docs/errors.md.",
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--once", action="store_true", help="run one cycle and end (the default; for cron)"
    )
    how.add_argument(
        "--loop", action="store_true", help="run a cycle every ORCHESTRATOR_INTERVAL seconds"
    )
    how.add_argument(
        "--requeue",
        nargs="*",
        metavar="VIDEO",
        help="put quarantined videos back into input/: names below corrupted/ or hashes; none: all",
    )
    how.add_argument("--quarantine", action="store_true", help="list quarantined videos and why")
    return parser


def _run(arguments: argparse.Namespace) -> int:
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    try:
        settings.storage.ensure()
    except OSError as exc:
        raise from_oserror(exc, "create the folders of", settings.storage.root) from exc
    if arguments.quarantine:
        return list_quarantine(settings)
    if arguments.requeue is not None:
        return requeue_videos(settings, arguments.requeue)
    check_manifest(settings, SystemClock())
    with StopSign() as sign:
        try:
            if arguments.loop:
                run_loop(settings, sign)
            return run_once(settings, is_ending=sign.is_set)
        except Ending:
            sign.obey()


def run_once(
    settings: Settings,
    clock: Clock | None = None,
    make_stage_runner: MakeRunner = make_runner,
    is_ending: Callable[[], bool] = lambda: False,
    *,
    is_start: bool = False,
) -> int:
    """Run one cycle, unless another orchestrator is at work.

    Args:
        settings: of this box.
        clock: the time; the machine's by default.
        make_stage_runner: makes the runner from settings and the lock's descriptor.
        is_ending: True when the orchestrator is asked to end.
        is_start: this is the first cycle of a program that stays.

    Returns:
        0, or the exit code of what stopped the cycle.

    Raises:
        Ending: the orchestrator is asked to end.
        VvError: the box's own state cannot be read or written.
    """
    try:
        with _state_errors(), CycleLock(_lock_path(settings)) as lock:
            report = _run_locked(
                settings,
                clock or SystemClock(),
                make_stage_runner,
                is_ending,
                lock,
                is_start=is_start,
            )
    except AlreadyRunning:
        _say(
            settings,
            "outro orquestrador está trabalhando; nada a fazer",
            "another orchestrator is at work; nothing to do",
        )
        return ExitCode.OK
    for line in report_lines(report, settings.language):
        # At once: in a loop whose output goes to a file or the journal, somebody waits for it.
        print(line, flush=True)
    return report.exit_code


def _run_locked(
    settings: Settings,
    clock: Clock,
    make_stage_runner: MakeRunner,
    is_ending: Callable[[], bool],
    lock: CycleLock,
    *,
    is_start: bool,
) -> CycleReport:
    data = settings.storage.orchestrator_data
    alerter = make_alerter(data / "alerts.jsonl", _alert_urls(settings), clock.now())
    try:
        with _state_errors():
            relay_alerts(settings.storage, alerter, clock.now())
        with _state_errors(), _history(settings) as history, _progress_bar() as on_finished:
            was_interrupted = lock.begin_cycle()
            cycle = Cycle(
                settings=settings,
                stages=pipeline_stages(settings),
                runner=make_stage_runner(settings, lock.fileno()),
                history=history,
                alerter=alerter,
                clock=clock,
                is_ending=is_ending,
                on_finished=on_finished,
                is_start=is_start,
            )
            report = cycle.run(was_interrupted)
            if not report.leaves_rubbish:
                lock.end_cycle()
        if settings.witnesses_file is not None:
            # Only worth its import where there are witnesses.
            from vv_core.tlog.witness_round import run_round_quietly

            run_round_quietly(settings, clock, alerter)
    except VvError as exc:
        failed = Alert(Severity.CRITICAL, "cycle_failed", "cycle", exc.message, exc.advice)
        alerter.tell(failed, clock.now())
        raise
    return report


@contextmanager
def _state_errors() -> Iterator[None]:
    """Say in our words that the orchestrator's own files cannot be read or written."""
    try:
        yield
    except OSError as exc:
        raise from_oserror(exc, "keep the orchestrator's state") from exc


def _lock_path(settings: Settings) -> Path:
    return settings.storage.orchestrator_data / "orchestrator.lock"


def run_loop(settings: Settings, sign: StopSign) -> NoReturn:
    """Run cycles until asked to end; one that fails is reported and does not end the loop.

    Raises:
        Ending: the orchestrator was asked to end.
    """
    is_start = True
    while not sign.is_set():
        begun = time.monotonic()
        try:
            run_once(settings, is_ending=sign.is_set, is_start=is_start)
            is_start = False
        except VvError as exc:
            report_error(PROG, exc)
        sign.wait(settings.orchestrator_interval - (time.monotonic() - begun))
    raise Ending


def requeue_videos(settings: Settings, names: list[str]) -> int:
    """Put quarantined videos back and forget their failures; one that cannot be does not stop the rest.

    Returns:
        0, or the exit code of the first that could not be put back.

    Raises:
        VvError: a name fits nothing, or a cycle is running.
    """
    worst: int = ExitCode.OK
    try:
        with _state_errors(), CycleLock(_lock_path(settings)), _history(settings) as history:
            for entry in find_quarantined(settings.storage, names):
                try:
                    name = put_back(settings.storage, entry)
                except VvError as exc:
                    report_error(PROG, exc)
                    worst = worst or exc.exit_code
                    continue
                history.forget_attempts(entry.content["sha256"])
                get_logger("pipeline").info("requeued", extra={"fields": {"video": name}})
                _say(
                    settings,
                    f"de volta à fila: {printable(name)}",
                    f"back in the queue: {printable(name)}",
                )
    except AlreadyRunning as exc:
        raise TemporaryError(
            "an orchestrator is at work", advice="Try again when its cycle has ended."
        ) from exc
    return worst


def list_quarantine(settings: Settings) -> int:
    """Print what is in quarantine, why, and what to do."""
    for video, _, content in quarantined(settings.storage):
        print(printable(os.path.relpath(video, settings.storage.corrupted)))
        print(f"  {content['sha256']}")
        reason = printable(content["reason"])
        print(f"  {printable(content['stage'])} ({content['exit_code']}): {reason}")
        print(f"  → {printable(content['advice'])}")
    return ExitCode.OK


@contextmanager
def _history(settings: Settings) -> Iterator[History]:
    path = settings.storage.orchestrator_data / "orchestrator_db.sqlite"
    try:
        with closing(History(path)) as history:
            yield history
    except sqlite3.Error as exc:
        if not is_damage(path, exc):
            raise TemporaryError(
                f"the run history cannot be written: {exc}",
                advice="Free disk space and check access to orchestrator_data/.",
            ) from exc
        put_aside(path, exc)
        raise TemporaryError(
            f"the run history is damaged: {exc}",
            advice="Nothing to do: it was put aside and the next cycle starts a new one.",
        ) from exc


def _alert_urls(settings: Settings) -> str | None:
    return settings.alert_urls.get_secret_value() if settings.alert_urls else None


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None]]:
    """Yield what shows progress, when a person is watching."""
    if not sys.stderr.isatty():
        yield lambda _finished, _total: None
        return
    from tqdm import tqdm  # only worth its import for a person

    with tqdm(desc=PROG, unit="video", leave=False) as bar:

        def show(finished: int, total: int) -> None:
            bar.total = total
            bar.n = finished
            bar.refresh()

        yield show


def _say(settings: Settings, portuguese: str, english: str) -> None:
    print(english if settings.language == "en" else portuguese)


if __name__ == "__main__":
    sys.exit(main())
