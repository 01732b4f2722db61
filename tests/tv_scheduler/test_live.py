"""The program as it runs: a real process, told by the real kernel, killed, and kept from writing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.tv_scheduler.conftest import TvBox
from vv_core.heartbeat import read_heartbeat
from vv_core.media_record import Clip, MediaRecord, MediaState, write_media_record
from vv_core.service_health import check

pytestmark = pytest.mark.integration
NEVER_POLL_S = "3600"
"""What is listed then was told by the kernel."""
RULES = "schema: vv.tv-rules/1\ntvs: [{name: NAME, statuses: [alerta], order: time, window_hours: HOURS}]\n"


class Running:
    """The program and what it has made."""

    def __init__(self, box: TvBox, process: subprocess.Popen[str]) -> None:
        self.box = box
        self.process = process
        self.heartbeat = box.settings.storage.services / "playlist_manager.json"

    def document(self, name: str = "tv1") -> dict[str, Any]:
        path = self.box.settings.storage.playlists / f"{name}.json"
        document: dict[str, Any] = json.loads(path.read_bytes())
        return document

    def titles(self, name: str = "tv1") -> list[str]:
        return [item["title"] for item in self.document(name)["items"]]

    def show(self, *titles: str, name: str = "tv1") -> None:
        wait_for(lambda: self.titles(name) == list(titles), f"{name} does not show {titles}")

    def problem(self) -> str | None:
        return check(self.heartbeat, self.box.log.clock.now())

    def details(self) -> dict[str, Any]:
        return read_heartbeat(self.heartbeat).details


def wait_for(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + 150
    while True:
        try:
            if condition():
                return
        except FileNotFoundError:
            pass
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@contextmanager
def running(box: TvBox, poll_s: str = NEVER_POLL_S, **more: str) -> Iterator[Running]:
    box.settings.storage.services.mkdir(exist_ok=True)
    environment = {
        **os.environ,
        **box.log.environ,
        "VV_HOME": str(box.log.home),
        "VV_PLAYLIST_POLL_SECONDS": poll_s,
        **more,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tv_scheduler.tv_scheduler"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    program = Running(box, process)
    try:
        wait_for(lambda: program.problem() is None and program.details().get("items"), "no start")
        yield program
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_it_shows_what_comes_changes_and_goes(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=2))
    with running(box) as program:
        program.show("a")
        path = box.add("b")
        program.show("a", "b")
        whole = path.read_bytes()
        path.write_bytes(whole.replace(b'"title":"b"', b'"title":"x"'))
        program.show("a")
        wait_for(lambda: program.details()["refused"] == 1, "not refused")
        path.write_bytes(whole)
        program.show("a", "b")
        wait_for(lambda: program.details()["refused"] == 0, "still refused")
        path.unlink()
        program.show("a")


def test_half_a_file_is_waited_for(box: TvBox) -> None:
    whole = box.add("a").read_bytes()
    path = box.settings.storage.loglines / "a.logline.json"
    path.unlink()
    with running(box) as program:
        program.show()
        with path.open("wb") as stream:
            stream.write(whole[:200])
            stream.flush()
            wait_for(lambda: program.details()["unreadable"] == 1, "the half was not seen")
            stream.write(whole[200:])
        program.show("a")
        wait_for(lambda: program.details()["unreadable"] == 0, "still waited for")
        assert program.details()["refused"] == 0


def test_clips_come_and_go(box: TvBox) -> None:
    storage = box.settings.storage
    storage.media.mkdir()
    sha256 = json.loads(box.add("a").read_bytes())["evidence"]["video_sha256"]
    clip = Clip(sha256, "processed", "gate/a.mp4", 5, 1500, 640, 360, "h264", None)
    path = storage.processed / clip.path
    path.parent.mkdir()

    def media(program: Running) -> Any:
        return program.document()["items"][0]["media"]

    with running(box) as program:
        assert media(program) is None
        path.write_bytes(b"12345")
        write_media_record(storage, MediaRecord(sha256, box.now, clip, MediaState.AS_IS))
        wait_for(lambda: media(program) == f"/media/{sha256}.mp4", "the clip is not listed")
        path.unlink()
        wait_for(lambda: media(program) is None, "the clip is still listed")
        path.write_bytes(b"12345")
        wait_for(lambda: media(program) is not None, "the clip is not listed again")
        shutil.rmtree(path.parent)
        wait_for(lambda: media(program) is None, "the clip is listed without its folder")


def test_rules_change_and_wrong_ones_leave_the_last(box: TvBox) -> None:
    folder = box.settings.storage.root / "config"
    folder.mkdir()
    rules = folder / "tvs.yaml"
    rules.write_text(RULES.replace("NAME", "hall").replace("HOURS", "2"))
    box.add("a", "alerta")
    with running(box, VV_PLAYLIST_RULES_FILE="data/config/tvs.yaml") as program:
        program.show("a", name="hall")
        rules.write_text(RULES.replace("NAME", "gate").replace("HOURS", "2"))
        program.show("a", name="gate")
        rules.write_text(RULES.replace("NAME", "gate").replace("HOURS", "two"))
        wait_for(lambda: "key 'window_hours'" in (program.problem() or ""), "not told")
        box.add("b", "alerta", ago=timedelta(minutes=1))
        program.show("a", "b", name="gate")
        rules.write_text(RULES.replace("NAME", "gate").replace("HOURS", "1"))
        wait_for(lambda: program.problem() is None, "still told")
        program.show("b", name="gate")


def test_an_item_leaves_to_the_second_though_nothing_happens(box: TvBox) -> None:
    box.add("a", ago=timedelta(hours=24) - timedelta(seconds=20))
    box.add("b")
    with running(box) as program:
        program.show("a", "b")
        program.show("b")


def test_killed_at_any_time_it_starts_from_what_is_there(box: TvBox) -> None:
    index = box.settings.storage.playlist_state / "index.sqlite"
    box.add("a", ago=timedelta(hours=2))
    for round_, name in enumerate("bcde"):
        with running(box) as program:
            program.show(*"abcde"[: round_ + 1])
            box.add(name, ago=timedelta(hours=1) - timedelta(seconds=round_))
            if round_ % 2:
                program.show(*"abcde"[: round_ + 2])
            program.process.send_signal(signal.SIGKILL)
            program.process.wait(timeout=60)
        if round_ == 1:
            index.write_bytes(b"no index")
        if round_ == 2:
            shutil.rmtree(index.parent)
    with running(box) as program:
        program.show(*"abcde")


def test_a_folder_that_is_replaced_goes_on_being_heard(box: TvBox) -> None:
    folder = box.settings.storage.loglines
    box.add("a", ago=timedelta(hours=2))
    with running(box) as program:
        program.show("a")
        shutil.copytree(folder, folder.parent / "copy")
        folder.rename(folder.parent / "away")
        (folder.parent / "copy").rename(folder)
        box.add("b")
        program.show("a", "b")
        shutil.rmtree(folder.parent / "away")
        box.add("c", ago=timedelta(minutes=1))
        program.show("a", "b", "c")
        folder.rename(folder.parent / "away")
        wait_for(lambda: "list the LogLines" in (program.problem() or ""), "not told")
        assert program.titles() == ["a", "b", "c"]
        (folder.parent / "away").rename(folder)
        wait_for(lambda: program.problem() is None, "still told")
        program.show("a", "b", "c")


def test_what_cannot_be_written_is_told_once_and_made_up_for(box: TvBox) -> None:
    storage = box.settings.storage
    assert "cannot read" in (check(storage.services / "playlist_manager.json", box.now) or "")
    with running(box, poll_s="0.2") as program:
        box.add("a")
        program.show("a")
        storage.playlists.rename(storage.root / "away")
        wait_for(lambda: "write playlists" in (program.problem() or ""), "still healthy")
        box.add("b", ago=timedelta(minutes=1))
        time.sleep(1)
        (storage.root / "away").rename(storage.playlists)
        wait_for(lambda: program.problem() is None, "never healthy again")
        program.show("a", "b")
        program.process.send_signal(signal.SIGTERM)
        _, err = program.process.communicate(timeout=60)
    assert program.process.returncode == 0
    assert err.count("write playlists") == 1, "told once, not with every turn"


def test_without_the_kernels_word_it_is_found_at_the_next_look(box: TvBox, tmp_path: Path) -> None:
    # A partner that has no inotify to give: the limit of instances is reached.
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook/sitecustomize.py").write_text(
        "import ctypes\n"
        "import inotify_simple\n"
        "def refuse(*_, **__):\n"
        "    raise OSError(24, 'Too many open files')\n"
        "inotify_simple.INotify = refuse\n"
    )
    with running(box, poll_s="0.2", PYTHONPATH=str(tmp_path / "hook")) as program:
        path = box.add("a")
        program.show("a")
        path.unlink()
        program.show()


def test_a_full_disk_is_told_and_gone_on_from(box: TvBox, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("a small disk cannot be mounted here")
    storage = box.settings.storage
    storage.playlists.rmdir()
    storage.playlists.symlink_to(disk)
    try:
        with running(box, poll_s="0.5") as program:
            filler = disk / "filler"
            with pytest.raises(OSError, match="No space left"):
                filler.write_bytes(b"x" * 1024 * 1024)
            box.add("a")
            wait_for(lambda: "No space left" in (program.problem() or ""), "not told")
            assert program.titles() == [], "the old one is whole"
            filler.unlink()
            program.show("a")
            wait_for(lambda: program.problem() is None, "still told")
    finally:
        subprocess.run(["umount", disk], check=True)
