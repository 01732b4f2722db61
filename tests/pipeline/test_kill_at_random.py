"""kill -9 at 200 random moments, of the orchestrator or of the stage that runs."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.pipeline.killing import finish, fork_cycle
from tests.pipeline.processes import is_alive

# A test here is hundreds of starts: minutes, where the machine is slow.
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1200)]

MOMENTS = 200
PARTS = 4
MOMENTS_OF_A_BOX = 10


def kill_stage_of(orchestrator: int) -> bool:
    """Kill the stage that an orchestrator waits for; False when there is none."""
    path = Path(f"/proc/{orchestrator}/task/{orchestrator}/children")
    try:
        stages = path.read_text().split()
        for stage in stages:
            os.kill(int(stage), signal.SIGKILL)
    except (FileNotFoundError, ProcessLookupError):
        return False
    return bool(stages)


def kill_next_stage_of(orchestrator: int) -> bool:
    """Kill the stage that runs, or else the next one; False when the orchestrator ended without."""
    while is_alive(orchestrator):
        if kill_stage_of(orchestrator):
            return True
        time.sleep(0.0005)
    return False


def time_of_a_cycle(box: Box) -> float:
    for number in range(4):
        box.add(f"first-{number}.mp4")
    started = time.monotonic()
    os.waitpid(fork_cycle(box), 0)
    return time.monotonic() - started


def strike(box: Box, chance: random.Random, longest: float) -> str:
    """Kill the orchestrator or its stage at a random moment of a cycle; return who was hit."""
    child = fork_cycle(box)
    time.sleep(chance.uniform(0, longest))
    victim = chance.choice(["orchestrator", "stage"])
    if victim == "orchestrator":
        os.kill(child, signal.SIGKILL)
    elif not kill_next_stage_of(child):
        victim = "nobody"
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) in {0, -signal.SIGKILL}
    return victim


@pytest.mark.parametrize("part", range(PARTS))
def test_a_kill_at_a_random_moment(
    make_box: MakeBox, quick_path: Path, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    """In the first part the summarizer has its model's process beside it."""
    model = "none" if part else ""
    longest = time_of_a_cycle(make_box(ORCHESTRATOR_BATCH_SIZE=2, VV_SUMMARY_MODEL=model))
    chance = random.Random(part)
    struck = []
    for moment in range(MOMENTS // PARTS):
        if moment % MOMENTS_OF_A_BOX == 0:
            monkeypatch.setenv("VV_HOME", str(quick_path / str(moment)))
            box = Box(quick_path / str(moment))
        for number in range(chance.randint(3, 4)):
            box.add(f"{moment}-{number}.mp4", chance.choice(["ok", "ok", "ok", "bad"]))
        struck.append(strike(box, chance, longest))
        box.check()
        finish(box)
        box.check_settled()
    assert min(struck.count("orchestrator"), struck.count("stage")) > MOMENTS // PARTS // 10
