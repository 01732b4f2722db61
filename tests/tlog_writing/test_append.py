"""Appending: what is in the log, in which form, and what the files look like afterwards."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.audit.samples import unsigned_logline
from tests.tlog_writing.logs import (
    LogBox,
    append_to,
    read_checkpoint,
    snapshot,
    temporaries,
)
from vv_core.audit.audit_folder import verify_file
from vv_core.audit.canonical import MalformedError
from vv_core.audit.keys import read_key_store
from vv_core.audit.verdict import Status
from vv_core.errors import ConfigError, KeyAccessError, TemporaryError
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.lock import LogLock
from vv_core.tlog.log_writer import SYNC_AFTER_LINES, LogWriter, open_log
from vv_core.tlog.merkle import EMPTY_ROOT
from vv_core.tlog.note import Signer, sign_note
from vv_core.tlog.signing_key import create_signing_key
from vv_core.tlog.wal import PublishedFile
from vv_core.utils import validate_schema
from vv_schemas import schema_path


def test_an_empty_log_has_a_signed_head(box: LogBox) -> None:
    assert box.recover() == 0
    checkpoint = read_checkpoint(box)
    assert (checkpoint.size, checkpoint.root) == (0, EMPTY_ROOT)
    assert checkpoint.origin.startswith("vv-log/vv-01-")
    assert box.lines() == []
    assert box.recover() == 0


def test_lines_follow_each_other(box: LogBox) -> None:
    (first, second), (third,) = box.append("a", "b"), box.append("c")
    assert [each.seq for each in (first, second, third)] == [0, 1, 2]
    assert box.names() == ["a", "b", "c"]
    assert third.checkpoint == (box.folder / "checkpoint").read_bytes()
    for line in box.lines():
        validate_schema(line, schema_path("logline"))
    verdict = verify_file(box.loglines / "a.logline.json", read_key_store(box.key_store).keys)
    assert verdict.status is Status.VALID


@pytest.mark.parametrize("count", [255, 256, 257, 300])
def test_tiles_around_a_full_one(quick_path: Path, count: int) -> None:
    box = LogBox(quick_path)
    box.append(*(f"v{number}" for number in range(count)))
    assert len(box.lines()) == count
    box.append("last")
    assert box.names()[-1] == "last"
    names = set(snapshot(box.folder / "tile"))
    size = count + 1
    if size > 256:
        assert not any(name.startswith(("0/000.p", "entries/000.p")) for name in names)
        assert {"0/000", "entries/000", "1/000.p/1"} <= names
    bundles = {name for name in names if name.startswith("entries/")}
    assert len(bundles) == size // 256 + bool(size % 256)


def test_hash_tiles_of_every_head_stay_until_the_full_one(box: LogBox) -> None:
    box.append("a", "b", "c")
    box.append("d")
    assert set(snapshot(box.folder / "tile/0")) == {f"000.p/{width}" for width in (1, 2, 3, 4)}


def test_private_things_are_private(box: LogBox) -> None:
    box.append("a")
    assert stat.S_IMODE(box.state.stat().st_mode) == 0o700
    for path in [*box.state.iterdir(), box.home / "secrets/log_signing_key.pem.head"]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077
    assert not temporaries(box)


def test_at_rest_the_write_ahead_file_is_empty(box: LogBox) -> None:
    box.append("a")
    assert (box.state / "wal").read_bytes() == b""
    assert json.loads((box.state / "head.json").read_bytes())["size"] == 1


def test_a_long_batch_is_synced_on_the_way(box: LogBox) -> None:
    with open_log(box.settings, box.clock) as log:
        for number in range(SYNC_AFTER_LINES):
            append_to(log, f"v{number}")
        assert (box.state / "wal").stat().st_size == 0
        assert json.loads((box.state / "head.json").read_bytes())["size"] == SYNC_AFTER_LINES


def test_a_line_without_a_canonical_form_changes_nothing(box: LogBox) -> None:
    box.append("a")
    before = snapshot(box.home / "data")
    with open_log(box.settings, box.clock) as log:
        with pytest.raises(MalformedError):
            log.append(lambda _position: unsigned_logline(this=1.5), lambda _signed, _line: [])
        assert not log.is_stopped
    assert snapshot(box.home / "data") == before


def fail() -> list[PublishedFile]:
    raise ZeroDivisionError


def test_a_refused_publication_changes_nothing(box: LogBox) -> None:
    box.append("a")
    with open_log(box.settings, box.clock) as log:
        with pytest.raises(ZeroDivisionError):
            log.append(
                lambda _position: unsigned_logline(logged_at="2026-11-21T12:00:00Z"),
                lambda _signed, _line: fail(),
            )
        append_to(log, "b")
    assert box.names() == ["a", "b"]


def test_the_name_of_a_log_is_chosen_once(box: LogBox) -> None:
    box.environ["VV_LOG_ORIGIN"] = "example.com/vv/box-1"
    box.append("a")
    assert read_checkpoint(box).origin == "example.com/vv/box-1"
    box.environ["VV_LOG_ORIGIN"] = "example.com/other"
    with pytest.raises(ConfigError, match="the log is 'example"):
        box.append("b")
    del box.environ["VV_LOG_ORIGIN"]
    box.environ["VV_BOX_NAME"] = "renamed"
    box.append("b")
    assert read_checkpoint(box).origin == "example.com/vv/box-1"


@pytest.mark.parametrize("origin", ["a b", "a+b", "ã", "x" * 201])
def test_what_is_no_name_is_refused(box: LogBox, origin: str) -> None:
    box.environ["VV_LOG_ORIGIN"] = origin
    with pytest.raises(ConfigError):
        box.append("a")


def test_the_mark_of_another_key_is_no_reason_to_sign(box: LogBox) -> None:
    box.append("a")
    key = box.home / "secrets/log_signing_key.pem"
    key.unlink()
    create_signing_key(key)
    with pytest.raises(KeyAccessError, match="not signed with the key of this box"):
        box.append("b")
    key.unlink()
    with pytest.raises(KeyAccessError, match="no signing key"):
        box.append("b")


def test_one_writer_at_a_time(box: LogBox) -> None:
    with open_log(box.settings, box.clock) as log:
        other = LogLock(log.places.lock, timeout_s=0.0)
        with pytest.raises(TemporaryError, match="another program"):
            other.take()
    other.take()
    other.release()


def test_a_writer_that_is_not_open_appends_nothing(box: LogBox) -> None:
    log = LogWriter(box.settings, box.clock)
    with pytest.raises(TemporaryError, match="stopped"):
        append_to(log, "a")


def test_events_are_lines_of_their_own(box: LogBox) -> None:
    details = {"version": "0.1.0", "manifest_sha256": None}
    with open_log(box.settings, box.clock) as log:
        log.append_event(Event(EventKind.START, details))
    (line,) = box.lines()
    validate_schema(line, schema_path("logevent"))
    assert (line["kind"], line["details"]) == ("start", details)
    assert line["this"] == "The system, version 0.1.0, began to work."
    (path,) = (box.loglines / "events").iterdir()
    assert path.name == "0000000000-start.logevent.json"


EVENTS: dict[EventKind, dict[str, object]] = {
    EventKind.START: {"version": "1", "manifest_sha256": "a1" * 32},
    EventKind.ROTATION: {"old_key_id": "k.0", "old_last_seq": 3, "new_key_id": "k.1"},
    EventKind.REVOCATION: {"key_id": "k.0", "from_seq": 3},
    EventKind.RECOVERY: {"replayed": 1, "torn_bytes": 20},
    EventKind.PRUNED: {"below": 256},
    EventKind.CAMERA_SILENT: {"camera": "", "since": "2026-11-21T02:03:04Z"},
    EventKind.CAMERA_BACK: {"camera": "gate\x1b[31m", "since": "2026-11-21T02:03:04Z"},
    EventKind.BOX_OFF: {"from": "2026-11-21T02:03:04Z", "to": "2026-11-21T03:03:04Z"},
    EventKind.CLOCK_STEP: {"from": "2026-11-21T02:03:04Z", "to": "2026-11-21T01:03:04Z"},
    EventKind.FILE_REMOVED: {"file": "a.mp4", "sha256": "a1" * 32, "why": "30 days"},
}


@pytest.mark.parametrize("language", ["pt-BR", "en"])
def test_every_kind_follows_the_schema_in_both_languages(box: LogBox, language: str) -> None:
    box.environ["VV_LANGUAGE"] = language
    assert set(EVENTS) == set(EventKind)
    epoch = {"old_origin": "vv-log/x", "signed_size": 3, "signed_root": "a1" * 32}
    with open_log(box.settings, box.clock) as log:
        for kind, details in [*EVENTS.items(), (EventKind.RECOVERY, epoch)]:
            log.append_event(Event(kind, details))
    for line in box.lines():
        validate_schema(line, schema_path("logevent"))
        assert "{" not in line["this"]
        assert "\x1b" not in line["this"]


def test_a_cosignature_joins_the_same_head_only(box: LogBox, tmp_path: Path) -> None:
    box.append("a")
    text = (box.folder / "checkpoint").read_text("utf-8").split("\n\n")[0] + "\n"
    witness = Signer("witness", create_signing_key(tmp_path / "w/key.pem"))
    note = sign_note(text, witness)
    with open_log(box.settings, box.clock) as log:
        assert log.add_cosignature(note)
    assert "— witness " in (box.folder / "checkpoint").read_text("utf-8")
    assert box.recover() == 1
    assert "— witness " in (box.folder / "checkpoint").read_text("utf-8")
    with open_log(box.settings, box.clock) as log:
        append_to(log, "b")
        assert not log.add_cosignature(note)
    assert box.names() == ["a", "b"]
