"""The main process of each stage's container is killed in the middle of a batch."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.live import LiveBox
from tests.faults.cycles import attempts, check_done, cycle, end_of, failures
from tests.faults.striking import keep_log, kill, strike

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]


def test_a_kill_costs_the_video_that_a_stage_was_at_one_try_and_no_other_anything(
    live: LiveBox, clips: list[Path]
) -> None:
    """All three stages in one cycle, each at another video."""
    hashes = {clip.name: live.add(clip) for clip in clips}
    orchestrator = live.start()
    struck = {
        "scan_video": strike(live, "scan_video", kill, position=1),
        "summarize_scene": strike(live, "summarize_scene", kill),
    }
    with keep_log(live):
        struck["logline_generator"] = strike(live, "logline_generator", kill)
    ended = end_of(orchestrator)
    assert ended.code == 0, ended.said
    assert len(set(struck.values())) == 3
    assert [(stage, video) for stage, video, _, _ in failures(live)] == list(struck.items())
    for _, _, code, message in failures(live):
        assert code == 137
        assert "was killed (exit code 137" in message
    live.check(is_settled=False)
    tries = {name: attempts(live, sha256) for name, sha256 in hashes.items()}
    assert tries == {name: (1, 1) if name in struck.values() else (0, 0) for name in hashes}
    (untouched,) = hashes.keys() - set(struck.values())
    assert [line[0] for line in live.box.log_lines()] == [hashes[untouched]]
    again = cycle(live)
    assert again.code == 0, again.said
    check_done(live, videos=4)
