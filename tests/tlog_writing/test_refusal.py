"""Older backups, lost and changed files, power cuts: what is recovered, what is refused, and the way out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tlog_verifying.box import audit
from tests.tlog_writing.faults import problems
from tests.tlog_writing.logs import LogBox, append_to, check_log, read_checkpoint, snapshot
from tests.tlog_writing.test_kill import restore
from vv_core.errors import ExitCode, KeyAccessError
from vv_core.tlog.head_state import LogRefused
from vv_core.tlog.log_writer import LogWriter
from vv_core.tlog.maintenance import prune
from vv_core.tlog.repair import repair


def refused(box: LogBox, match: str) -> None:
    """The log is refused with this reason and the way out, and nothing is written."""
    before = snapshot(box.home)
    with pytest.raises(LogRefused, match=match) as caught:
        box.append("next")
    assert caught.value.exit_code is ExitCode.NOPERM
    assert "repair" in caught.value.advice
    assert snapshot(box.home) == before


BACKUPS = {
    "the log alone": ["data/loglines/log"],
    "the folder of LogLines": ["data/loglines"],
    "all data": ["data"],
    "the log and the writer's state": ["data/loglines/log", "data/orchestrator_data"],
}


@pytest.mark.parametrize("folders", BACKUPS.values(), ids=BACKUPS)
def test_a_restored_older_backup_is_refused(box: LogBox, folders: list[str]) -> None:
    box.append("a")
    backup = {folder: snapshot(box.home / folder) for folder in folders}
    box.append("b")
    for folder, files in backup.items():
        restore(box.home / folder, files)
    refused(box, "older backup put back|head of 2 lines was signed")


def test_data_that_was_wiped_is_refused(box: LogBox) -> None:
    box.append("a")
    shutil.rmtree(box.home / "data")
    box.settings.storage.ensure()
    with pytest.raises(LogRefused, match="holds 0 lines, but a head of 1 lines was signed"):
        box.append("b")


def test_an_older_state_beside_a_newer_log_is_no_harm(box: LogBox) -> None:
    """Only the writer's own state was put back: the log itself is whole and signed."""
    box.append("a")
    old = snapshot(box.home / "data/orchestrator_data")
    box.append("b")
    restore(box.home / "data/orchestrator_data", old)
    box.append("c")
    assert box.names() == ["a", "b", "c"]


def test_a_lost_state_beside_a_whole_log_is_no_harm(box: LogBox) -> None:
    box.append("a", "b")
    shutil.rmtree(box.state)
    box.append("c")
    assert box.names() == ["a", "b", "c"]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def make_link(path: Path) -> None:
    path.rename(path.with_name("x"))
    path.symlink_to("x")


