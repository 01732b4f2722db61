"""What is forgotten, and whether that has the playlists made anew."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.tv_scheduler.lines import NOW, make_line
from tv_scheduler.known_lines import KnownLines
from vv_core.video_files import FileSignature

SIGNATURE = FileSignature(1, 0, 0, 1)
SINCE = int(NOW.timestamp())


def known(*, has_refused: bool) -> KnownLines:
    """Return an old LogLine, a young one, and maybe an old file that was refused."""
    lines = KnownLines()
    lines.prove("old", SIGNATURE, make_line("1", when=NOW - timedelta(seconds=1)))
    lines.prove("young", SIGNATURE, make_line("2"))
    if has_refused:
        lines.refuse("no line", SIGNATURE, "not signed", 0.0)
    return lines


@pytest.mark.parametrize(
    ("forget", "has_refused", "is_change"),
    [
        (KnownLines.drop_out_of_reach, False, False),
        (KnownLines.drop_out_of_reach, True, True),
        (KnownLines.drop_before, False, True),
    ],
    ids=["out of reach", "a refused file, which is told of", "before its time"],
)
def test_what_is_old_is_forgotten_and_that_is_a_change_or_not(
    forget: Callable[[KnownLines, int], None], has_refused: bool, is_change: bool
) -> None:
    lines = known(has_refused=has_refused)
    before = lines.version
    forget(lines, SINCE)
    assert lines.names() == ["young"]
    assert (lines.version > before) is is_change
    assert lines.version >= before
