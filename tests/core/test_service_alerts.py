"""Alerts of services reach the box's own, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.pipeline.box import new_box
from vv_core.alerts import Alert, Alerter, Severity, read_alerts
from vv_core.paths import Storage
from vv_core.service_alerts import FILE_NAME, relay_alerts, tell_from_service

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ALERT = Alert(Severity.WARNING, "dvr_lost", "10.0.0.2:554", "gone", "look", {"n": 1})


class Kept:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []

    def send(self, alert: Alert, moment: datetime) -> None:
        self.alerts.append(alert)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    storage = Storage(tmp_path)
    storage.services.mkdir(parents=True)
    return storage


def test_an_alert_is_taken_over_as_it_was_and_once(storage: Storage) -> None:
    assert tell_from_service(storage, ALERT, NOW)
    assert not tell_from_service(storage, ALERT, NOW + timedelta(hours=1))
    kept = Kept()
    alerter = Alerter([kept], set())
    assert relay_alerts(storage, alerter, NOW) == 1
    assert relay_alerts(storage, alerter, NOW) == 0
    assert kept.alerts == [ALERT]


def test_what_the_box_knows_and_what_is_old_is_left_alone(storage: Storage) -> None:
    tell_from_service(storage, ALERT, NOW)
    kept = Kept()
    assert relay_alerts(storage, Alerter([kept], {ALERT.key}), NOW) == 0
    assert relay_alerts(storage, Alerter([kept], set()), NOW + timedelta(hours=7)) == 0
    assert kept.alerts == []


@pytest.mark.parametrize("change", [{"severity": "HUGE"}, {"message": None}, {"fields": 3}])
def test_a_line_that_is_none_of_ours_harms_nobody(
    storage: Storage, change: dict[str, object]
) -> None:
    tell_from_service(storage, ALERT, NOW)
    path = storage.services / FILE_NAME
    (entry,) = read_alerts(path)
    entry |= change
    path.write_text(json.dumps({key: value for key, value in entry.items() if value is not None}))
    kept = Kept()
    relay_alerts(storage, Alerter([kept], set()), NOW)
    assert [alert.fields for alert in kept.alerts] == ([{}] if "fields" in change else [])


def test_a_cycle_of_the_orchestrator_takes_them_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = new_box(tmp_path, monkeypatch)
    storage = box.settings.storage
    storage.services.mkdir()
    tell_from_service(storage, ALERT, box.clock.now())
    assert box.cycle() == 0
    assert (ALERT.code, ALERT.subject) in box.alerts()
