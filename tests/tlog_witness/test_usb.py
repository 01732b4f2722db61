"""Heads on a USB stick: collected, compared, and never beside one that contradicts."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.tlog_witness.boxes import START
from tests.tlog_witness.logs import ORIGIN, key_of, plain_entries, write_log
from vv_core.errors import InputMissingError, TemporaryError
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.heads import read_heads
from vv_core.tlog.note import Signer, sign_note
from vv_core.tlog.own_log import LogContradiction, OwnLog
from vv_core.tlog.witness_usb import visit_usb


@pytest.fixture
def log(tmp_path: Path) -> OwnLog:
    return write_log(tmp_path / "log", plain_entries(300))


def test_a_stick_collects_heads(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    sizes = [1, 5, 300]
    for number, size in enumerate(sizes):
        log = write_log(tmp_path / f"log{size}", plain_entries(size))
        visit = visit_usb(log, stick, START + timedelta(days=number))
        assert (visit.is_new, visit.known) == (True, number)
        assert visit.last_size == (sizes[number - 1] if number else 0)
        again = visit_usb(log, stick, START + timedelta(days=number, hours=1))
        assert (again.is_new, again.path) == (False, visit.path)
    names = [path.name for path in sorted(visit.path.parent.iterdir())]
    assert names[0] == "20261121T050304Z-0000000001.checkpoint"
    assert [Path(name).stem.split("-")[1] for name in names] == [f"{each:010d}" for each in sizes]
    assert len(read_heads(stick)) == 3
    assert read_heads(stick)[-1] == log.note


def test_a_stick_finds_out(tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    visit_usb(write_log(tmp_path / "a", plain_entries(9)), stick, START)
    before = sorted(stick.rglob("*"))
    for name, entries in {
        "cut": plain_entries(8),
        "same": plain_entries(9, 3),
        "longer": plain_entries(400, 3),
    }.items():
        with pytest.raises(LogContradiction) as caught:
            visit_usb(write_log(tmp_path / name, entries), stick, START)
        assert "logline_verifier --head" in caught.value.advice
        assert sorted(stick.rglob("*")) == before


def test_a_stick_with_other_things(log: OwnLog, tmp_path: Path) -> None:
    stick = tmp_path / "stick"
    (stick / "photos").mkdir(parents=True)
    (stick / "photos" / "cat.jpg").write_bytes(b"cat")
    folder = visit_usb(log, stick, START).path.parent
    forged = sign_note(Checkpoint(ORIGIN, 999, b"\1" * 32).encode(), Signer(ORIGIN, key_of(9)))
    (folder / "20250101T000000Z-0000000999.checkpoint").write_bytes(forged)
    (folder / "20250102T000000Z-0000000001.checkpoint").write_bytes(b"torn")
    (folder / ".vv-tmp-123.checkpoint").write_bytes(b"")
    visit = visit_usb(log, stick, START)
    assert len(visit.unreadable) == 2
    assert not visit.is_new
    other = write_log(tmp_path / "other", plain_entries(4), Signer("vv-log/other-box", key_of(3)))
    assert visit_usb(other, stick, START).is_new


def test_a_stick_that_keeps_no_modes(
    log: OwnLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAT, as sticks are sold: setting a mode fails."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    for name in ("chmod", "fchmod"):
        monkeypatch.setattr(os, name, refuse)
    assert visit_usb(log, tmp_path, START).is_new


def test_a_full_stick(log: OwnLog, small_disk: Path, fill_up: Callable[[Path], Path]) -> None:
    visit_usb(log, small_disk, START)
    ballast = fill_up(small_disk)
    before = read_heads(small_disk / "vv-log-heads")
    longer = write_log(log.reader.folder.parent / "longer", plain_entries(301))
    with pytest.raises(TemporaryError, match="No space left"):
        visit_usb(longer, small_disk, START + timedelta(days=1))
    assert read_heads(small_disk / "vv-log-heads") == before
    ballast.unlink()
    assert visit_usb(longer, small_disk, START + timedelta(days=1)).is_new


def test_a_stick_that_is_not_there(log: OwnLog, tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match="there is no folder"):
        visit_usb(log, tmp_path / "mnt", START)
    assert not (tmp_path / "mnt").exists()
