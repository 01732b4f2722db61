"""Which videos TVs may show, from the list of processed ones and their LogLines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vv_ingest.boxes import NOW, ClipBox
from vv_core.errors import TemporaryError
from vv_core.processed_video import ProcessedVideo
from vv_ingest.candidates import (
    Candidate,
    Candidates,
    newest_first,
    parse_recent,
)

WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
ONE, TWO, THREE = "a1" * 32, "b2" * 32, "c3" * 32


@given(
    st.builds(
        ProcessedVideo,
        sha256=st.just(ONE),
        finished=st.just("2026-11-21T05:00:00Z"),
        stem=st.text(),
        relative_name=st.text(st.characters()),
    )
)
def test_every_line_that_the_orchestrator_writes_is_read(video: ProcessedVideo) -> None:
    line = parse_recent(f"{video.to_line()}\n".encode(), "2026-11-21T05:00:00Z")
    assert line == video


@given(raw=st.binary(max_size=300).filter(lambda raw: b"\n" not in raw))
def test_no_bytes_break_it(raw: bytes) -> None:
    assert parse_recent(raw + b"\n", "") is None or raw.count(b"\t") == 3


@pytest.mark.parametrize(
    "line",
    [
        "",
        "a\tb\tc\td",
        f'{ONE}\t2026-11-21T04:59:59Z\t"a"\t"a.mp4"',
        f'{"g1" * 32}\t2026-11-21T05:00:00Z\t"a"\t"a.mp4"',
        f'{ONE}\t2026-11-21T05:00:00Z\ta\t"a.mp4"',
        f'{ONE}\t2026-11-21T05:00:00Z\t1\t"a.mp4"',
        f'{ONE}\t2026-11-21T05:00:00Z\t"a"',
    ],
)
def test_lines_that_do_not_count(line: str) -> None:
    assert parse_recent(f"{line}\n".encode(), "2026-11-21T05:00:00Z") is None


def test_the_newest_recording_comes_first() -> None:
    found = [
        Candidate(ONE, "a", NOW - HOUR),
        Candidate(TWO, "b", NOW),
        Candidate(THREE, "c", NOW - 2 * HOUR),
    ]
    assert [each.sha256 for each in newest_first(found)] == [TWO, ONE, THREE]


def test_only_what_tvs_may_show_counts(box: ClipBox) -> None:
    box.log(ONE, "a.mp4", NOW - WEEK)
    box.log(TWO, "b.mp4", NOW - WEEK - timedelta(seconds=1))
    box.log(THREE, "c.mp4", NOW + HOUR)
    found = Candidates(box.storage, WEEK).refresh(NOW)
    assert found.keys() == {ONE, THREE}
    assert found[ONE] == Candidate(ONE, "a.mp4", NOW - WEEK)


def test_what_was_added_is_read_and_what_grew_old_is_forgotten(box: ClipBox) -> None:
    candidates = Candidates(box.storage, WEEK)
    assert candidates.refresh(NOW) == {}
    box.log(ONE, "a.mp4", NOW - WEEK + HOUR)
    assert candidates.refresh(NOW).keys() == {ONE}
    box.log(TWO, "b.mp4", NOW)
    assert candidates.refresh(NOW).keys() == {ONE, TWO}
    assert candidates.refresh(NOW + 2 * HOUR).keys() == {TWO}


def test_a_line_that_is_being_written_waits(box: ClipBox) -> None:
    box.log(ONE, "a.mp4", NOW)
    path = box.storage.orchestrator_data / "processed_videos.log"
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    candidates = Candidates(box.storage, WEEK)
    assert candidates.refresh(NOW) == {}
    with path.open("ab") as stream:
        stream.write(whole[-9:])
    assert candidates.refresh(NOW).keys() == {ONE}


def test_a_list_that_was_replaced_or_is_gone_is_read_anew(box: ClipBox) -> None:
    box.log(ONE, "a.mp4", NOW)
    box.log(TWO, "b.mp4", NOW)
    path = box.storage.orchestrator_data / "processed_videos.log"
    candidates = Candidates(box.storage, WEEK)
    assert candidates.refresh(NOW).keys() == {ONE, TWO}
    first = path.read_bytes().splitlines(keepends=True)[0]
    path.unlink()
    assert candidates.refresh(NOW) == {}
    path.write_bytes(first)
    assert candidates.refresh(NOW).keys() == {ONE}


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"when": 3}', "null"])
def test_without_a_logline_of_its_own_a_video_is_not_shown(box: ClipBox, content: str) -> None:
    box.log(ONE, "a.mp4", NOW)
    (path,) = box.storage.loglines.glob("*.logline.json")
    path.write_text(content)
    assert Candidates(box.storage, WEEK).refresh(NOW) == {}
    path.unlink()
    assert Candidates(box.storage, WEEK).refresh(NOW) == {}


def test_the_logline_of_another_video_is_not_its_own(box: ClipBox) -> None:
    box.log(ONE, "a.mp4", NOW)
    (path,) = box.storage.loglines.glob("*.logline.json")
    path.write_text(path.read_text().replace(ONE, TWO))
    assert Candidates(box.storage, WEEK).refresh(NOW) == {}


def test_a_logline_that_cannot_be_read_now_is_read_later(box: ClipBox) -> None:
    box.log(ONE, "a.mp4", NOW)
    (path,) = box.storage.loglines.glob("*.logline.json")
    content = path.read_bytes()
    path.unlink()
    path.mkdir()
    candidates = Candidates(box.storage, WEEK)
    for _ in range(2):
        with pytest.raises(TemporaryError):
            candidates.refresh(NOW)
    path.rmdir()
    path.write_bytes(content)
    assert candidates.refresh(NOW).keys() == {ONE}


def test_a_list_that_cannot_be_read_is_told(box: ClipBox) -> None:
    (box.storage.orchestrator_data / "processed_videos.log").mkdir()
    with pytest.raises(TemporaryError, match="processed videos"):
        Candidates(box.storage, WEEK).refresh(NOW)
