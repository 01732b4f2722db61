"""What is forgotten, and whether that has the playlists made anew."""

from __future__ import annotations

from datetime import timedelta

from tests.tv_scheduler.lines import NOW, make_line
from tv_scheduler.known_lines import KnownLines
from vv_core.video_files import FileSignature

SIGNATURE = FileSignature(1, 0, 0, 1)
SINCE = int(NOW.timestamp())


def known() -> KnownLines:
    """Return an old LogLine, a young one, and an old file that was refused."""
    lines = KnownLines()
    lines.prove("old", SIGNATURE, make_line("1", when=NOW - timedelta(seconds=1)))
    lines.prove("young", SIGNATURE, make_line("2"))
    lines.refuse("no line", SIGNATURE, "not signed", 0.0)
    return lines


def test_what_was_out_of_reach_is_forgotten_without_a_change() -> None:
    lines = known()
    lines.drop("no line")
    before = lines.version
    lines.drop_out_of_reach(SINCE)
    assert lines.names() == ["young"]
    assert lines.version == before


def test_a_refused_file_that_is_forgotten_is_a_change_since_it_is_told_of() -> None:
    lines = known()
    before = lines.version
    lines.drop_out_of_reach(SINCE)
    assert lines.names() == ["young"]
    assert lines.version > before


def test_what_is_dropped_before_its_time_is_a_change() -> None:
    lines = known()
    lines.drop("no line")
    before = lines.version
    lines.drop_before(SINCE)
    assert lines.names() == ["young"]
    assert lines.version > before
