"""kill -9 before and after every step of a cycle: the next cycle ends with one LogLine a video."""

from __future__ import annotations

import os
import signal
from itertools import count
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.killing import Killer, finish, fork_cycle

# A test here is hundreds of starts: minutes, where the machine is slow.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

FEWEST_STEPS = 20
PARTS = 4
"""Of a test each, so that no worker of the suite waits for another's one long test."""
BOTH_SIDES = [
    pytest.param(side, marks=pytest.mark.torture, id=side) for side in ("before", "after")
]
"""By hand every step is struck on both its sides; otherwise on one, in turn: what is on disk after a step is, but for
what no step counts, what is there before the next one."""


def fill(box: Box) -> set[str]:
    """Put one video of each kind into input/; return the hashes of those that get a LogLine."""
    good = {
        box.add("cam/a.mp4"),
        box.add("cam/b.mp4", "ok\nsame", unique=False),
        box.add("b.mp4", "ok\nsame", unique=False),
    }
    box.add("bad.mp4", "bad")
    return good


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("side", ["in turn", *BOTH_SIDES])
@pytest.mark.parametrize(
    "who",
    [("orchestrator", "orchestrator"), ("stage", "stage"), ("stage", "orchestrator")],
    ids=["orchestrator", "stage", "orchestrator at a step of the stage"],
)
def test_a_kill_at_every_step(
    make_box: MakeBox,
    quick_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    who: tuple[str, str],
    side: str,
    part: int,
) -> None:
    make_box()
    who_steps, who_dies = who
    for at in count(part + 1, PARTS):
        home = quick_path / str(at)
        monkeypatch.setenv("VV_HOME", str(home))
        box = Box(home)
        good = fill(box)
        is_after = side == "after" or (side == "in turn" and at % 2 == 0)
        killer = Killer(at, who_steps=who_steps, who_dies=who_dies, is_after=is_after)
        code = os.waitstatus_to_exitcode(os.waitpid(fork_cycle(box, killer.arm), 0)[1])
        if not killer.has_struck:
            assert code == 0
            break
        assert code == (-signal.SIGKILL if who_dies == "orchestrator" else 0)
        box.check()
        finish(box)
        box.check_settled()
        assert {line[0] for line in box.log_lines()} == good
    assert at > FEWEST_STEPS
