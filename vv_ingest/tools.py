"""Running ffprobe and ffmpeg: fenced in, watched, and never longer than it is worth."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from vv_core.clock import Clock, SystemClock
from vv_core.errors import InputDataError, SoftwareError, TemporaryError, UnavailableError
from vv_core.jsonio import parse_json
from vv_core.process import ChildResult, run_child
from vv_ingest.decision import Decision
from vv_ingest.ffmpeg_arguments import (
    ChildLimits,
    decode_arguments,
    fence,
    make_arguments,
    name_source,
    probe_arguments,
    times_arguments,
)
from vv_ingest.mp4_layout import read_layout
from vv_ingest.probe import AudioTrack, Probe, VideoTrack, parse_probe

PROGRAMS = ("ffmpeg", "ffprobe", "setpriv", "prlimit", "nice")
STALLED_S = 120.0
"""ffmpeg that has not moved on for so long is stuck."""
_PROBE_TIMEOUT_S = 60.0
_MAX_PROBE_BYTES = 4 * 2**20
_LAST_BYTES = 4096
_NOT_STARTED = {126, 127}
"""What shells, and what starts a program with its libraries, say when they cannot."""
_SIGNALLED = 128
_US = 1e6
_SPEAKER = re.compile(r"^(\[[^\]]* @ 0x[0-9a-f]+\] ?)+")


class Interrupted(TemporaryError):
    """We were asked to end meanwhile."""


class ToolFault(SoftwareError):
    """A program did not come to an end of its own: too slow, stuck, or killed."""


@dataclass(frozen=True)
class Pass:
    """How a run over a whole video ended.

    Attributes:
        problem: the first thing that was wrong, "" for nothing.
        exit_code: of ffmpeg.
        frames: pictures that came out.
        seconds: how far it came in the video.
    """

    problem: str
    exit_code: int
    frames: int
    seconds: float


def require_tools() -> None:
    """Make sure that the programs are there.

    Raises:
        UnavailableError: one is not.
    """
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking:
        raise UnavailableError(
            f"not installed: {', '.join(lacking)}",
            advice="Install them: apt-get install ffmpeg util-linux coreutils",
        )


class Tools:
    """ffprobe and ffmpeg as this room uses them.

    Args:
        limits: what a run may take.
        timeout_s: longest time of a run.
        is_ending: tells whether to leave off.
        on_progress: is told, about once a second, how far a run is, in seconds of the video.
        clock: measures how long nothing has moved.
    """

    def __init__(
        self,
        limits: ChildLimits,
        timeout_s: float,
        is_ending: Callable[[], bool] = lambda: False,
        on_progress: Callable[[float], None] = lambda _seconds: None,
        clock: Clock | None = None,
    ) -> None:
        self.limits = limits
        self._timeout_s = timeout_s
        self._is_ending = is_ending
        self._on_progress = on_progress
        self._clock = clock or SystemClock()

    def probe(self, path: Path) -> Probe:
        """Return what a file holds.

        Raises:
            InputDataError: it is no video that ffmpeg reads.
            ToolFault: ffprobe did not come to an end.
            OSError: the file cannot be read.
        """
        layout = read_layout(path)
        with tempfile.TemporaryFile() as said:
            result = self._run(probe_arguments(path), said, _PROBE_TIMEOUT_S)
            if result.exit_code != 0:
                raise _no_video(path, _first_problem(result))
            said.seek(0)
            data = said.read(_MAX_PROBE_BYTES)
        try:
            return parse_probe(_lenient(data), layout)
        except (ValueError, RecursionError) as exc:
            raise _no_video(path, str(exc)) from exc

    def times(self, path: Path, video: VideoTrack) -> Sequence[float]:
        """Return when the pictures of a track are shown, seconds, in order, without those of which nothing is said.

        Raises:
            ToolFault: ffprobe did not come to an end.
            Interrupted: we were asked to end.
        """
        with tempfile.TemporaryFile() as said:
            self._run(times_arguments(path, video), said, self._timeout_s)
            said.seek(0)
            return array("d", sorted(_times_in(said)))

    def decode(self, path: Path, video: VideoTrack, audio: AudioTrack | None) -> Pass:
        """Decode a whole file and throw the pictures away.

        Raises:
            ToolFault: ffmpeg did not come to an end.
            Interrupted: we were asked to end.
        """
        return self._pass(decode_arguments(path, video, audio, self.limits))

    def make(
        self, source: Path, target: Path, decision: Decision, limit_s: float, sha256: str
    ) -> Pass:
        """Write a version of a video, to be looked at before it counts.

        Raises:
            ToolFault: ffmpeg did not come to an end.
            Interrupted: we were asked to end.
        """
        argv = make_arguments(source, target, decision, self.limits, limit_s=limit_s)
        return self._pass(name_source(argv, sha256))

    def _pass(self, argv: Sequence[str]) -> Pass:
        with tempfile.TemporaryFile() as said:
            result = self._run(argv, said, self._timeout_s)
            frames, seconds = _progress(said)
        problem = _first_problem(result)
        if result.exit_code and not problem:
            problem = f"ffmpeg ended with {result.exit_code}"
        return Pass(problem, result.exit_code, frames, seconds)

    def _run(self, argv: Sequence[str], said: IO[bytes], timeout_s: float) -> ChildResult:
        watch = _Watch(said, self._is_ending, self._on_progress, self._clock)
        try:
            result = run_child(
                fence(self.limits, argv),
                timeout_s=timeout_s,
                is_stalled=watch.should_end,
                stdout_to=said,
            )
        except OSError as exc:
            raise UnavailableError(
                f"{argv[0]} cannot be started: {exc.strerror}",
                advice="Install it: apt-get install ffmpeg util-linux coreutils",
            ) from exc
        if result.timed_out and self._is_ending():
            raise Interrupted("asked to end", advice="It goes on with the next start.")
        if result.timed_out:
            raise ToolFault(
                f"{argv[0]} was stuck, or took longer than {timeout_s:g} s",
                advice="It is tried again; VV_CLIP_TIMEOUT_SECONDS says how long it may take.",
            )
        if result.exit_code in _NOT_STARTED:
            raise UnavailableError(
                f"{argv[0]} cannot be started: {_first_problem(result)}",
                advice="Look at VV_CLIP_MEMORY_MB, and install it again: apt-get install ffmpeg",
            )
        if result.exit_code >= _SIGNALLED:
            raise ToolFault(
                f"{argv[0]} was killed by signal {result.exit_code - _SIGNALLED}",
                advice="It is tried again; more memory may help (CONVERTER_MEMORY, VV_CLIP_MEMORY_MB).",
            )
        return result


class _Watch:
    """Asked ten times a second whether a run is to be ended."""

    def __init__(
        self,
        said: IO[bytes],
        is_ending: Callable[[], bool],
        on_progress: Callable[[float], None],
        clock: Clock,
    ) -> None:
        self._said = said
        self._is_ending = is_ending
        self._on_progress = on_progress
        self._clock = clock
        self._size = 0
        self._moved = clock.monotonic()

    def should_end(self) -> bool:
        size = os.fstat(self._said.fileno()).st_size
        now = self._clock.monotonic()
        if size != self._size:
            self._size, self._moved = size, now
            self._on_progress(_progress(self._said)[1])
        return self._is_ending() or now - self._moved > STALLED_S


def _times_in(said: IO[bytes]) -> Iterator[float]:
    """Yield a time for each line: when a picture is shown, else when it is decoded; AVI says nothing else."""
    for line in said:
        for raw in line.split(b","):
            with suppress(ValueError):
                yield float(raw)
                break


def _progress(said: IO[bytes]) -> tuple[int, float]:
    """Return frames and seconds of the last report that ffmpeg has written (``-progress``)."""
    descriptor = said.fileno()
    size = os.fstat(descriptor).st_size
    # Without moving the place at which the child writes.
    text = os.pread(descriptor, _LAST_BYTES, max(0, size - _LAST_BYTES))
    fields = dict(line.split(b"=", 1) for line in text.splitlines() if b"=" in line)
    return _whole(fields.get(b"frame")), _whole(fields.get(b"out_time_us")) / _US


def _whole(raw: bytes | None) -> int:
    try:
        return max(0, int(raw or b"0"))
    except ValueError:
        return 0  # "N/A": nothing came out yet


def _first_problem(result: ChildResult) -> str:
    """Return the first complaint, without the address in memory of whatever complains."""
    return _SPEAKER.sub("", result.stderr_tail[0]) if result.stderr_tail else ""


def _lenient(data: bytes) -> Any:
    """Parse ffprobe's JSON; texts of a container may be in any encoding."""
    return parse_json(data.decode("utf-8", "replace").encode("utf-8"))


def _no_video(path: Path, problem: str) -> InputDataError:
    # ffprobe names the file, by which the message begins already.
    reason = problem.removeprefix(f"file:{path}: ") or "ffprobe cannot read it"
    return InputDataError(reason, advice="Nothing can be made of it; TVs show its picture instead.")
