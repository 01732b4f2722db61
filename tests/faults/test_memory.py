"""A video that needs more memory than the scanner's container may have."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.containers.live import LiveBox
from tests.faults.cycles import alerts, attempts, check_done, cycle, failures
from tests.support.clips import make_clip
from vv_core.pipeline.quarantine import quarantined

pytestmark = [pytest.mark.docker, pytest.mark.integration, pytest.mark.timeout(600)]

LIMIT = "260m"
"""A small clip needs up to 140 MB, one of 7680x4320 more than 400 MB."""


def test_it_is_retried_then_quarantined_for_want_of_memory_while_others_go_on(
    live: LiveBox, clips: list[Path], tmp_path: Path
) -> None:
    live.environment |= {"SCANNER_MEMORY": LIMIT, "ORCHESTRATOR_MAX_CRASHES": "2"}
    huge = make_clip(tmp_path / "20261121-020200.mp4", size="7680x4320", seconds=3, rate=2)
    guilty = live.add(huge)
    others = [live.add(clip) for clip in clips[:2]]
    first = cycle(live)
    assert first.code == 0, first.said
    assert "20261121-020200.mp4: to be tried again (scan_video ran out of memory" in first.said
    assert attempts(live, guilty) == (1, 1)
    assert {line[0] for line in live.box.log_lines()} == set(others)
    live.check(is_settled=False)
    second = cycle(live)
    assert second.code == 0, second.said
    assert "20261121-020200.mp4: quarantined (scan_video ran out of memory" in second.said
    live.check()
    assert {code for _, _, code, _ in failures(live)} == {137}
    (entry,) = quarantined(live.box.settings.storage)
    assert (entry.content["sha256"], entry.content["exit_code"]) == (guilty, 137)
    assert "ran out of memory" in entry.content["reason"]
    assert "SCANNER_MEMORY" in entry.content["advice"]
    told = [alert for alert in alerts(live) if alert["code"] == "stage_quarantine"]
    assert [(alert["severity"], alert["subject"]) for alert in told] == [("CRITICAL", huge.name)]
    # The advice helps.
    del live.environment["SCANNER_MEMORY"]
    assert live.run("--requeue", huge.name) == 0
    assert cycle(live).code == 0
    check_done(live, videos=3)
