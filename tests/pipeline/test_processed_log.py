"""``processed_videos.log``: only whole lines count, and a torn one is never believed."""

from __future__ import annotations

import errno
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vv_core.pipeline.processed_log import ProcessedLog
from vv_core.processed_video import ProcessedVideo

A, B, C = "a" * 64, "b" * 64, "c" * 64


def video(sha256: str, name: str = "x.mp4") -> ProcessedVideo:
    return ProcessedVideo(sha256, "2026-11-21T02:03:04Z", "x", name)


@pytest.fixture
def log(tmp_path: Path) -> ProcessedLog:
    return ProcessedLog(tmp_path / "processed_videos.log")


def test_without_a_file_nothing_is_done(log: ProcessedLog) -> None:
    assert log.find([A]) == log.find([]) == set()
    assert log.repair() == b""


def test_an_empty_file_is_fine(log: ProcessedLog, tmp_path: Path) -> None:
    (tmp_path / "processed_videos.log").touch()
    assert log.repair() == b""
    assert log.find([A]) == log.find([f"{number:064x}" for number in range(100)]) == set()


def test_a_line_holds_hash_time_stem_and_place(log: ProcessedLog, tmp_path: Path) -> None:
    log.append(video(A, "cam 1/tab\tnew\nline\udcff.mp4"))
    line = (tmp_path / "processed_videos.log").read_bytes()
    assert line == (
        A.encode() + b'\t2026-11-21T02:03:04Z\t"x"\t"cam 1/tab\\tnew\\nline\\udcff.mp4"\n'
    )


def test_a_tear_at_every_byte_of_the_last_line_is_cut_and_kept(
    log: ProcessedLog, tmp_path: Path
) -> None:
    path, torn_path = tmp_path / "processed_videos.log", tmp_path / "processed_videos.torn"
    log.append(video(A))
    whole = path.stat().st_size
    log.append(video(B))
    data = path.read_bytes()
    for length in range(whole, len(data) + 1):
        path.write_bytes(data[:length])
        torn_path.unlink(missing_ok=True)
        is_whole = length in {whole, len(data)}
        torn = log.repair()
        assert torn == (b"" if is_whole else data[whole:length])
        assert torn_path.exists() == (not is_whole)
        assert path.read_bytes() == (data[:length] if is_whole else data[:whole])
        assert log.find([A, B]) == ({A, B} if length == len(data) else {A})
        log.append(video(C))
        assert C in log.find([C])
        assert log.repair() == b""


def test_a_log_that_is_one_torn_line_becomes_empty(log: ProcessedLog, tmp_path: Path) -> None:
    (tmp_path / "processed_videos.log").write_bytes(A.encode() * 1000)
    assert len(log.repair()) == 64_000
    assert (tmp_path / "processed_videos.log").read_bytes() == b""
    assert (tmp_path / "processed_videos.torn").read_bytes() == A.encode() * 1000 + b"\n"


def test_a_hash_counts_at_the_start_of_a_line_only(log: ProcessedLog, tmp_path: Path) -> None:
    text = f"{A}\t{B}\t{C}\n x{B}\t\n{C}{C}\t\n{B}\n{B} \n\n"
    (tmp_path / "processed_videos.log").write_text(text)
    assert log.find([A, B, C]) == {A}
    many = [f"{number:064x}" for number in range(1000)]
    assert log.find([A, B, C, *many]) == {A}


hashes = st.integers(0, 40).map(lambda number: f"{number:064x}")
lines = st.one_of(
    hashes.map(lambda sha: f"{sha}\t2026-11-21T02:03:04Z\t1\t1"),
    hashes,
    st.tuples(hashes, hashes).map("\t".join),
    st.tuples(hashes, hashes).map("".join),
    st.text("0123456789abcdef\t ", max_size=70),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(lines, max_size=30), st.sets(hashes, max_size=8))
def test_searching_few_and_many_agree(
    log: ProcessedLog, tmp_path: Path, content: list[str], wanted: set[str]
) -> None:
    (tmp_path / "processed_videos.log").write_text("".join(f"{line}\n" for line in content))
    others = {f"{number:064x}" for number in range(1_000_000, 1_000_100)}
    expected = {sha for sha in wanted if any(line.startswith(f"{sha}\t") for line in content)}
    assert log.find(wanted) == log.find(wanted | others) == expected


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size, as a full disk does."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.mark.parametrize("room", [0, 1, 63, 64, 65, 96])
def test_after_a_line_that_did_not_fit_the_next_is_not_glued_to_it(
    log: ProcessedLog, tmp_path: Path, room: int
) -> None:
    log.append(video(A))
    size = os.stat(tmp_path / "processed_videos.log").st_size
    with files_limited_to(size + room), pytest.raises(OSError) as caught:
        log.append(video(B))
    assert caught.value.errno in {errno.EFBIG, errno.ENOSPC}
    assert log.find([A, B]) == {A}
    log.append(video(C))
    log.append(video(B))
    assert log.find([A, B, C]) == {A, B, C}


def test_a_torn_line_from_before_is_not_glued_to_the_next(
    log: ProcessedLog, tmp_path: Path
) -> None:
    (tmp_path / "processed_videos.log").write_text(f"{A}\t1\n{B[:40]}")
    log.append(video(C))
    assert log.find([A, B, C]) == {A, C}
    assert (tmp_path / "processed_videos.torn").read_text() == f"{B[:40]}\n"
