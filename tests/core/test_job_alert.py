"""A scheduled job that failed is an alert."""

from __future__ import annotations

from pathlib import Path

import pytest

from vv_core.alerts import read_alerts
from vv_core.job_alert import main


def test_a_job_that_failed_is_told_and_one_that_did_not_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    path = tmp_path / "data" / "orchestrator_data" / "alerts.jsonl"
    path.parent.mkdir(parents=True)
    assert main(["daily_tests", "0"]) == 0
    assert not path.exists()
    assert main(["daily_tests", "1", "--log", "logs/daily_tests.log"]) == 0
    assert main(["other", "137"]) == 0
    first, second = read_alerts(path)
    assert first["message"] == "the scheduled job daily_tests ended with code 1"
    assert first["advice"] == "Read logs/daily_tests.log."
    assert "by hand" in str(second["advice"])
