"""A full disk, a dying disk and kills at every call below Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fault_shim import build_shim, run_under_shim

pytestmark = pytest.mark.integration

FEWEST_CALLS = 30


def test_every_call_that_may_fail(quick_path: Path, tmp_path: Path) -> None:
    library = build_shim(tmp_path)
    output = run_under_shim(library, "tests.tlog_writing.fault_driver", [str(quick_path)])
    counts = dict(line.split(": ") for line in output.splitlines())
    assert len(counts) == 6
    assert all(int(count) > FEWEST_CALLS for count in counts.values()), counts
