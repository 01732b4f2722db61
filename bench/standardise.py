"""Real-time factor of making a clip for TVs: 1080p H.265 to the standard version, against ffmpeg alone.

    python bench/standardise.py [SECONDS [ROUNDS]]

The floor is one run of ffmpeg with the same encoder settings, which hashes nothing, looks at nothing and puts
nothing in place. Between them stands what a promise costs: two hashes, and decoding what was made.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from measure import Usage, machine_line, measure, median

from vv_ingest.decision import Decision, Limits, Work, decide
from vv_ingest.ffmpeg_arguments import ChildLimits, make_arguments
from vv_ingest.tools import Tools

LIMITS = ChildLimits(memory_mb=2048, threads=2, max_lines=1080)
TV = Limits(1080, 8192 * 8192)
SOURCE = "testsrc2=size=1920x1080:rate=25,noise=alls=8:allf=t"


def make_source(path: Path, seconds: int) -> None:
    """Write H.265 as a camera sends it: 1080p25, noise, a key frame every two seconds."""
    x265 = ["-c:v", "libx265", "-preset", "ultrafast", "-b:v", "4M", "-g", "50"]
    command = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", SOURCE, "-t", str(seconds)]
    command += [*x265, "-x265-params", "log-level=none", "-pix_fmt", "yuv420p", str(path)]
    subprocess.run(command, check=True, timeout=3600)


def remux(source: Path, path: Path, *options: str) -> Path:
    """Write the same pictures into another container."""
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(source), "-c", "copy", *options, str(path)]
    subprocess.run(command, check=True, timeout=600)
    return path


def floor_of(source: Path, target: Path) -> list[str]:
    """Return the command line of ffmpeg alone, as the product uses it."""
    decision: Decision = decide(Tools(LIMITS, 60).probe(source), TV)
    assert decision.work is not Work.NOTHING
    return make_arguments(source, target, decision, LIMITS, limit_s=1e6)


def ffmpeg_version() -> str:
    """Return what ffmpeg calls itself."""
    command = ["ffmpeg", "-version"]
    result = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return " ".join(result.stdout.split()[:3])


def run(folder: Path, seconds: int, rounds: int) -> None:
    """Measure in turns and print the table."""
    hevc, made = folder / "hevc.mp4", folder / "made.mp4"
    make_source(hevc, seconds)
    subprocess.run(floor_of(hevc, made), check=True, stdout=subprocess.DEVNULL, timeout=3600)
    late = remux(made, folder / "late.mp4")
    whole = remux(made, folder / "whole.mp4", "-movflags", "+faststart")
    product = [sys.executable, "-m", "vv_ingest.process_video"]
    out = folder / "out.mp4"
    cases = {
        "H.265 encoded: ffmpeg alone": floor_of(hevc, out),
        "H.265 encoded: vv-process-video": [*product, str(hevc), str(out)],
        "index moved: ffmpeg alone": floor_of(late, out),
        "index moved: vv-process-video": [*product, str(late), str(out)],
        "plays as it is: vv-process-video": [*product, str(whole), str(out)],
    }
    env = {"VV_HOME": str(folder), "VV_LOG_DIR": str(folder / "logs")}
    usages: dict[str, list[Usage]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, command in cases.items():
            out.unlink(missing_ok=True)
            usages[name].append(measure(command, env))
    print(
        f"{seconds} s of 1080p25, {rounds} rounds; {machine_line('jsonschema-rs')}, {ffmpeg_version()}"
    )
    print("| | wall s | CPU s | peak MiB | x real time |\n|---|---|---|---|---|")
    for name, found in usages.items():
        each = median(found)
        print(
            f"| {name} | {each.wall_s:.2f} | {each.cpu_s:.2f} | {each.peak_mb:.0f} | {seconds / each.wall_s:.1f} |"
        )
    for work in ("H.265 encoded", "index moved"):
        alone, ours = (
            median(usages[f"{work}: {who}"]) for who in ("ffmpeg alone", "vv-process-video")
        )
        wall, cpu = ours.wall_s / alone.wall_s, ours.cpu_s / alone.cpu_s
        print(f"{work}: {wall:.2f} of the floor's wall time, {cpu:.2f} of its CPU time")


def main() -> None:
    """Run with the arguments of the command line."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3  # noqa: PLR2004 - program, seconds, rounds
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), seconds, rounds)


if __name__ == "__main__":
    main()
