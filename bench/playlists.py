"""Playlists on a box that has a million old LogLines.

    python bench/playlists.py [LINES] [PEER]

Makes a signed log of so many LogLines (1,000,000) of the last two years with its files, in a temporary folder of the
disk that TMPDIR lies on (6 GB), and measures vv-playlist there: first start without an index, later starts, memory
and processor time while nothing happens for a minute, and the time from the rename of a new LogLine to the rename of
the playlist that shows it. The floor, in the same run and folder: listing the folder and looking at each file once.
PEER is a folder with the program before it had an index, which looked at everything each minute:

    mkdir /tmp/peer && git archive c30a211 tv_scheduler vv-core schemas | tar -x -C /tmp/peer
    ln -s vv-core /tmp/peer/vv_core && ln -s schemas /tmp/peer/vv_schemas
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inotify_simple import INotify, flags
from logline_box import LoglineBox
from measure import Usage, machine_line, measure

LINES = 1_000_000
YEARS_S = 2 * 365 * 24 * 3600
IDLE_S = 60.0
NEW = 30
PLAYLIST = [sys.executable, "-m", "tv_scheduler.tv_scheduler"]
_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK = "import os,sys\nfor entry in os.scandir(sys.argv[1]): entry.stat(follow_symlinks=False)"


def main() -> None:
    """Make boxes of two sizes, and print what each costs."""
    arguments = iter(sys.argv[1:])
    lines = int(next(arguments, LINES))
    peer = next((Path(path) for path in arguments), None)
    print(f"{machine_line('cryptography', 'inotify-simple')}, load {os.getloadavg()[0]:.1f}\n")
    for size in (lines // 10, lines):
        with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
            report(Path(folder), size, peer)


def report(root: Path, lines: int, peer: Path | None) -> None:
    """Print the table of one box."""
    began = time.monotonic()
    box = fill(root, lines)
    print(f"{lines:,} LogLines, made in {time.monotonic() - began:.0f} s\n")
    print("| | wall s | CPU s | peak MiB |\n|---|---|---|---|")
    env = {"VV_HOME": str(root), "VIDEO_STORAGE_ROOT": str(root), "COVERAGE_PROCESS_START": ""}
    look = measure([sys.executable, "-c", _LOOK, str(box.storage.loglines)])
    row("floor: list the folder, look at each file", look)
    if peer is not None:
        old = measure([sys.executable, "-c", _PEER, str(peer)], env)
        row("peer: one turn, which it does each minute", old)
        shutil.rmtree(box.storage.playlists)
        box.storage.playlists.mkdir()
    row("first start: no index", measure([*PLAYLIST, "--once"], env))
    time.sleep(2)
    row("start again: the folder was listed once more", measure([*PLAYLIST, "--once"], env))
    row("start again: the folder is as it was", measure([*PLAYLIST, "--once"], env))
    with running(box, env) as process:
        time.sleep(5)
        before = cpu_s(process.pid)
        time.sleep(IDLE_S)
        idle = (cpu_s(process.pid) - before) / IDLE_S
        delays = [new_line(box) for _ in range(NEW)]
        peak = peak_mb(process.pid)
    print(f"\nidle for {IDLE_S:.0f} s: {100 * idle:.2f} % of a core; peak {peak:.0f} MiB")
    print(
        f"new LogLine to playlist, {NEW} times: median {1000 * statistics.median(delays):.0f} ms, "
        f"longest {1000 * max(delays):.0f} ms\n",
        flush=True,
    )


_PEER = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[1:] = ['--once']\n"
    "import vv_core; assert vv_core.__file__.startswith(sys.path[0]), vv_core.__file__\n"
    "from tv_scheduler.tv_scheduler import main\n"
    "sys.exit(main())"
)


def fill(root: Path, lines: int) -> LoglineBox:
    """Make a box whose LogLines are spread evenly over the last two years."""
    box = LoglineBox(root)
    now = int(time.time())
    for number in range(lines):
        when = now - YEARS_S + YEARS_S * number // lines - 600
        box.write_file(box.add(when), when + 600)
    box.publish()
    os.sync()
    return box


def row(name: str, usage: Usage) -> None:
    """Print a row of the table."""
    print(f"| {name} | {usage.wall_s:.2f} | {usage.cpu_s:.2f} | {usage.peak_mb:.0f} |", flush=True)


@contextmanager
def running(box: LoglineBox, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the program until it has said that it works."""
    process = subprocess.Popen(PLAYLIST, env={**os.environ, **env}, stderr=subprocess.DEVNULL)
    heartbeat = box.storage.services / "playlist_manager.json"
    try:
        while not heartbeat.exists() or not json.loads(heartbeat.read_bytes())["details"].get(
            "items"
        ):
            time.sleep(0.1)
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def new_line(box: LoglineBox) -> float:
    """Add a LogLine as the writer does; return the seconds until a playlist shows it."""
    entry = box.add(int(time.time()))
    box.publish()
    hidden = box.write_file(entry, name=".vv-tmp-new.json")
    title = f'"title": "{box.size - 1}"'
    playlist = box.storage.playlists / "playlist.json"
    with INotify() as watch:
        watch.add_watch(box.storage.playlists, flags.MOVED_TO)
        began = time.monotonic()
        hidden.rename(box.storage.loglines / f"clip-{box.size - 1}.logline.json")
        while title not in playlist.read_text("utf-8"):
            watch.read(timeout=10_000)
        return time.monotonic() - began


def cpu_s(pid: int) -> float:
    """Return the processor time that a process has taken, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mb(pid: int) -> float:
    """Return the largest resident size of a process so far, MiB."""
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    main()
