"""Alerts: told everywhere, once, and never a reason to stop."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core.alerts import (
    REPEAT_AFTER,
    Alert,
    Alerter,
    FileSink,
    LogSink,
    Severity,
    make_alerter,
    read_alerts,
)
from vv_core.logs import setup_logging

NOW = datetime(2026, 11, 21, 2, 3, 4, tzinfo=UTC)
ALERT = Alert(
    Severity.CRITICAL, "stage_config", "scan_video", "weights are gone", "Put them back.", {"n": 1}
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Return where the log is written to."""
    setup_logging("test", tmp_path / "logs")
    return tmp_path / "logs" / "app.log"


def entries(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.CRITICAL, "ERROR"), (Severity.WARNING, "WARNING")]
)
def test_the_log_is_told(log: Path, severity: Severity, level: str) -> None:
    LogSink().send(replace(ALERT, severity=severity, message="100%d full"), NOW)
    (entry,) = entries(log)
    assert (entry["level"], entry["message"]) == (level, "100%d full → Put them back.")
    assert entry["fields"] == {"alert": "stage_config", "subject": "scan_video", "n": 1}


TEXT = st.text(max_size=30)
ALERTS = st.builds(Alert, st.sampled_from(Severity), TEXT, TEXT, TEXT, TEXT)


@unhurried
@given(st.lists(ALERTS, max_size=5))
def test_the_file_gives_alerts_back(alerts: list[Alert]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alerts.jsonl"
        for alert in alerts:
            FileSink(path).send(alert, NOW)
        found = read_alerts(path)
        recent = FileSink(path).recent_keys(NOW)
    assert [(entry["severity"], entry["message"]) for entry in found] == [
        (alert.severity, alert.message) for alert in alerts
    ]
    assert recent == {alert.key for alert in alerts}


def test_the_file_holds_everything(tmp_path: Path) -> None:
    FileSink(tmp_path / "alerts.jsonl").send(replace(ALERT, fields={"path": tmp_path}), NOW)
    (entry,) = read_alerts(tmp_path / "alerts.jsonl")
    assert entry == {
        "time": "2026-11-21T02:03:04Z",
        "severity": "CRITICAL",
        "code": "stage_config",
        "subject": "scan_video",
        "message": "weights are gone",
        "advice": "Put them back.",
        "fields": {"path": str(tmp_path)},
    }


def test_a_file_that_cannot_be_written_is_logged(tmp_path: Path, log: Path) -> None:
    FileSink(tmp_path / "gone" / "alerts.jsonl").send(ALERT, NOW)
    assert "alert file is not written" in entries(log)[-1]["message"]


GOOD_LINE = {"time": "2026-11-21T02:03:04Z", "code": "a", "subject": "b"}
FOREIGN_LINES = {
    "torn": '{"time": "2026-11-21T02:0',
    "empty": "",
    "a list": "[]",
    "a number": "5",
    "no code": json.dumps({"time": "2026-11-21T02:03:04Z", "subject": "b"}),
    "no time": json.dumps({"code": "a", "subject": "b"}),
    "time is a number": json.dumps({**GOOD_LINE, "time": 5}),
    "time is no time": json.dumps({**GOOD_LINE, "time": "yesterday"}),
    "nested too deep": "[" * 100_000,
}


@pytest.mark.parametrize("name", FOREIGN_LINES)
def test_foreign_lines_are_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_text(f"{json.dumps(GOOD_LINE)}\n{FOREIGN_LINES[name]}\n{json.dumps(GOOD_LINE)}\n")
    assert read_alerts(path) == [GOOD_LINE, GOOD_LINE]


def test_bytes_without_meaning_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    path.write_bytes(b"\xff\x00\n" + json.dumps(GOOD_LINE).encode())
    assert read_alerts(path) == [GOOD_LINE]


def test_only_the_end_of_a_large_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    with path.open("w") as stream:
        for number in range(6000):
            stream.write(json.dumps({**GOOD_LINE, "code": number, "message": "x" * 1000}) + "\n")
    assert [entry["code"] for entry in read_alerts(path, 3)] == [5997, 5998, 5999]
    assert len(read_alerts(path)) == 1000
    assert 3000 < len(read_alerts(path, 100_000)) < 4500


def test_there_may_be_no_file_yet_but_no_folder_in_its_place(tmp_path: Path) -> None:
    assert read_alerts(tmp_path / "gone") == []
    with pytest.raises(IsADirectoryError):
        read_alerts(tmp_path)


@pytest.mark.parametrize(
    ("age", "is_recent"),
    [
        (timedelta(0), True),
        (REPEAT_AFTER - timedelta(seconds=1), True),
        (REPEAT_AFTER, False),
        (timedelta(days=3), False),
        (-timedelta(minutes=5), True),
        # The clock stood years ahead when it was told: that must not silence it until then.
        (-timedelta(days=4000), False),
    ],
)
def test_an_alert_is_recent_for_some_hours(tmp_path: Path, age: timedelta, is_recent: bool) -> None:
    sink = FileSink(tmp_path / "alerts.jsonl")
    sink.send(ALERT, NOW - age)
    assert sink.recent_keys(NOW) == ({ALERT.key} if is_recent else set())


def test_the_same_alert_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    alerter = make_alerter(path, None, NOW)
    assert alerter.tell(ALERT, NOW)
    assert not alerter.tell(replace(ALERT, message="in other words"), NOW)
    assert alerter.tell(replace(ALERT, subject="another"), NOW)
    assert len(read_alerts(path)) == 2


def test_the_next_cycle_remembers_and_forgets_in_time(tmp_path: Path) -> None:
    path = tmp_path / "alerts.jsonl"
    assert make_alerter(path, None, NOW).tell(ALERT, NOW)
    soon, late = NOW + timedelta(hours=1), NOW + REPEAT_AFTER
    assert not make_alerter(path, "", soon).tell(ALERT, soon)
    assert make_alerter(path, "", late).tell(ALERT, late)


def test_every_sink_is_told(tmp_path: Path) -> None:
    sinks = [FileSink(tmp_path / "one"), FileSink(tmp_path / "two")]
    assert Alerter(sinks, {"other:key"}).tell(ALERT, NOW)
    assert (tmp_path / "one").read_text() == (tmp_path / "two").read_text() != ""
