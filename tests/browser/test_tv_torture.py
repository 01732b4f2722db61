"""Hundreds and thousands of switches, and times to recover; figures stand in bench/README.md (bench/tv_page.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Browser, requires_browser, start_browser
from tests.support.tv_measure import (
    QUANTITIES,
    WARM_UP,
    percentile,
    slope_per_1000,
    watch_memory,
    watch_switches,
)
from tests.support.tv_recovery import Stage, measure_repairs, measure_stills
from tests.support.tv_server import TvServer

pytestmark = [pytest.mark.browser, pytest.mark.torture, requires_browser, pytest.mark.timeout(5400)]

MOST_PER_1000 = {
    "JavaScript heap, MiB": 5.0,
    "DOM nodes": 50.0,
    "event listeners": 10.0,
    "resident, whole browser, MiB": 5.0,
}


@pytest.fixture
def fresh() -> Iterator[Browser]:
    """Yield a browser of its own: what others did must not be measured."""
    with start_browser() as browser:
        yield browser


def test_500_switches_without_black_and_without_a_long_wait(
    fresh: Browser, box: TvServer, tmp_path: Path
) -> None:
    gaps, seen = watch_switches(fresh, box, tmp_path, 500)
    assert len(gaps.switches) >= 490
    assert seen.pictures > 1000
    assert seen.black == 0
    assert percentile(gaps.switches, 0.99) <= 150


def test_5000_switches_and_memory_stays_flat(fresh: Browser, box: TvServer, tmp_path: Path) -> None:
    samples = [
        sample for sample in watch_memory(fresh, box, tmp_path, 5000) if sample.switches > WARM_UP
    ]
    for name, read in QUANTITIES.items():
        slope = slope_per_1000([(sample.switches, read(sample)) for sample in samples])
        assert slope <= MOST_PER_1000[name], name


def test_it_moves_again_within_3_s_and_leaves_the_fallback_within_10_s(
    fresh: Browser, box: TvServer, tmp_path: Path
) -> None:
    fresh.resize(640, 360)
    stage = Stage(fresh, box, tmp_path)
    for name, seconds in measure_stills(stage):
        assert seconds <= 3, name
    for name, seconds in measure_repairs(stage):
        assert seconds <= 10, name
