"""A full disk under each stage's output and under the orchestrator's own state.

Real file systems that are really full: small ones in memory, mounted by the test.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.killing import finish
from vv_core.errors import TemporaryError, VvError
from vv_core.pipeline.lock import CycleLock
from vv_core.tlog.head_state import mark_path

PAGE = os.sysconf("SC_PAGE_SIZE")
FILLER = ".filler"

Mount = Callable[..., Path]


@pytest.fixture
def mount() -> Iterator[Mount]:
    """Return a function that mounts a small file system on a folder."""
    mounted: list[Path] = []

    def do(folder: Path, size: int = 64 * PAGE, inodes: int = 1000) -> Path:
        options = f"size={size},nr_inodes={inodes},mode=755"
        argv = ["mount", "-t", "tmpfs", "-o", options, "vv-test", str(folder)]
        result = subprocess.run(argv, capture_output=True, text=True, check=False)
        if result.returncode:
            pytest.skip(f"mounting is not permitted: {result.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield do
    for folder in reversed(mounted):
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill_up(folder: Path, free_pages: int = 0) -> None:
    """Leave so many pages free on the file system of a folder."""
    status = os.statvfs(folder)
    pages = max(0, status.f_bavail * status.f_frsize // PAGE - free_pages)
    with (folder / FILLER).open("wb", buffering=0) as stream, suppress(OSError):
        for _ in range(pages):
            stream.write(b"\0" * PAGE)


def use_up_inodes(folder: Path, free: int) -> None:
    """Leave so many inodes free on the file system of a folder."""
    (folder / FILLER).mkdir()
    for number in range(max(0, os.statvfs(folder).f_favail - free)):
        (folder / FILLER / str(number)).touch()


def make_room(folder: Path) -> None:
    filler = folder / FILLER
    if filler.is_dir():
        for path in filler.iterdir():
            path.unlink()
        filler.rmdir()
    else:
        filler.unlink()


def add_videos(box: Box) -> None:
    box.add("cam/a.mp4")
    box.add("b.mp4")
    box.add("bad.mp4", "bad")


def run_into_it(box: Box) -> VvError | int:
    """Run a cycle; return its exit code or its error."""
    try:
        return box.cycle()
    except VvError as exc:
        return exc


@pytest.mark.parametrize(
    ("folder", "stage"),
    [
        ("analytic", "scan_video"),
        ("summaries", "summarize_scene"),
        ("loglines", "logline_generator"),
    ],
)
def test_no_room_for_a_stages_output(box: Box, mount: Mount, folder: str, stage: str) -> None:
    fill_up(mount(box.folder(folder)))
    add_videos(box)
    for _ in range(3):
        assert run_into_it(box) == 0
        box.check()
        box.wait(7200)
    assert box.names("input") == ["b.mp4", "cam/a.mp4"]
    with box.history() as history:
        failed = [run for run in history.stage_runs() if run.exit_code not in {0, 65}]
    assert {(run.stage, run.exit_code) for run in failed} == {(stage, 75)}
    assert all("No space left on device" in run.message for run in failed)
    assert ("stage_retry", "b.mp4") in box.alerts()
    make_room(box.folder(folder))
    finish(box)
    box.check_settled()


def test_no_room_in_processed(box: Box, mount: Mount) -> None:
    fill_up(mount(box.folder("processed")))
    add_videos(box)
    assert run_into_it(box) == 0
    box.check()
    assert box.names("input") == ["b.mp4", "cam/a.mp4"]
    assert len(box.log_lines()) == 2
    assert {code for code, _ in box.alerts()} == {"move_failed"}
    make_room(box.folder("processed"))
    finish(box)
    box.check_settled()
    assert len(box.log_lines()) == 2


def test_no_room_in_corrupted(box: Box, mount: Mount) -> None:
    fill_up(mount(box.folder("corrupted")))
    add_videos(box)
    assert run_into_it(box) == 0
    box.check()
    assert box.names("input") == ["bad.mp4"]
    assert box.alerts() == [("quarantine_failed", "bad.mp4")]
    make_room(box.folder("corrupted"))
    finish(box)
    box.check_settled()


def test_no_room_for_the_orchestrators_state(
    box: Box, mount: Mount, capsys: pytest.CaptureFixture[str]
) -> None:
    fill_up(mount(box.folder("orchestrator_data")))
    add_videos(box)
    for _ in range(3):
        error = run_into_it(box)
        assert isinstance(error, TemporaryError)
        assert "Free disk space" in error.advice
        assert len(box.videos("input")) == 3
        box.check()
    make_room(box.folder("orchestrator_data"))
    finish(box)
    box.check_settled()


def test_a_left_over_that_cannot_be_removed_does_not_stop_the_box(box: Box, mount: Mount) -> None:
    in_use = box.folder("analytic") / ".vv-tmp-in-use"
    in_use.mkdir()
    mount(in_use)
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock") as lock:
        lock.begin_cycle()
    box.add("a.mp4")
    assert run_into_it(box) == 0
    assert box.names("processed") == ["a.mp4"]
    assert in_use.exists()


def sweep(box: Box, folder: Path, make_tight: Callable[[Path, int], None], most: int) -> int:
    """Run cycles with ever more room until one gets through; return how much it needed."""
    for room in range(most):
        add_videos(box)
        make_tight(folder, room)
        outcome = run_into_it(box)
        box.check()
        through = outcome == 0 and not box.videos("input")
        make_room(folder)
        finish(box)
        box.check_settled()
        if through:
            return room
        empty(box)
    raise AssertionError("it never got through")


def empty(box: Box) -> None:
    """Start again with a box that has processed nothing."""
    for path in box.folder("").rglob("*"):
        if path.is_file():
            path.unlink()
    # The signing key remembers what it has signed.
    mark_path(box.home / "secrets" / "log_signing_key.pem").unlink(missing_ok=True)
    box.contents = set()


@pytest.mark.integration
def test_the_disk_is_full_at_any_moment(make_box: MakeBox, mount: Mount) -> None:
    box = make_box(ORCHESTRATOR_BATCH_SIZE=2)
    storage = mount(box.folder(""), size=200 * PAGE)
    box.settings.storage.ensure()
    assert sweep(box, storage, fill_up, most=150) > 10


@pytest.mark.integration
def test_the_inodes_run_out_at_any_moment(make_box: MakeBox, mount: Mount) -> None:
    box = make_box(ORCHESTRATOR_BATCH_SIZE=2)
    storage = mount(box.folder(""), size=2000 * PAGE, inodes=150)
    box.settings.storage.ensure()
    assert sweep(box, storage, use_up_inodes, most=100) > 5


@pytest.mark.integration
@pytest.mark.parametrize("workers", [1, 3])
def test_the_state_is_full_at_any_moment(make_box: MakeBox, mount: Mount, workers: int) -> None:
    box = make_box(ORCHESTRATOR_BATCH_SIZE=1, ORCHESTRATOR_WORKERS=workers)
    state = mount(box.folder("orchestrator_data"), size=200 * PAGE)
    assert sweep(box, state, fill_up, most=150) > 5
