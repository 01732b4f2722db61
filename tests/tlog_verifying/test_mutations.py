from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.log_builder import LogBuilder
from tests.tlog_verifying.box import WITNESS, audit
from tests.tlog_verifying.mutations import AT, Target, is_flagged, run_mutations

EDGES = (1, 2, 3, 254, 255, 256, 257, 258, 511, 512, 513)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Target:
    return Target.build(tmp_path_factory.mktemp("mutated"))


def test_the_box_is_clean(target: Target) -> None:
    assert not is_flagged(target.box, target.auditor)


def test_every_change_is_told(target: Target) -> None:
    assert run_mutations(target, seed=1, count=300) == []
    assert not is_flagged(target.box, target.auditor), "all was undone"


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(2, 102))
def test_a_hundred_thousand_changes_are_told(target: Target, seed: int) -> None:
    assert run_mutations(target, seed, 1000) == []


def random_box(folder: Path, seed: int) -> LogBuilder:
    """Return a log of any size, with rotations and other events here and there."""
    chance = random.Random(seed)
    size = chance.choice([*EDGES, *[chance.randrange(1, 60) for _ in range(30)]])
    box = LogBuilder(folder / "loglines", f"vv-log/box-{seed}", seed, chance.randbytes(32))
    while len(box.entries) < size:
        kind = chance.random()
        if kind < 0.03 and box.entries:
            box.rotate()
        elif kind < 0.06:
            box.add_event("start", version="0.1.0", manifest_sha256="ab" * 32)
        else:
            box.add_line(
                this=chance.choice(["Ninguém.", "𝔘nicode \U0001f600 ~ “aspas”", '"\\"log\\":{"'])
            )
    box.write()
    if chance.random() < 0.5:
        (box.log / "witness").mkdir()
        head = box.checkpoint(chance.randrange(1, size + 1), {WITNESS: AT})
        (box.log / "witness" / "w").write_bytes(head)
    return box


def check_clean(folder: Path, seed: int) -> None:
    """Audit a clean log in four ways; none may have anything to say."""
    box = random_box(folder, seed)
    vkeys = [box.signer.vkey, WITNESS.vkey]
    for path in (box.folder, box.log):
        for keys in (box.keys, None):
            result = audit(path, vkeys=vkeys, keys=keys)
            assert (result.problems, result.exit_code) == ([], 0), seed
            lines = sum(each.weight for each in result.findings)
            assert lines == len(box.entries), seed


@pytest.mark.parametrize("seed", range(40))
def test_no_false_alarm(tmp_path: Path, seed: int) -> None:
    check_clean(tmp_path, seed)


@pytest.mark.torture
@pytest.mark.timeout(0)
@pytest.mark.parametrize("seed", range(1000, 2000))
def test_no_false_alarm_in_a_thousand_logs(tmp_path: Path, seed: int) -> None:
    check_clean(tmp_path, seed)
