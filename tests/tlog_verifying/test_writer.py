"""Logs that the product's own writer wrote, under the verifier."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tlog_verifying.box import Audited, audit
from tests.tlog_writing.logs import LogBox, append_to
from vv_core.audit.keys import read_key_store
from vv_core.audit.verdict import Status
from vv_core.tlog.events import Event, EventKind
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.maintenance import prune, revoke, rotate


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return LogBox(tmp_path)


def first_keys(box: LogBox) -> Mapping[str, bytes]:
    """Return what an auditor is given at installation."""
    return dict(read_key_store(box.key_store).keys)


def audit_all(box: LogBox, keys: Mapping[str, bytes]) -> list[Audited]:
    """Audit whole and alone, with and without secrets."""
    vkey = (box.folder / "vkey").read_text().strip()
    return [
        audit(path, vkeys=[vkey], keys=each)
        for path in (box.loglines, box.folder)
        for each in (keys, None)
    ]


def test_a_log_with_all_that_may_happen(box: LogBox) -> None:
    keys = first_keys(box)
    box.append("a", "b")
    box.clock.step(days=1, hours=2)
    box.append("c")
    rotate(box.settings, box.clock)
    with open_log(box.settings, box.clock) as log:
        log.append_event(Event(EventKind.START, {"version": "0.1.0", "manifest_sha256": None}))
        append_to(log, "d", box.clock)
    box.clock.step(hours=-3)
    box.append("e")
    box.clock.step(days=2)
    box.append("f")
    for result in audit_all(box, keys):
        assert (result.problems, result.exit_code) == ([], 0)


def test_a_log_of_several_bundles_that_is_pruned(box: LogBox) -> None:
    keys = first_keys(box)
    box.append(*[f"clip{number}" for number in range(600)])
    prune(box.settings, 512, box.clock)
    for result in audit_all(box, keys):
        assert (result.problems, result.exit_code) == ([], 0)
        assert result.seqs(Status.PRUNED) == [(0, 511)]


def test_a_revoked_key(box: LogBox) -> None:
    keys = first_keys(box)
    box.append("a", "b", "c")
    old = read_key_store(box.key_store).active
    with open_log(box.settings, box.clock) as log:
        first_bad = log.size
        append_to(log, "bad", box.clock)
    revoke(box.settings, old, first_bad, box.clock)
    # A thief could derive what follows in the chain: the box began a new one, and exports its first key.
    keys = {**keys, **first_keys(box)}
    box.append("d")
    for result in audit_all(box, keys):
        assert {reason for *_, reason in result.problems} == {"revoked_key"}
        assert set(result.seqs(Status.INVALID)) == {(first_bad, first_bad)}
