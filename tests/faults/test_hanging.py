"""A stage that stands still in its container."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.conftest import containers
from tests.containers.live import LiveBox
from tests.faults.cycles import attempts, check_done, cycle, end_of, failures
from tests.faults.striking import leave_hanging, strike

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]

ORCHESTRATOR = """
import sys, time
from pathlib import Path
from vv_core.clock import SystemClock
from vv_core.pipeline.orchestrate import run_once
from vv_core.settings import load_settings

class Clock(SystemClock):
    offset, leaps = 0, 2
    def monotonic(self):
        if self.leaps and Path(sys.argv[1]).exists():
            self.leaps -= 1
            self.offset += 100_000
        return time.monotonic() + self.offset

sys.exit(run_once(load_settings(), Clock()))
"""
"""One cycle by a clock that leaps when a file appears: the longest time for a video is over then.

It leaps twice, as the first look may be the one that finds the journal grown.
"""


def test_it_is_ended_by_name_and_costs_its_video_one_try(live: LiveBox, clips: list[Path]) -> None:
    hashes = {clip.name: live.add(clip) for clip in clips[:3]}
    is_over = live.box.home / "over"
    orchestrator = live.start("-c", ORCHESTRATOR, str(is_over))
    video = strike(live, "scan_video", leave_hanging, position=1)
    is_over.touch()
    ended = end_of(orchestrator)
    assert ended.code == 0, ended.said
    assert f"{video}: to be tried again (scan_video took too long and was ended" in ended.said
    assert containers(live) == []
    assert [(stage, name) for stage, name, _, _ in failures(live)] == [("scan_video", video)]
    tries = {name: attempts(live, sha256) for name, sha256 in hashes.items()}
    assert tries == {name: (1, 1) if name == video else (0, 0) for name in hashes}
    assert len(live.box.log_lines()) == 2
    live.check(is_settled=False)
    assert cycle(live).code == 0
    check_done(live, videos=3)
