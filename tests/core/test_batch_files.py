"""Batch lists and journals: any file name survives, and a torn journal is understood."""

from __future__ import annotations

import errno
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core.batch_files import Journal, StageItem, read_batch
from vv_core.errors import InputDataError, InputMissingError, TemporaryError, VvError
from vv_core.pipeline.journal import read_journal

RAW_PATHS = (
    st.binary(min_size=1, max_size=60)
    .map(lambda raw: os.fsdecode(raw.replace(b"\0", b"_")))
    .filter(lambda text: str(Path(text)) == text)
)
ITEMS = st.builds(
    StageItem, RAW_PATHS.map(Path), RAW_PATHS.map(Path), st.none() | st.text(min_size=1, max_size=9)
).filter(lambda item: "\0" not in (item.relative_name or ""))


@unhurried
@given(st.lists(ITEMS, max_size=5))
def test_any_file_name_survives_a_list(items: list[StageItem]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        path.write_bytes("".join(f"{item.to_json()}\n" for item in items).encode("ascii"))
        assert read_batch(path) == items


def test_lists_may_be_written_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes('\r\n {"output": "b", "input": "a\u2028é"} \r\n\n'.encode())
    assert read_batch(path) == [StageItem(Path("a\u2028é"), Path("b"))]


BAD_LISTS = {
    "not JSON": b"a.mp4 b.json\n",
    "not UTF-8": b'{"input": "\xff", "output": "b"}\n',
    "a list": b'["a", "b"]\n',
    "a number": b"5\n",
    "no output": b'{"input": "a"}\n',
    "an unknown key": b'{"input": "a", "output": "b", "outptu": "c"}\n',
    "a key twice": b'{"input": "a", "output": "b", "output": "c"}\n',
    "input is a number": b'{"input": 1, "output": "b"}\n',
    "input is null": b'{"input": null, "output": "b"}\n',
    "input is empty": b'{"input": "", "output": "b"}\n',
    "a NUL": b'{"input": "a\\u0000", "output": "b"}\n',
    "name is a number": b'{"input": "a", "output": "b", "relative_name": 1}\n',
    "two on a line": b'{"input": "a", "output": "b"} {"input": "a", "output": "b"}\n',
    "nested too deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", BAD_LISTS)
def test_what_is_no_list_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "list"
    path.write_bytes(BAD_LISTS[name])
    with pytest.raises(InputDataError, match="not a batch list") as caught:
        read_batch(path)
    assert '{"input": "…", "output": "…"}' in caught.value.advice


def test_a_list_that_is_too_large_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "list"
    with path.open("wb") as stream:
        stream.truncate(64 * 1024 * 1024 + 1)
    with pytest.raises(InputDataError, match="larger than"):
        read_batch(path)


def test_a_list_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError):
        read_batch(tmp_path / "gone")


ENDINGS = st.none() | st.builds(
    lambda message, advice: TemporaryError(message, advice=advice), st.text(), st.text()
)


@unhurried
@given(st.lists(ENDINGS, max_size=6), st.integers(min_value=0), st.booleans())
def test_a_journal_cut_anywhere_tells_what_was_whole(
    endings: list[VvError | None], cut: int, last_is_open: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal"
        whole: list[tuple[int, int, str]] = []

        def note(index: int, event: str) -> None:
            # All but the newline is enough to know what the line says.
            whole.append((path.stat().st_size - 1, index, event))

        with Journal(path) as journal:
            for index, error in enumerate(endings):
                journal.start(index)
                note(index, "start")
                journal.end(index, error)
                note(index, "end")
            if last_is_open:
                journal.start(len(endings))
                note(len(endings), "start")
        size = path.stat().st_size
        end = size - cut % (size + 1)
        os.truncate(path, end)
        state = read_journal(path, len(endings) + 1)

    ended = [index for size, index, event in whole if event == "end" and size <= end]
    begun = [index for size, index, event in whole if event == "start" and size <= end]
    assert sorted(state.ended) == ended
    assert state.open_index == (begun[-1] if len(begun) > len(ended) else None)
    for index in ended:
        expected = endings[index]
        assert state.ended[index]["exit_code"] == (expected.exit_code if expected else 0)
        assert state.ended[index].get("message") == (expected.message if expected else None)


def test_a_journal_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("old\n")
    with Journal(path) as journal:
        journal.start(0)
    assert json.loads(path.read_text()) == {"event": "start", "index": 0}


def test_a_journal_without_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(VvError, match="batch journal"), Journal(tmp_path / "gone" / "journal"):
        pass


def test_a_full_disk_ends_the_journal_with_a_torn_line_at_most(
    small_disk: Path, fill_up: Callable[[Path], Path]
) -> None:
    path = small_disk / "journal"
    with Journal(path) as journal:
        journal.start(0)
        fill_up(small_disk)
        with pytest.raises(TemporaryError) as caught:
            journal.end(0, InputDataError("x" * 10_000, advice="y"))
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert read_journal(path, 1).open_index == 0
