"""The index: quick, and of no consequence when it is lost, damaged or another program's."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tv_scheduler.folder_scan import scan_steps
from tv_scheduler.index import (
    SLACK_S,
    Entry,
    FilePrints,
    NoIndex,
    SqliteIndex,
    is_corrupt,
    mark_of,
    print_of,
)
from tv_scheduler.kept_index import KeptIndex
from vv_core.errors import VvError

DAY_S = 24 * 3600


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "loglines"
    folder.mkdir()
    return folder


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteIndex]:
    index = SqliteIndex(tmp_path / "index.sqlite")
    yield index
    index.close()


def put(folder: Path, name: str, mtime: int) -> Path:
    path = folder / f"{name}.logline.json"
    path.touch()
    os.utime(path, (mtime, mtime))
    return path


def scan(folder: Path, index: SqliteIndex) -> list[str]:
    for _ in scan_steps(folder, index):
        pass
    index.commit()
    return [name.removesuffix(".logline.json") for name in index.young(0)]


def test_the_youngest_come_first_and_old_ones_not_at_all(index: SqliteIndex) -> None:
    index.put((f"{n}", Entry(n, 1000 + n % 7)) for n in range(2000))
    young = list(index.young(1005))
    assert len(young) == 570
    assert [int(name) % 7 for name in young] == sorted(
        (int(name) % 7 for name in young), reverse=True
    )
    index.put([("5", Entry(5, 0))])
    assert "5" not in set(index.young(1005))
    index.drop(["6", "none"])
    assert index.count() == 1999


def test_a_scan_finds_what_is_new_replaced_and_gone(folder: Path, index: SqliteIndex) -> None:
    first, second = put(folder, "a", 100), put(folder, "b", 200)
    (folder / ".hidden.logline.json").touch()
    (folder / "a.logline.md").touch()
    (folder / os.fsdecode(b"\xff.logline.json")).touch()
    assert scan(folder, index)[1:] == ["b", "a"]
    first.unlink()
    put(folder, "c", 300)
    other = put(folder, "x", 900)
    other.rename(second)
    assert scan(folder, index)[1:] == ["b", "c"]
    assert index.count() == 3


@pytest.mark.parametrize("few", [0, 10**6])
def test_a_scan_that_finds_little_and_one_that_finds_all_say_the_same(
    folder: Path, index: SqliteIndex, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tv_scheduler.folder_scan._FEW", few)
    monkeypatch.setattr("tv_scheduler.folder_scan._STEP", 3)
    for number in range(10):
        put(folder, str(number), number)
    assert scan(folder, index) == list("9876543210")
    for number in range(0, 10, 2):
        (folder / f"{number}.logline.json").unlink()
    assert scan(folder, index) == list("97531")
    assert index.count() == 5


def test_what_is_told_of_while_all_is_listed_is_known_once(
    folder: Path, index: SqliteIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tv_scheduler.folder_scan._STEP", 2)
    for number in range(6):
        put(folder, str(number), number)
    steps = scan_steps(folder, index)
    next(steps)
    index.put((f"{number}.logline.json", Entry(number, 7)) for number in range(6))
    index.drop(["none"])
    index.commit()
    assert len(set(index.young(0))) == 6
    for _ in steps:
        pass
    assert index.count() == 6
    index.put([("0.logline.json", Entry(0, 1))])
    assert index.count() == 6


@given(st.sets(st.tuples(st.text(), st.integers(0, 2**63))))
def test_prints_know_what_they_were_made_of(files: set[tuple[str, int]]) -> None:
    prints = FilePrints(print_of(*file) for file in files)
    assert len(prints) == len(files)
    assert all(print_of(*file) in prints for file in files)
    assert print_of("none", -1) not in prints


def test_without_an_index_every_file_is_looked_at(folder: Path) -> None:
    put(folder, "a", DAY_S)
    put(folder, "b", 3 * DAY_S)
    assert SLACK_S == DAY_S
    assert list(NoIndex(folder).young(3 * DAY_S)) == ["b.logline.json"]
    with pytest.raises(VvError, match="list the LogLines"):
        list(NoIndex(folder / "none").young(0))
    with pytest.raises(VvError, match="list the LogLines"):
        mark_of(folder / "none")


def test_what_was_noted_is_there_after_a_start(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    index.put([("a", Entry(1, 2))])
    assert index.mark == ""
    index.mark = "7 8"
    index.commit()
    index.put([("b", Entry(1, 2))])
    index.close()
    again = SqliteIndex(path)
    assert (again.mark, list(again.names())) == ("7 8", ["a"])
    again.close()


def damage_garbage(path: Path) -> None:
    path.write_bytes(b"x" * 9000)


def damage_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[4096:] = b"\x7f" * (len(data) - 4096)
    path.write_bytes(data)


def damage_cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2 + 7)


def damage_foreign(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE other(x)")
    db.close()


def damage_unfinished(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP INDEX file_name")
    db.close()


DAMAGES = [damage_garbage, damage_middle, damage_cut, damage_foreign, damage_unfinished]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_index_is_begun_again(tmp_path: Path, damage: object) -> None:
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    index.put((str(n), Entry(n, n)) for n in range(5000))
    index.mark = "1 2"
    index.commit()
    index.close()
    assert callable(damage)
    damage(path)
    again = SqliteIndex(path)
    assert (again.count(), again.mark) == (0, "")
    again.put([("a", Entry(1, 2))])
    again.commit()
    again.close()


def test_an_index_that_is_damaged_while_it_is_used_is_mended(tmp_path: Path) -> None:
    kept = KeptIndex(tmp_path / "state", tmp_path)
    first = kept.index
    assert isinstance(first, SqliteIndex)
    error = sqlite3.DatabaseError("malformed")
    assert not is_corrupt(error)
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    kept.mend(error)
    assert kept.index is first
    assert kept.problem == ""
    assert first.count() == 0


def test_where_no_index_can_be_kept_it_goes_on_without(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    kept = KeptIndex(tmp_path / "state", tmp_path)
    assert isinstance(kept.index, NoIndex)
    assert kept.problem
    (tmp_path / "state").unlink()
    kept.open()
    assert isinstance(kept.index, SqliteIndex)
    assert kept.problem == ""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL
    kept.mend(full)
    assert isinstance(kept.index, NoIndex)
    assert "full" in kept.problem


def test_a_file_that_cannot_be_removed_is_gone_without(tmp_path: Path) -> None:
    state = tmp_path / "state"
    kept = KeptIndex(state, tmp_path)
    kept.index.close()
    for path in state.iterdir():
        path.unlink()
    (state / "index.sqlite").mkdir()
    error = sqlite3.DatabaseError("malformed")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    kept.mend(error)
    assert isinstance(kept.index, NoIndex)
    kept.open()
    assert isinstance(kept.index, NoIndex)
