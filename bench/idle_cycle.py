"""What a cycle costs when there is nothing to do, on a box that has done a lot.

    python bench/idle_cycle.py

Many files in processed/, many hashes in processed_videos.log; the whole process is measured, beside the
floor of starting Python with the orchestrator's imports. A second row has one known video in input/, so that the log
must be searched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from measure import Usage, machine_line, measure, median

RUNS = 7
FILES = 10_000
SIZES = (250_000, 500_000, 1_000_000, 2_000_000)
ORCHESTRATE = [sys.executable, "-m", "vv_core.pipeline.orchestrate", "--once"]


def main() -> None:
    """Print the table."""
    print(machine_line("pydantic-settings"), end="\n\n")
    print("| | wall s | CPU s | peak MiB |\n|---|---|---|---|")
    floor = [sys.executable, "-c", "import vv_core.pipeline.orchestrate"]
    _row("floor: Python and imports", median([measure(floor) for _ in range(RUNS)]))
    for lines in SIZES:
        with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
            root = Path(folder)
            known = _fill(root, lines)
            env = _environment(root)
            measure(ORCHESTRATE, env)
            idle = median([measure(ORCHESTRATE, env) for _ in range(RUNS)])
            _row(f"idle, {FILES:,} files, {lines:,} hashes", idle)
            _row(
                f"one known video, {lines:,} hashes",
                median([_with_known(root, known, env) for _ in range(RUNS)]),
            )


def _fill(root: Path, lines: int) -> bytes:
    """Make the box's past; return the content of a video that is the last in the log."""
    (root / "input").mkdir()
    processed = root / "processed"
    processed.mkdir()
    for number in range(FILES):
        (processed / f"clip-{number}.mp4").touch()
    known = b"a video that was processed"
    data = root / "orchestrator_data"
    data.mkdir()
    with (data / "processed_videos.log").open("w", encoding="ascii") as log:
        for number in range(lines):
            content = known if number == lines - 1 else str(number).encode()
            sha256 = hashlib.sha256(content).hexdigest()
            log.write(
                f'{sha256}\t2026-11-20T10:00:00Z\t"clip-{number}"\t"cam1/clip-{number}.mp4"\n'
            )
    return known


def _environment(root: Path) -> dict[str, str]:
    return {
        "VV_HOME": str(root),
        "VIDEO_STORAGE_ROOT": str(root),
        "ORCHESTRATOR_STABLE_SECONDS": "0",
        "COVERAGE_PROCESS_START": "",
    }


def _with_known(root: Path, known: bytes, env: dict[str, str]) -> Usage:
    shutil.rmtree(root / "processed" / "cam1", ignore_errors=True)
    folder = root / "input" / "cam1"
    folder.mkdir(exist_ok=True)
    (folder / f"again-{os.getpid()}.mp4").write_bytes(known)
    return measure(ORCHESTRATE, env)


def _row(name: str, usage: Usage) -> None:
    print(f"| {name} | {usage.wall_s:.2f} | {usage.cpu_s:.2f} | {usage.peak_mb:.0f} |", flush=True)


if __name__ == "__main__":
    main()
