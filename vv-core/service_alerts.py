"""Alerts of the services: kept in a file that they may write, taken over by whoever may send alerts.

A container sees neither the alert file of the box nor the URLs that alerts go to, since those are secrets.
"""

from __future__ import annotations

from datetime import datetime

from vv_core.alerts import REPEAT_AFTER, Alert, Alerter, Severity, make_alerter, read_alerts
from vv_core.clock import parse_utc
from vv_core.paths import Storage

FILE_NAME = "alerts.jsonl"


def tell_from_service(storage: Storage, alert: Alert, moment: datetime) -> bool:
    """Log an alert and leave it for the box, unless it was told lately; return whether it was told.

    Raises:
        OSError: the file is there and cannot be read.
    """
    return make_alerter(storage.services / FILE_NAME, None, moment).tell(alert, moment)


def relay_alerts(storage: Storage, alerter: Alerter, moment: datetime) -> int:
    """Pass the latest alerts of the services on; return how many were new.

    Raises:
        OSError: the file is there and cannot be read.
    """
    latest = [
        alert
        for entry in read_alerts(storage.services / FILE_NAME)
        if abs(moment - parse_utc(str(entry["time"]))) < REPEAT_AFTER
        and (alert := _alert_of(entry)) is not None
    ]
    return sum(alerter.tell(alert, moment) for alert in latest)


def _alert_of(entry: dict[str, object]) -> Alert | None:
    try:
        severity = Severity(str(entry["severity"]))
        message, advice = str(entry["message"]), str(entry["advice"])
    except (KeyError, ValueError):
        return None
    raw_fields = entry.get("fields")
    fields = raw_fields if isinstance(raw_fields, dict) else {}
    return Alert(severity, str(entry["code"]), str(entry["subject"]), message, advice, fields)
