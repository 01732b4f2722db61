"""What one more clip costs in a cycle, beside the work that it cannot do without.

    VV_YOLO_MODEL=path python bench/batch_cycle.py

Twenty one-minute clips (1080p30, keyframes 2 s apart) go through one cycle; cost per further clip is (time of 20
minus time of 1) / 19. Pure work is what the three stages take for such a clip in one warm process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import machine_line, measure

from logline_generator.logline_generator import LoglineStage
from scan_video.scanner import ScanStage
from summarize_scene.summarize_scene import SummarizeStage
from vv_core.clock import SystemClock
from vv_core.preparation import prepare
from vv_core.settings import Settings, load_settings
from vv_core.stage import Stage, StageItem

CLIPS = 20
PAIRS = 3
ORCHESTRATE = [sys.executable, "-m", "vv_core.pipeline.orchestrate", "--once"]


def main() -> None:
    """Print the table."""
    print(machine_line("openvino", "av", "numpy", "opencv-python-headless"), end="\n\n")
    with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
        root = Path(folder)
        clips = make_clips(root / "clips", CLIPS)
        ones, twenties, pures = [], [], []
        for _ in range(PAIRS):
            ones.append(_cycle(root, clips[:1]))
            pures.append(_pure_work(root, clips[:4]))
            twenties.append(_cycle(root, clips))
        one, twenty, pure = (statistics.median(times) for times in (ones, twenties, pures))
        further = (twenty - one) / (CLIPS - 1)
        print("| | s |\n|---|---|")
        print(f"| cycle of 1 clip | {one:.2f} |")
        print(f"| cycle of {CLIPS} clips | {twenty:.2f} |")
        print(f"| per further clip | {further:.3f} |")
        print(f"| pure work per clip | {pure:.3f} |")
        print(f"| ratio | {further / pure:.2f} |")


def make_clips(folder: Path, count: int) -> list[Path]:
    """Make one-minute clips that differ in nothing but a comment, so that their hashes do."""
    folder.mkdir(parents=True)
    base = folder / "base.mp4"
    source = "testsrc2=size=1920x1080:rate=30:duration=60"
    _ffmpeg(
        "-f", "lavfi", "-i", source, "-c:v", "libx264", "-preset", "veryfast", "-g", "60", str(base)
    )
    clips = []
    for number in range(count):
        clip = folder / f"clip-{number:02}.mp4"
        _ffmpeg("-i", str(base), "-c", "copy", "-metadata", f"comment={number}", str(clip))
        clips.append(clip)
    return clips


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=1800)


def _fresh_box(root: Path) -> Settings:
    """Make a box without data or keys; a log does not go on with the data of another."""
    for name in ("data", "secrets"):
        shutil.rmtree(root / name, ignore_errors=True)
    os.environ.update(
        VV_HOME=str(root),
        VIDEO_STORAGE_ROOT=str(root / "data"),
        VV_LOG_DIR=str(root / "logs"),
        ORCHESTRATOR_STABLE_SECONDS="0",
    )
    settings = load_settings()
    prepare(settings)
    return settings


def _cycle(root: Path, clips: list[Path]) -> float:
    """Run one cycle over the clips on a fresh box; return its wall time, seconds."""
    settings = _fresh_box(root)
    for clip in clips:
        shutil.copyfile(clip, settings.storage.input / clip.name)
    usage = measure(ORCHESTRATE)
    done = len(list(settings.storage.loglines.glob("*.logline.json")))
    if done != len(clips):
        raise RuntimeError(f"{done} LogLines of {len(clips)}")
    return usage.wall_s


def _pure_work(root: Path, clips: list[Path]) -> float:
    """Return what the stages take for a clip in this process, once warm, seconds."""
    settings = _fresh_box(root)
    clock = SystemClock()
    stages: list[Stage] = [
        ScanStage(settings, clock),
        SummarizeStage(settings, clock),
        LoglineStage(settings, clock),
    ]
    times = []
    for clip in clips:
        storage = settings.storage
        files = (
            clip,
            storage.analytic / f"{clip.stem}.analytic.json",
            storage.summaries / f"{clip.stem}.summary.json",
            storage.loglines / f"{clip.stem}.logline.json",
        )
        begun = time.monotonic()
        for stage, source, target in zip(stages, files, files[1:], strict=False):
            stage.process(StageItem(source, target, clip.name), lambda _part: None)
        times.append(time.monotonic() - begun)
    for stage in stages:
        stage.close()
    return statistics.median(times[1:])


if __name__ == "__main__":
    main()
