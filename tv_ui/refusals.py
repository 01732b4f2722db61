"""Alerts about files that are not what they are called."""

from __future__ import annotations

from collections.abc import Callable

from vv_core.alerts import Alert, Severity
from vv_core.clock import Clock
from vv_core.errors import from_oserror
from vv_core.logs import get_logger
from vv_core.paths import Storage
from vv_core.service_alerts import tell_from_service

CODE = "media_refused"


def refusal_alert(sha256: str, what: str) -> Alert:
    """Return what an operator is told about a file that has other bytes than those that were signed."""
    return Alert(
        Severity.CRITICAL,
        CODE,
        sha256,
        f"A {what} is not shown, since its bytes are not those of its hash: {sha256}",
        "Audit the box with logline_verifier and check the disk: somebody or a fault has changed it.",
    )


def refusal_teller(storage: Storage, clock: Clock, what: str) -> Callable[[str], None]:
    """Return a function that tells about a refused hash; where that fails, the log says so."""

    def tell(sha256: str) -> None:
        try:
            tell_from_service(storage, refusal_alert(sha256, what), clock.now())
        except OSError as exc:
            get_logger("tv_api").error("%s", from_oserror(exc, "keep an alert").message)

    return tell
