"""What a real cycle of the orchestrator leaves in the log: starts, gaps, silent cameras, one line a video."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.box import Box, FakeClock, new_box
from tests.tlog_verifying.box import audit
from vv_core.audit.keys import read_key_store
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.tiles import LogReader

pytestmark = pytest.mark.integration


class BootClock(FakeClock):
    """A clock of which both hands are moved."""

    def monotonic(self) -> float:
        return time.monotonic() + self.offset_s


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    box = new_box(tmp_path, monkeypatch)
    box.clock = BootClock()
    return box


def lines(box: Box) -> list[dict[str, Any]]:
    """Return the lines of the log, after an audit that finds nothing wrong."""
    folder = box.folder("loglines")
    vkey = (folder / "log" / VKEY).read_text("utf-8").strip()
    assert audit(folder, vkeys=[vkey], keys=read_key_store(box.key_store).keys).problems == []
    size = int((folder / "log" / "checkpoint").read_text("utf-8").split("\n")[1])
    entries = LogReader(folder / "log").entries(0, size)
    return [json.loads(entry) for entry in entries if entry is not None]


def kinds(box: Box) -> list[str]:
    return [line.get("kind", line["schema"]) for line in lines(box)]


def test_a_box_says_what_it_did_not_see(box: Box) -> None:
    box.add("gate/a.mp4")
    assert box.cycle() == 0
    assert kinds(box) == ["start", "vv.logline/2"]
    for minutes in (10, 10, 10, 10, 10, 10, 10):
        box.wait(60 * minutes)
        assert box.cycle() == 0
    assert kinds(box)[2:] == ["camera_silent"]
    assert lines(box)[2]["details"]["camera"] == "gate"
    box.wait(-70 * 60)
    box.add("gate/b.mp4")
    box.clock.offset_s = 0
    assert box.cycle() == 0
    assert kinds(box)[3:] == ["camera_back", "vv.logline/2"]
    box.wait(3 * 3600)
    assert box.cycle() == 0
    assert kinds(box)[5:] == ["box_off"]


def test_an_idle_cycle_writes_nothing(box: Box) -> None:
    assert box.cycle() == 0
    before = (box.folder("loglines") / "log/checkpoint").stat()
    box.wait(300)
    assert box.cycle() == 0
    after = (box.folder("loglines") / "log/checkpoint").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_clock_that_was_set_is_said(box: Box) -> None:
    box.clock = FakeClock()
    assert box.cycle() == 0
    box.wait(7200)
    assert box.cycle() == 0
    assert kinds(box) == ["start", "clock_step"]


def test_what_cannot_be_written_is_written_later(box: Box) -> None:
    box.key_store.chmod(0o644)
    assert box.cycle() == 0
    assert box.alerts() == [("coverage_not_logged", "log")]
    box.key_store.chmod(0o600)
    assert box.cycle() == 0
    assert kinds(box) == ["start"]


def test_a_damaged_state_begins_anew(box: Box) -> None:
    assert box.cycle() == 0
    box.wait(60)
    (box.folder("orchestrator_data") / "coverage.json").write_text('{"schema":"vv.coverage/1"}')
    assert box.cycle() == 0
    assert kinds(box) == ["start", "start"]


def test_a_video_that_comes_again_gets_no_second_line(box: Box) -> None:
    box.add("a.mp4")
    assert box.cycle() == 0
    folder = box.folder("loglines")
    before = lines(box)
    (video,) = box.names("processed")
    (box.folder("processed") / video).rename(box.input / video)
    box.log_path.unlink()
    assert box.cycle() == 0
    assert lines(box) == before
    assert len(list(folder.glob("*.logline.json"))) == 1