DAMAGE: dict[str, Callable[[LogBox], object]] = {
    "a tile is gone": lambda box: shutil.rmtree(box.folder / "tile/0"),
    "a bundle is gone": lambda box: shutil.rmtree(box.folder / "tile/entries"),
    "a tile is changed": lambda box: flip(box.folder / "tile/0/000.p/2"),
    "an entry is changed": lambda box: flip(box.folder / "tile/entries/000.p/2"),
    "a tile is a link": lambda box: make_link(box.folder / "tile/0"),
    "the state is damaged": lambda box: (box.state / "head.json").write_text("{}"),
    "the head is of another key": lambda box: (box.folder / "checkpoint").write_bytes(
        (box.folder / "checkpoint").read_bytes().replace(b"\n2\n", b"\n3\n")
    ),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_was_changed_is_refused(box: LogBox, damage: Callable[[LogBox], object]) -> None:
    box.append("a", "b")
    damage(box)
    refused(box, "the log is not continued")


def test_a_power_cut_keeps_only_what_was_synced(box: LogBox) -> None:
    """Everything since the last sync is lost except the write-ahead file; nothing else is missing then."""
    box.append("a")
    synced = snapshot(box.home)
    log = LogWriter(box.settings, box.clock)
    log.open()
    for name in ("b", "c", "d"):
        append_to(log, name)
    box.kill(log)
    after = snapshot(box.home)
    wal = "data/orchestrator_data/log/wal"
    restore(box.home, {**synced, wal: after[wal]})
    box.recover()
    assert box.names() == ["a", "b", "c", "d"]
    assert box.kinds() == ["recovery"]


@pytest.mark.parametrize("length", [0, 10])
def test_a_power_cut_that_leaves_empty_files(box: LogBox, length: int) -> None:
    """Renames may last longer than what was in the files: all that was not synced is cut short."""
    box.append("a")
    synced = snapshot(box.home)
    log = LogWriter(box.settings, box.clock)
    log.open()
    append_to(log, "b")
    append_to(log, "c")
    box.kill(log)
    for name, content in snapshot(box.home).items():
        if synced.get(name) != content and not name.endswith("/wal"):
            (box.home / name).write_bytes(content[:length])
    box.recover()
    check_log(box)
    assert box.names() == ["a", "b", "c"]


def test_a_published_file_that_stands_in_the_way_is_kept_aside(box: LogBox) -> None:
    box.append("a")
    log = LogWriter(box.settings, box.clock)
    log.open()
    append_to(log, "b")
    box.kill(log)
    (box.loglines / "b.logline.json").write_bytes(b"evidence")
    box.recover()
    assert box.names() == ["a", "b"]
    assert list(snapshot(box.state / "torn").values()) == [b"evidence"]


def test_a_log_in_order_needs_no_repair(box: LogBox) -> None:
    box.append("a")
    before = snapshot(box.home)
    result = repair(box.settings, box.clock)
    assert (result.action, result.size) == ("nothing", 1)
    assert snapshot(box.home) == before


@pytest.mark.parametrize("name", [name for name in DAMAGE if "another key" not in name])
def test_a_damaged_log_is_rebuilt_from_its_lines(box: LogBox, name: str) -> None:
    box.append("a", "b")
    head = read_checkpoint(box)
    DAMAGE[name](box)
    result = repair(box.settings, box.clock)
    assert result.action == "rebuilt"
    assert result.kept is not None
    assert box.names() == ["a", "b"]
    assert box.kinds() == ["recovery"]
    assert read_checkpoint(box).origin == head.origin
    box.append("c")
    assert box.names() == ["a", "b", "c"]
    assert problems(box) == []


def test_a_rolled_back_log_is_rebuilt_from_published_lines(box: LogBox) -> None:
    box.append("a")
    old = snapshot(box.folder)
    box.append("b")
    restore(box.folder, old)
    assert repair(box.settings, box.clock).action == "rebuilt"
    assert box.names() == ["a", "b"]


def test_a_rolled_back_log_is_rebuilt_from_a_copy(box: LogBox, tmp_path: Path) -> None:
    box.append("a")
    old = snapshot(box.home / "data")
    box.append(*(f"v{number}" for number in range(260)))
    copy = tmp_path / "copy"
    shutil.copytree(box.loglines, copy)
    restore(box.home / "data", old)
    with pytest.raises(LogRefused, match="not all lines"):
        repair(box.settings, box.clock)
    assert repair(box.settings, box.clock, source=copy / "log").action == "rebuilt"
    assert box.recover() == 262


def test_a_log_that_is_lost_is_closed_and_followed_by_another(box: LogBox) -> None:
    box.append("a")
    old = snapshot(box.home / "data")
    box.append("b")
    head = read_checkpoint(box)
    restore(box.home / "data", old)
    before = snapshot(box.loglines)
    result = repair(box.settings, box.clock, new_epoch=True)
    assert result.action == "new_epoch"
    assert result.origin == f"{head.origin}/e2"
    assert result.kept is not None
    assert snapshot(result.kept / "loglines") == before
    (line,) = box.lines()
    assert line["details"] == {
        "old_origin": head.origin,
        "signed_size": 2,
        "signed_root": head.root.hex(),
    }
    box.append("c")
    assert box.names() == ["c"]
    assert problems(box) == []
    # What was closed is audited alone: it is in order but for what was lost.
    vkey = (result.kept / "loglines/log/vkey").read_text("utf-8").strip()
    assert audit(result.kept / "loglines", vkeys=[vkey], keys=box.first_keys).problems == []


def test_a_pruned_log_is_rebuilt_with_its_tiles(quick_path: Path) -> None:
    box = LogBox(quick_path)
    box.append(*(f"v{number}" for number in range(300)))
    prune(box.settings, 256, box.clock)
    head = read_checkpoint(box)
    flip(box.folder / "tile/0/001.p/45")
    with pytest.raises(KeyAccessError):
        box.recover()
    for path in box.loglines.glob("v?.logline.json"):
        path.unlink()
    assert repair(box.settings, box.clock).action == "rebuilt"
    assert read_checkpoint(box).origin == head.origin
    assert box.recover() == 302
