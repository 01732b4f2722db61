"""Keys that are changed or revoked by hand, and entries that are deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tlog_verifying.box import audit
from tests.tlog_writing.faults import problems
from tests.tlog_writing.logs import LogBox, snapshot
from vv_core.audit.keys import read_key_store
from vv_core.audit.verdict import Status
from vv_core.errors import InputDataError
from vv_core.tlog.log_writer import open_log
from vv_core.tlog.maintenance import prune, revoke, rotate


def test_rotation_by_hand(box: LogBox) -> None:
    assert rotate(box.settings, box.clock).seq is None
    box.append("a")
    first, second = rotate(box.settings, box.clock), rotate(box.settings, box.clock)
    assert (first.seq, second.seq) == (1, 2)
    assert first.new_key_id == second.old_key_id
    assert box.kinds() == ["rotation", "rotation"]
    box.append("b")
    assert problems(box) == []


def test_revocation_names_a_line_of_the_key_and_a_new_chain_signs(box: LogBox) -> None:
    box.append("a", "b")
    stolen = box.lines()[0]["signature_details"]["key_id"]
    box.clock.step(days=1)
    box.append("c")
    result = revoke(box.settings, stolen, 1, box.clock)
    assert box.kinds() == ["rotation", "rotation", "revocation", "revocation"]
    revocation = box.lines()[-2]
    assert revocation["details"] == {"key_id": stolen, "from_seq": 1}
    assert revocation["signature_details"]["key_id"] == result.new_key_id
    assert result.new_key_id.split(".")[0] != stolen.split(".")[0]
    store = json.loads(box.key_store.read_bytes())
    assert list(store["keys"]) == [result.new_key_id]
    keys = {**box.first_keys, **read_key_store(box.key_store).keys}
    vkey = (box.folder / "vkey").read_text("utf-8").strip()
    found = audit(box.loglines, vkeys=[vkey], keys=keys)
    # The first line stays; what the key and the one after it signed from line 1 on does not count.
    assert {seq for seq, _ in found.seqs(Status.INVALID)} == {1, 2, 3}


@pytest.mark.parametrize(
    ("key", "from_seq"), [("stolen", -1), ("stolen", 4), ("unknown", 0), ("new", 0)]
)
def test_revocations_that_are_refused(box: LogBox, key: str, from_seq: int) -> None:
    box.append("a")
    stolen = box.lines()[0]["signature_details"]["key_id"]
    new = rotate(box.settings, box.clock).new_key_id
    before = snapshot(box.home)
    with pytest.raises(InputDataError):
        revoke(box.settings, {"stolen": stolen, "new": new}.get(key, key), from_seq, box.clock)
    assert snapshot(box.home) == before


def test_pruning_says_so_first_and_keeps_the_tiles(quick_path: Path) -> None:
    box = LogBox(quick_path)
    box.append(*(f"v{number}" for number in range(300)))
    tiles = snapshot(box.folder / "tile/0")
    result = prune(box.settings, 280, box.clock)
    assert (result.below, result.bundles, result.seq) == (280, 1, 300)
    with open_log(box.settings, box.clock) as log:
        assert log.reader.pruned_below == 280
        assert log.reader.entry(255) is None
        assert log.reader.entry(256) is not None
        assert json.loads(log.reader.entry(300) or b"")["details"] == {"below": 280}
    assert tiles.items() <= snapshot(box.folder / "tile/0").items()
    again = prune(box.settings, 280, box.clock)
    assert (again.bundles, again.seq) == (0, None)
    box.append("next")
    assert problems(box) == []
    with pytest.raises(InputDataError):
        prune(box.settings, 1000, box.clock)
