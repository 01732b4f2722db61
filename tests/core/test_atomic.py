"""Files of value: whole or not at all, never replaced by accident, never lost."""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from tests.support.forking import fork
from vv_core.atomic import (
    TEMP_PREFIX,
    append_line_durable,
    atomic_path,
    temp_name,
    write_bytes_atomic,
    write_json_atomic,
    write_text_atomic,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@unhurried
@given(old=st.none() | st.binary(max_size=200), new=st.binary(max_size=5000))
def test_what_is_written_is_read_back(old: bytes | None, new: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.bin"
        if old is not None:
            path.write_bytes(old)
        write_bytes_atomic(path, new)
        assert path.read_bytes() == new
        assert names_in(path.parent) == ["a.bin"]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # ASCII and everything that UTF-8 can hold.
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=9), inner, max_size=4)
    ),
    max_leaves=12,
)


@unhurried
@given(JSON_VALUES)
def test_documents_are_read_back(document: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.json"
        write_json_atomic(path, document)
        assert json.loads(path.read_text("utf-8")) == document
        assert path.read_bytes().endswith(b"\n")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o666])
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_mode_is_what_was_asked_for(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_text_atomic(tmp_path / "a", "secret", mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


def test_a_secret_is_never_readable_by_others_on_the_way(tmp_path: Path) -> None:
    seen = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for entry in os.scandir(tmp_path):
                try:
                    seen.add(stat.S_IMODE(entry.stat().st_mode))
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(50):
        write_bytes_atomic(tmp_path / "key", b"k" * 1000, 0o600)
    done.set()
    watcher.join()
    assert seen <= {0o600}


class Stop(Exception):
    """Ends a block."""


def write_and_stop(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(b"half")
        raise Stop


def write_nothing(path: Path) -> None:
    with atomic_path(path):
        pass


@pytest.mark.parametrize(
    ("write", "kind"), [(write_and_stop, Stop), (write_nothing, FileNotFoundError)]
)
def test_a_block_that_fails_leaves_everything_as_it_was(
    tmp_path: Path, write: Callable[[Path], None], kind: type[Exception]
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(kind):
        write(path)
    assert path.read_text() == "old"
    assert names_in(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    "document", [float("nan"), float("inf"), {"a": "\ud800"}, {"a": {1}}, object()]
)
def test_what_has_no_json_form_is_not_written(tmp_path: Path, document: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        write_json_atomic(tmp_path / "a.json", document)
    assert names_in(tmp_path) == []


def test_a_folder_in_the_way_is_an_error_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(IsADirectoryError):
        write_text_atomic(tmp_path / "a", "x")
    assert names_in(tmp_path) == ["a"]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("keep")
    (tmp_path / "link").symlink_to("target")
    write_text_atomic(tmp_path / "link", "new")
    assert (tmp_path / "target").read_text() == "keep"
    assert not (tmp_path / "link").is_symlink()


@pytest.mark.parametrize(
    "name", ["n" * 255, "n" * 251 + ".mp4", "n." + "s" * 253, "é" * 125 + ".json", "-dash", "a\nb"]
)
def test_names_of_255_bytes_and_odd_ones_can_be_written(tmp_path: Path, name: str) -> None:
    write_text_atomic(tmp_path / name, "x")
    assert names_in(tmp_path) == [name]


def test_a_temporary_name_keeps_the_suffix_that_chooses_a_format() -> None:
    assert temp_name(".jpg").endswith(".jpg")
    assert temp_name().startswith(TEMP_PREFIX)
    assert len({temp_name() for _ in range(100)}) == 100


def test_readers_see_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    contents = [bytes([number]) * 50_000 for number in range(40)]
    write_bytes_atomic(path, contents[0])
    seen = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for content in contents:
        write_bytes_atomic(path, content)
    done.set()
    reader.join()
    assert set(seen) <= set(contents)


def test_a_writer_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_bytes_atomic(path, b"old" * 1000)
    for number in range(30):
        child = fork()
        if child == 0:
            try:
                while True:
                    write_bytes_atomic(path, b"new" * 100_000)
            finally:
                os._exit(1)
        time.sleep(number * 0.0005)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        assert path.read_bytes() in {b"old" * 1000, b"new" * 100_000}
    assert all(name == "a" or name.startswith(TEMP_PREFIX) for name in names_in(tmp_path))


def test_a_full_disk_keeps_the_old_file(small_disk: Path, fill_up: Callable[[Path], Path]) -> None:
    path = small_disk / "a"
    write_bytes_atomic(path, b"old")
    fill_up(small_disk)
    with pytest.raises(OSError) as caught:
        write_bytes_atomic(path, b"n" * 100_000)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == b"old"
    assert names_in(small_disk) == ["a", "ballast"]


@unhurried
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n")), max_size=8))
def test_appended_lines_are_read_back(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log"
        for line in lines:
            append_line_durable(path, line)
        content = path.read_text("utf-8").split("\n") if lines else [""]
        # Path.read_text turns \r into \n, so the bytes are compared.
        assert content[-1] == ""
        raw = path.read_bytes() if lines else b""
        assert raw == b"".join(line.encode("utf-8") + b"\n" for line in lines)


@pytest.mark.parametrize("line", ["two\nlines", "\n", "\ud800"])
def test_what_is_not_one_line_is_not_appended(tmp_path: Path, line: str) -> None:
    with pytest.raises(ValueError):
        append_line_durable(tmp_path / "log", line)
    assert names_in(tmp_path) == []


def test_a_line_that_does_not_fit_is_taken_back(
    small_disk: Path, fill_up: Callable[[Path], Path]
) -> None:
    path = small_disk / "log"
    append_line_durable(path, "first")
    ballast = fill_up(small_disk)
    with pytest.raises(OSError) as caught:
        append_line_durable(path, "x" * 10_000)  # a part fits into the rest of the first page
    assert caught.value.errno == errno.ENOSPC
    ballast.unlink()
    append_line_durable(path, "last")
    assert path.read_text() == "first\nlast\n"
