"""One round of witnessing for this box: every witness that is due gets the newest head, by the settings.

Called by ``vv-log witness push`` and after each cycle of the orchestrator; never by an append.
"""

from __future__ import annotations

from collections.abc import Sequence

from vv_core.alerts import Alert, Alerter, Severity
from vv_core.clock import Clock
from vv_core.errors import VvError
from vv_core.logs import get_logger
from vv_core.settings import Settings
from vv_core.tlog.maintenance import add_cosignature
from vv_core.tlog.own_log import open_own_log
from vv_core.tlog.witness_client import Post, http_post
from vv_core.tlog.witness_files import WitnessPeer, read_witnesses
from vv_core.tlog.witness_push import PushResult, push_head
from vv_core.tlog.witness_receipts import read_receipts
from vv_core.tlog.witness_records import read_records

STATE_NAME = "witness-push.json"
ALERT_AFTER_FAILURES = 5


def configured_witnesses(settings: Settings) -> tuple[WitnessPeer, ...]:
    """Return the witnesses that the settings name; none without ``VV_WITNESSES``.

    Raises:
        ConfigError: the file cannot be read or is wrong.
    """
    path = settings.witnesses_file
    return read_witnesses(settings.resolve(path)) if path is not None else ()


def run_round(
    settings: Settings, clock: Clock, *, ignores_waits: bool = False, post: Post | None = None
) -> list[PushResult]:
    """Send the newest head to every witness that is due, and keep what comes back.

    Args:
        settings: of the box.
        clock: the time.
        ignores_waits: ask also those that are not due.
        post: sends a request; over HTTP by default.

    Returns:
        One result for each witness.

    Raises:
        VvError: the list of witnesses is wrong, there is no log, another round runs, or files cannot be
            written.
    """
    peers = configured_witnesses(settings)
    if not peers:
        return []
    log = open_own_log(settings.storage.log)
    results = push_head(
        log,
        peers,
        settings.storage.log_state / STATE_NAME,
        post or http_post(settings.witness_timeout_s),
        clock,
        ignores_waits=ignores_waits,
    )
    cosigned = {result.name for result in results if result.outcome == "cosigned"}
    for receipt in read_receipts(log, [peer for peer in peers if peer.name in cosigned]):
        # The writer is waited for, never the other way round; a newer head simply goes without.
        add_cosignature(settings, receipt.note)
    return results


def run_round_quietly(settings: Settings, clock: Clock, alerter: Alerter) -> None:
    """Run a round after a cycle: what fails is logged and told, and stops nothing."""
    try:
        results = run_round(settings, clock)
    except VvError as exc:
        get_logger("witness").warning("heads are not sent: %s → %s", exc.message, exc.advice)
        alert = Alert(Severity.WARNING, "witness_round", "witnesses", exc.message, exc.advice)
        alerter.tell(alert, clock.now())
        return
    records = read_records(settings.storage.log_state / STATE_NAME)
    for alert in plan_alerts(results, {name: each.failures for name, each in records.items()}):
        alerter.tell(alert, clock.now())


def plan_alerts(results: Sequence[PushResult], failures: dict[str, int]) -> list[Alert]:
    """Return what an operator should hear about a round.

    Args:
        results: of the round.
        failures: in a row, by witness.
    """
    alerts = []
    for result in results:
        if result.outcome == "contradicted":
            alerts.append(
                Alert(
                    Severity.CRITICAL,
                    "witness_contradicts",
                    result.name,
                    result.error,
                    result.advice,
                )
            )
        elif result.outcome == "failed" and failures.get(result.name, 0) >= ALERT_AFTER_FAILURES:
            alerts.append(
                Alert(Severity.WARNING, "witness_down", result.name, result.error, result.advice)
            )
    return alerts
