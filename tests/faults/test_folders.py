"""Folders that the stages cannot write to, in their containers: closed, read-only, full."""

from __future__ import annotations

import os
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.containers.live import LiveBox
from tests.faults.conftest import MountSmall
from tests.faults.cycles import attempts, check_done, cycle, failures

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]

FILLER = ".filler"


def test_a_closed_and_a_read_only_folder_are_named_and_the_video_waits(
    live: LiveBox, clips: list[Path], mount_small: MountSmall
) -> None:
    """The scanner meets a folder that it may not write to, the summarizer then one on a read-only disk."""
    sha256 = live.add(clips[0])
    analytic, summaries = live.box.folder("analytic"), live.box.folder("summaries")
    mount_small(summaries)
    remount(summaries, "ro")
    analytic.chmod(0o555)
    closed = cycle(live)
    assert closed.code == 0, closed.said
    assert "to be tried again (cannot " in closed.said
    assert "Permission denied" in closed.said
    analytic.chmod(0o755)
    read_only = cycle(live)
    assert read_only.code == 0, read_only.said
    assert "Read-only file system" in read_only.said
    runs = [(stage, code) for stage, _, code, _ in failures(live)]
    assert runs == [("scan_video", 75), ("summarize_scene", 75)]
    assert attempts(live, sha256) == (2, 0), "tried again for ever, never blamed"
    live.check(is_settled=False)
    remount(summaries, "rw")
    assert cycle(live).code == 0
    check_done(live, videos=1)


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], timeout=30, check=True)


def fill_up(folder: Path) -> None:
    """Leave nothing free on the file system of a folder."""
    with (folder / FILLER).open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"\0" * os.sysconf("SC_PAGE_SIZE"))


def test_a_full_disk_under_each_output_in_turn_loses_nothing(
    live: LiveBox, clips: list[Path], mount_small: MountSmall
) -> None:
    hashes = [live.add(clip) for clip in clips[:2]]
    folders = [live.box.folder(name) for name in ("analytic", "summaries", "loglines")]
    for folder in folders:
        mount_small(folder)
        fill_up(folder)
    for folder in folders:
        full = cycle(live)
        assert full.code == 0, full.said
        assert full.said.count(": to be tried again (cannot ") == 2
        assert "No space left on device" in full.said
        live.check(is_settled=False)
        (folder / FILLER).unlink()
    stages = ["scan_video"] * 2 + ["summarize_scene"] * 2 + ["logline_generator"] * 2
    assert [(stage, code) for stage, _, code, _ in failures(live)] == [(s, 75) for s in stages]
    assert [attempts(live, sha256) for sha256 in hashes] == [(3, 0)] * 2
    assert cycle(live).code == 0
    check_done(live, videos=2)
