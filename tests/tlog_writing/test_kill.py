"""kill -9 at every durable step of a writer, and torn ends of the write-ahead file at every byte."""

from __future__ import annotations

import os
import random
import shutil
import signal
from pathlib import Path

import pytest

from tests.tlog_writing.faults import MODES, Strike, check_after_fault, write_in_child
from tests.tlog_writing.logs import LogBox, append_to, check_log, snapshot
from vv_core.tlog.log_writer import LogWriter
from vv_core.tlog.wal import scan_frames

# A test here is hundreds of starts: minutes, where the machine is slow.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

NAMES = ("a", "b", "c")
FEWEST_STEPS = 40
TORTURE = int(os.environ.get("TORTURE_KILLS", "0"))
"""How many kills at random by hand; then every byte is cut as well."""
KILLS_OF_ONE_LOG = 100
BYTES = 1 if TORTURE else 11


@pytest.mark.parametrize("mode", MODES)
def test_a_kill_at_every_step(quick_path: Path, mode: str) -> None:
    at = 0
    while True:
        at += 1
        box = LogBox(quick_path / str(at))
        box.append("before")
        strike = Strike(at, mode)
        reported, status = write_in_child(box, NAMES, strike.arm)
        check_after_fault(box, ["before", *reported], ["before", *NAMES])
        shutil.rmtree(box.home)
        if status == 0:
            break
        assert status == -signal.SIGKILL
    assert at > FEWEST_STEPS


@pytest.mark.parametrize("mode", MODES)
def test_a_kill_at_every_step_of_a_recovery(quick_path: Path, mode: str) -> None:
    template = LogBox(quick_path / "template")
    template.append("a")
    log = LogWriter(template.settings, template.clock)
    log.open()
    append_to(log, "b")
    template.kill(log)
    wal = template.state / "wal"
    wal.write_bytes(wal.read_bytes() + b"VVW1 torn")
    (template.loglines / "b.logline.json").unlink()
    at = 0
    while True:
        at += 1
        home = quick_path / str(at)
        shutil.copytree(template.home, home)
        box = LogBox(home)
        reported, status = write_in_child(box, ["c"], Strike(at, mode).arm)
        check_after_fault(box, ["a", "b", *reported], ["a", "b", "c"])
        assert box.kinds().count("recovery") >= 1
        shutil.rmtree(home)
        if status == 0:
            break


@pytest.mark.parametrize("seed", range(max(1, TORTURE // KILLS_OF_ONE_LOG)))
def test_kills_at_random(quick_path: Path, seed: int) -> None:
    kill_at_random(LogBox(quick_path), KILLS_OF_ONE_LOG, random.Random(seed))


def kill_at_random(box: LogBox, kills: int, rng: random.Random) -> None:
    """Kill writers of one log at random steps, one after the other, and check after each."""
    wanted: list[str] = []
    reported: list[str] = []
    while kills:
        names = [f"v{len(wanted) + each}" for each in range(rng.randrange(1, 5))]
        box.clock.step(hours=rng.choice([0, 0, 0, 25, -1]))
        strike = Strike(rng.randrange(1, 30 * len(names)), rng.choice(MODES))
        acknowledged, status = write_in_child(box, names, strike.arm)
        wanted += names
        reported += acknowledged
        kills -= status != 0
        if rng.random() < 0.5:
            # The next writer is killed too, while it recovers.
            strike = Strike(rng.randrange(1, 40), rng.choice(MODES))
            kills -= write_in_child(box, [], strike.arm)[1] != 0
        check_after_fault(box, reported, wanted)
        reported = list(wanted)


def torn_box(folder: Path) -> tuple[LogBox, bytes]:
    """Return a log whose writer was killed after two lines, and its write-ahead file."""
    box = LogBox(folder)
    box.append("a")
    log = LogWriter(box.settings, box.clock)
    log.open()
    append_to(log, "b")
    append_to(log, "c")
    box.kill(log)
    return box, (box.state / "wal").read_bytes()


def test_torn_at_every_byte_of_the_last_frame(quick_path: Path) -> None:
    """A frame is torn only before its line was committed: nothing that came after it is there."""
    box = LogBox(quick_path / "template")
    box.append("a")
    log = LogWriter(box.settings, box.clock)
    log.open()
    append_to(log, "b")
    before = snapshot(box.home)
    append_to(log, "c")
    box.kill(log)
    frames = (box.state / "wal").read_bytes()
    first = len(before["data/orchestrator_data/log/wal"])
    restore(box.home, before)
    for cut in range(first, len(frames), BYTES):
        copy = LogBox(quick_path / "copy")
        shutil.copytree(box.home, copy.home, dirs_exist_ok=True)
        (copy.state / "wal").write_bytes(frames[:cut])
        copy.recover()
        assert copy.names() == ["a", "b"]
        recoveries = [line for line in copy.lines() if line.get("kind") == "recovery"]
        assert [line["details"]["torn_bytes"] for line in recoveries] == [cut - first] * (
            cut > first
        )
        torn = snapshot(copy.state / "torn")
        assert list(torn.values()) == [frames[first:cut]] * (cut > first)
        shutil.rmtree(copy.home)


def restore(folder: Path, files: dict[str, bytes]) -> None:
    """Make a folder hold these files and no others."""
    for path in [path for path in folder.rglob("*") if path.is_file()]:
        if str(path.relative_to(folder)) not in files:
            path.unlink()
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def test_a_write_ahead_file_cut_at_every_byte_loses_no_line(quick_path: Path) -> None:
    """Even where committed frames are cut: what the log itself holds is not lost."""
    template, frames = torn_box(quick_path / "template")
    assert len(scan_frames(frames).records) == 2
    for cut in range(0, len(frames), BYTES):
        box = LogBox(quick_path / "copy")
        shutil.copytree(template.home, box.home, dirs_exist_ok=True)
        (box.state / "wal").write_bytes(frames[:cut])
        box.recover()
        check_log(box)
        assert box.names() == ["a", "b", "c"]
        shutil.rmtree(box.home)


def test_a_flipped_bit_in_a_frame_is_never_believed(quick_path: Path) -> None:
    template, frames = torn_box(quick_path / "template")
    rng = random.Random(7)
    for _ in range(60):
        box = LogBox(quick_path / "copy")
        shutil.copytree(template.home, box.home, dirs_exist_ok=True)
        position = rng.randrange(len(frames))
        changed = bytearray(frames)
        changed[position] ^= 1 << rng.randrange(8)
        (box.state / "wal").write_bytes(changed)
        box.recover()
        assert box.names() == ["a", "b", "c"]
        shutil.rmtree(box.home)
