"""Looking at one video: every wanted picture, in the order of time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scan_video.diagnosis import nothing_decodes
from scan_video.embedded import MotionWatcher
from scan_video.eyes import Eyes, Sight
from scan_video.frames import DecodeReport, watch_video
from scan_video.observations import Look
from scan_video.pictures import PictureKeeper
from scan_video.plan import SamplingPlan, plan_all_frames
from scan_video.probe import VideoProbe
from vv_core.logs import get_logger

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

Progress = Callable[[float], None]

_MOST_MISSING = 0.5

_log = get_logger("scan_video")


@dataclass(frozen=True)
class Watched:
    """What came of looking at a video by one plan."""

    plan: SamplingPlan
    looks: list[Look]
    keeper: PictureKeeper
    report: DecodeReport

    def is_whole(self, interval_s: float) -> bool:
        """Tell whether looking went on to the end of the plan."""
        return bool(self.looks) and self.looks[-1].time_s >= self.plan.times[-1] - interval_s


def watch_with_fallback(
    path: Path,
    probe: VideoProbe,
    plan: SamplingPlan,
    eyes: Eyes,
    *,
    interval_s: float,
    progress: Progress,
) -> Watched:
    """Look at a video; when its pictures cannot be decoded apart, decode everything.

    Raises:
        InputDataError: no picture can be decoded.
    """
    watched = _watch(path, probe, plan, eyes, progress)
    if needs_everything(plan, watched.report):
        _log.info("few pictures could be decoded alone; decoding all of them")
        plan = plan_all_frames(probe.timeline, interval_s)
        everything = _watch(path, probe, plan, eyes, progress)
        watched = everything if len(everything.looks) > len(watched.looks) else watched
    if not watched.looks:
        raise nothing_decodes(path, watched.report.errors)
    return watched


def needs_everything(plan: SamplingPlan, report: DecodeReport) -> bool:
    """Tell whether decoding everything may give pictures that the plan did not.

    Streams that renew themselves bit by bit, without whole keyframes, cannot be entered in the middle:
    pictures are missing then although nothing is damaged. Where much is damaged, the order of the file
    may still give more.
    """
    if plan.method == "all_frames":
        return False
    missing = len(plan.times) - report.seen
    return (missing > 0 and report.errors == 0) or missing > _MOST_MISSING * len(plan.times)


def _watch(
    path: Path, probe: VideoProbe, plan: SamplingPlan, eyes: Eyes, progress: Progress
) -> Watched:
    def look(time_s: float, frame: VideoFrame) -> Sight:
        return eyes.look(time_s, frame, probe.rotation)

    watched = Watched(
        plan=plan,
        looks=[],
        keeper=PictureKeeper(len(plan.times), probe.rotation),
        report=DecodeReport(),
    )
    motion = MotionWatcher()
    for sight in watch_video(path, probe, plan, look, watched.report):
        findings = sight.findings
        if sight.motion_view is not None:
            findings = (*findings, *motion.watch(sight.motion_view))
        watched.looks.append(Look(sight.time_s, findings))
        watched.keeper.offer(sight.time_s, sight.frame, findings, sight.faces_to_blur)
        progress(len(watched.looks) / len(plan.times))
    return watched
