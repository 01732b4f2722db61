"""Keys that evolve and clocks that go back, while a log grows."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest

from tests.tlog_writing.logs import (
    LogBox,
    SteppedClock,
    append_to,
    snapshot,
)
from vv_core.audit.key_chain import evolve
from vv_core.audit.keys import read_key_store
from vv_core.errors import TemporaryError
from vv_core.tlog.key_rotation import replace_key
from vv_core.tlog.log_writer import open_log


def test_a_key_evolves_with_the_first_line_of_a_day(box: LogBox) -> None:
    store = read_key_store(box.key_store)
    box.append("a")
    box.clock.step(days=1)
    box.append("b", "c")
    chain = store.active.removesuffix(".0")
    evolved = read_key_store(box.key_store)
    assert evolved.active == f"{chain}.1"
    assert evolved.keys == {f"{chain}.1": evolve(store.active_secret)}
    first, rotation, second, third = box.lines()
    assert rotation["details"] == {
        "old_key_id": f"{chain}.0",
        "old_last_seq": 0,
        "new_key_id": f"{chain}.1",
    }
    signers = [line["signature_details"]["key_id"] for line in (first, rotation, second, third)]
    assert signers == [f"{chain}.0", *[f"{chain}.1"] * 3]


def test_a_key_store_that_cannot_be_written_keeps_its_key(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.append("a")
    box.clock.step(days=1)
    before = box.key_store.read_bytes()
    monkeypatch.setattr(os, "access", lambda *_arguments: False)
    box.append("b")
    assert box.key_store.read_bytes() == before
    assert box.kinds() == []


def test_a_key_of_a_first_store_is_followed_by_a_chain(box: LogBox) -> None:
    old = json.loads(box.key_store.read_bytes())
    ((_, key),) = old["keys"].items()
    old |= {"schema": "vv.hmac-keys/1", "active": "k1", "keys": {"k1": key}}
    box.key_store.write_text(json.dumps(old))
    box.append("a")
    box.clock.step(days=1)
    box.append("b")
    store = read_key_store(box.key_store)
    assert store.active.endswith(".0")
    assert set(store.keys) == {"k1", store.active}
    assert json.loads(box.key_store.read_bytes())["schema"] == "vv.hmac-keys/2"
    assert box.kinds() == ["rotation"]


def test_a_key_that_was_exchanged_by_hand_is_announced(box: LogBox) -> None:
    box.append("a")
    box.environ["VV_HMAC_KEY"] = "a trial key of at least thirty-two bytes"
    box.append("b")
    box.append("c")
    assert box.kinds() == ["rotation"]


@pytest.mark.parametrize("is_revoked", [False, True])
def test_an_older_key_store_signs_no_more(box: LogBox, is_revoked: bool) -> None:
    box.append("a")
    old = box.key_store.read_bytes()
    box.clock.step(days=1)
    box.append("b")
    if is_revoked:
        with open_log(box.settings, box.clock) as log:
            log.rotate(lambda store: replace_key(store, box.clock.now(), drop=True))
    newest = read_key_store(box.key_store)
    box.key_store.write_bytes(old)
    box.append("c")
    store = read_key_store(box.key_store)
    assert (store.keys == newest.keys) != is_revoked
    signers = [line["signature_details"]["key_id"] for line in box.lines()]
    runs = [key for at, key in enumerate(signers) if at == 0 or signers[at - 1] != key]
    assert len(runs) == len(set(runs)), "a retired key signs again"


def test_a_clock_that_went_back_is_a_line(box: LogBox) -> None:
    box.append("a")
    box.clock.step(hours=-1)
    box.append("b", "c")
    assert box.kinds() == ["clock_step"]
    step = box.lines()[1]
    assert step["details"] == {"from": "2026-11-21T12:00:00Z", "to": "2026-11-21T11:00:00Z"}
    assert [line["logged_at"] for line in box.lines()[1:]] == ["2026-11-21T11:00:00Z"] * 3


def test_a_clock_that_goes_back_while_a_line_is_made(box: LogBox) -> None:
    box.append("a")
    before = snapshot(box.home)
    with open_log(box.settings, box.clock) as log, pytest.raises(TemporaryError, match="clock"):
        append_to(log, "b", SteppedClock(box.clock.moment - timedelta(minutes=1)))
    assert snapshot(box.home) == before
