"""``vv-process-video``: clips that every browser plays; one, many, or all that TVs may show.

``INPUT OUTPUT`` and ``--batch LIST`` as every stage has them; ``--once`` and ``--loop`` for the box's own videos.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from vv_core import __version__
from vv_core.atomic import atomic_path
from vv_core.batch_files import StageItem
from vv_core.cli import CommandParser, run_command
from vv_core.clock import Clock, SystemClock
from vv_core.errors import ExitCode, InputDataError, TemporaryError, from_oserror
from vv_core.heartbeat import Heartbeat
from vv_core.logs import setup_logging
from vv_core.process import die_with_parent
from vv_core.service import Service, run_service
from vv_core.settings import Settings, load_settings
from vv_core.stage import Progress, run_stage
from vv_core.utils import compute_sha256
from vv_ingest.clips import ClipMaker, look
from vv_ingest.conversion import Conversion
from vv_ingest.converter import TURN_S, ConverterJob, hold_lock
from vv_ingest.decision import Limits, Work, decide
from vv_ingest.ffmpeg_arguments import ChildLimits, source_comment
from vv_ingest.tools import Tools, require_tools

PROG = "vv-process-video"
NAME = "clip_converter"
PATIENCE_S = TURN_S + 300.0
"""Between two signs of life: a turn, and the hash of a large video on a slow disk."""
BEAT_S = 15.0
"""Between two heartbeats while ffmpeg is at work."""
_DESCRIPTION = "Make a version of a video that every browser plays, or copy one that plays already."
"""Of the stage; the service does it for all videos that TVs may show."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    # Without arguments it stays, as the other services do: systemd starts them all alike.
    if arguments and not {"--once", "--loop"} & set(arguments):
        return run_stage(PROG, _DESCRIPTION, ClipStage, arguments, _describe_service)
    parser = CommandParser(PROG, "Find or make clips for TVs of all videos that they may show.")
    _describe_service(parser)
    parsed = parser.parse_args(arguments)
    return run_command(lambda: _serve(parsed), PROG)


def _describe_service(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--once", action="store_true", help="do all the box's videos once and end")
    group.add_argument("--loop", action="store_true", help="stay, and do videos as they come")


def _serve(arguments: argparse.Namespace) -> int:
    die_with_parent()
    settings = load_settings()
    setup_logging(PROG, settings.resolve(settings.log_dir), arguments.verbose)
    with hold_lock(settings.storage):
        return _do_once(settings) if arguments.once else _stay(settings)


def _do_once(settings: Settings) -> int:
    ending = Ending()
    job = make_job(settings, SystemClock(), ending)
    figures = job(ending)
    while figures["to_do"] != figures["waiting"]:
        figures = job(ending)
    for name, count in figures.items():
        sys.stdout.write(f"{name}: {count}\n")
    return ExitCode.OK


def _stay(settings: Settings) -> int:
    clock, ending = SystemClock(), Ending()
    heartbeat = settings.storage.services / f"{NAME}.json"
    service = Service(NAME, heartbeat, settings.clip_poll_s, PATIENCE_S)
    job = make_job(settings, clock, ending, Beat(service, clock))
    return run_service(service, lambda is_ending: job(ending.ask(is_ending)), clock)


class Ending:
    """Whether to leave off, for whoever is deep in the work."""

    def __init__(self) -> None:
        self._is_ending: Callable[[], bool] = lambda: False

    def ask(self, is_ending: Callable[[], bool]) -> Callable[[], bool]:
        """Ask somebody else from now on."""
        self._is_ending = is_ending
        return self

    def __call__(self) -> bool:
        """Tell whether to leave off."""
        return self._is_ending()


class Beat:
    """Says that the service is at work while a turn takes long."""

    def __init__(self, service: Service, clock: Clock) -> None:
        self._service = service
        self._clock = clock
        self._last = clock.monotonic()

    def __call__(self, seconds: float) -> None:
        """Note how far ffmpeg is in a video, seconds."""
        if self._clock.monotonic() - self._last < BEAT_S:
            return
        self._last = self._clock.monotonic()
        details = {"at_work_s": round(seconds)}
        beat = Heartbeat(
            self._service.name, self._clock.now(), self._service.good_for_s, details=details
        )
        try:
            beat.write(self._service.heartbeat)
        except OSError as exc:
            raise from_oserror(exc, "write the heartbeat", self._service.heartbeat) from exc


def make_job(
    settings: Settings,
    clock: Clock,
    is_ending: Callable[[], bool],
    on_progress: Callable[[float], None] = lambda _seconds: None,
) -> ConverterJob:
    """Return the work of the service."""
    tools = Tools(child_limits(settings), settings.clip_timeout_s, is_ending, on_progress, clock)
    maker = ClipMaker(settings.storage, tools, tv_limits(settings), clock)
    window = timedelta(hours=settings.clip_window_hours)
    return ConverterJob(settings.storage, window, maker, clock)


def child_limits(settings: Settings) -> ChildLimits:
    """Return what a run of ffmpeg may take."""
    return ChildLimits(settings.clip_memory_mb, settings.clip_threads, settings.clip_max_lines)


def tv_limits(settings: Settings) -> Limits:
    """Return what a TV takes."""
    return Limits(settings.clip_max_lines, settings.max_pixels)


class ClipStage:
    """One video after the other, from where it lies to where it is wanted."""

    name = "process_video"
    version = __version__

    def __init__(self, settings: Settings, _arguments: argparse.Namespace) -> None:
        self._settings = settings
        self._report: Progress = lambda _part: None
        self._done = 0.0
        self._duration_s: float | None = None
        self._limits = tv_limits(settings)
        self._tools = Tools(
            child_limits(settings), settings.clip_timeout_s, on_progress=self._advance
        )

    def is_current(self, item: StageItem) -> bool:
        """Tell whether the output is a version of this very video, and plays by what it says of itself."""
        if look(item.output) is None:
            return False
        require_tools()
        try:
            sha256 = compute_sha256(item.input)
            probe = self._tools.probe(item.output)
        except InputDataError:
            return False
        if decide(probe, self._limits).work is not Work.NOTHING:
            return False
        return probe.comment == source_comment(sha256) or compute_sha256(item.output) == sha256

    def process(self, item: StageItem, progress: Progress) -> None:
        """Write the version, or the video itself where that plays.

        Raises:
            VvError: nothing was written.
        """
        require_tools()
        self._report, self._done = progress, 0.0
        before = look(item.input)
        sha256 = compute_sha256(item.input)
        with atomic_path(item.output) as temporary:
            self._write(item.input, sha256, temporary)
            if look(item.input) != before:
                raise TemporaryError(
                    f"{item.input.name!r} changed while it was read",
                    advice="Wait until it is written; then try again.",
                )

    def _write(self, source: Path, sha256: str, target: Path) -> None:
        conversion = Conversion(source, sha256, target, tools=self._tools, limits=self._limits)
        try:
            self._duration_s = self._tools.probe(source).duration_s
            playable = conversion.run()
        except InputDataError as exc:
            raise InputDataError(f"{source.name!r}: {exc.message}", advice=exc.advice) from exc
        if playable.path is None:
            shutil.copyfile(source, target)

    def _advance(self, seconds: float) -> None:
        """Tell how far the longest pass is, less the last hundredth: looking at what was made takes time too."""
        if self._duration_s:
            self._done = max(self._done, min(0.99, seconds / self._duration_s))
            self._report(self._done)

    def close(self) -> None:
        """Nothing is held."""


if __name__ == "__main__":
    sys.exit(main())
