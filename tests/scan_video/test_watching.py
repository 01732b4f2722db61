"""When the pictures of a plan do not come, everything is decoded instead."""

from __future__ import annotations

import pytest

from scan_video.frames import DecodeReport
from scan_video.plan import Method, SamplingPlan
from scan_video.watching import needs_everything


@pytest.mark.parametrize(
    ("method", "seen", "errors", "needed"),
    [
        ("reference_frames", 10, 0, False),
        ("reference_frames", 9, 0, True),
        ("reference_frames", 6, 3, False),
        ("reference_frames", 4, 3, True),
        ("keyframes", 0, 10, True),
        ("all_frames", 0, 0, False),
    ],
    ids=["all came", "no reason", "some damage", "much damage", "nothing", "was everything"],
)
def test_the_fallback(method: Method, seen: int, errors: int, needed: bool) -> None:
    plan = SamplingPlan(method, (), tuple(float(n) for n in range(10)))
    assert needs_everything(plan, DecodeReport(errors=errors, seen=seen)) is needed
