"""Catching a stage in its container at the moment when it is at a video, to do something to it there."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.containers.live import LiveBox, hand_over
from tests.pipeline.processes import children_of
from tests.support.waiting import PATIENCE_S, wait_for
from vv_core.batch_files import JOURNAL_SUFFIX, read_batch
from vv_core.pipeline.journal import read_journal
from vv_core.pipeline.runners import ComposeRunner
from vv_core.tlog.lock import LogLock
from vv_core.tlog.log_files import LogPlaces

_MANY = 1000


def main_pid(live: LiveBox, stage: str) -> int | None:
    """Return the main pid, on this machine, of the container that a stage runs in now."""
    label = ComposeRunner(live.box.settings).label
    listed = _docker("ps", "--filter", f"label={label}", "--format", "{{.Names}}")
    prefix = f"vv-{stage.replace('_', '-')}-"
    for name in listed:
        if name.startswith(prefix):
            return next(map(int, _docker("inspect", "--format", "{{.State.Pid}}", name)), None)
    return None


def _docker(*arguments: str) -> list[str]:
    """Return what docker says, nothing when it fails: the container may have ended meanwhile."""
    result = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    return result.stdout.split()


def video_at_work(live: LiveBox, stage: str) -> str | None:
    """Return the video that a stage has begun with and not ended."""
    folder = live.box.folder("orchestrator_data") / "batches"
    for journal in folder.glob(f"*{JOURNAL_SUFFIX}"):
        with suppress(FileNotFoundError):
            index = read_journal(journal, _MANY).open_index
            items = read_batch(Path(str(journal).removesuffix(JOURNAL_SUFFIX)))
            if index is not None and f"/{_OUTPUTS[stage]}/" in str(items[index].output):
                return items[index].relative_name
    return None


_OUTPUTS = {
    "scan_video": "analytic",
    "summarize_scene": "summaries",
    "logline_generator": "loglines",
}


def strike(live: LiveBox, stage: str, blow: Callable[[int], None], *, position: int = 0) -> str:
    """Wait until a stage is at a video, stop its processes so that it stays there, and strike.

    A stage takes some milliseconds for most videos, and on a busy machine this looks too seldom to catch it at one of
    those. It stays longer at a video that it decodes, and at its first, with which it loads what it needs; the writer
    of the log stays while another holds the log (`keep_log`).

    Args:
        live: the box; its cycle runs.
        stage: which.
        blow: gets the pid of the container's main process on this machine.
        position: pass over so many videos first.

    Returns:
        The video that it was at.
    """
    found: list[int] = []

    def has_come() -> bool:
        found[:] = filter(None, [main_pid(live, stage)])
        return bool(found)

    wait_for(has_come)
    main, deadline = found[0], time.monotonic() + PATIENCE_S
    passed: set[str] = set()
    while time.monotonic() < deadline:
        video = video_at_work(live, stage)
        if video is None or video in passed:
            time.sleep(0.002)
            continue
        if len(passed) < position:
            passed.add(video)
            continue
        _signal_all(main, signal.SIGSTOP)
        # It may have gone on between the look and the stop.
        if video_at_work(live, stage) == video:
            blow(main)
            return video
        _signal_all(main, signal.SIGCONT)
    raise AssertionError(f"{stage} was never caught at a video")


@contextmanager
def keep_log(live: LiveBox) -> Iterator[None]:
    """Hold the log of a box, so that its writer waits at its first video."""
    settings = live.box.settings
    places = LogPlaces.of(settings.storage, settings.resolve(settings.log_key_file))
    places.state.mkdir(mode=0o700, exist_ok=True)
    lock = LogLock(places.lock)
    lock.take()
    hand_over(places.state, live.user)
    try:
        yield
    finally:
        lock.release()


def _signal_all(main: int, number: int) -> None:
    """Signal what a container's init has started."""
    for pid in children_of(main):
        os.kill(pid, number)


def kill(main: int) -> None:
    """Kill a container's main process from outside, as nothing but the machine can."""
    os.kill(main, signal.SIGKILL)


def leave_hanging(_main: int) -> None:
    """Do nothing: it stays stopped, and answers nobody."""
