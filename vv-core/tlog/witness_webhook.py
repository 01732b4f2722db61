"""Sending the newest head to addresses outside: JSON to http(s) URLs, text to whatever apprise knows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from vv_core.alerts import Alert, AppriseSink, Severity
from vv_core.clock import format_utc
from vv_core.errors import ConfigError
from vv_core.tlog.heads import WEBHOOK_SCHEMA
from vv_core.tlog.own_log import OwnLog
from vv_core.tlog.witness_client import Post, WitnessUnavailable


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one address.

    Attributes:
        target: the address, without what may be secret in it.
        error: in words; "" when it took the head.
        advice: what to do about it.
    """

    target: str
    error: str = ""
    advice: str = ""


def head_document(log: OwnLog, moment: datetime) -> dict[str, object]:
    """Return the JSON that the webhook sends; ``logline_verifier --head`` takes it as a file."""
    return {
        "schema": WEBHOOK_SCHEMA,
        "origin": log.head.origin,
        "size": log.head.size,
        "root": log.head.root.hex(),
        "time": format_utc(moment),
        "checkpoint": log.note.decode("utf-8"),
    }


def send_head(log: OwnLog, urls: Sequence[str], post: Post, moment: datetime) -> list[Sent]:
    """Send the newest head to every address; one that fails does not stop the others.

    Raises:
        ConfigError: an address is not http(s), and apprise is not installed.
    """
    body = json.dumps(head_document(log, moment), sort_keys=True).encode("ascii")
    return [
        _post_head(url, body, post)
        if url.lower().startswith(("http://", "https://"))
        else _notify(url, log)
        for url in urls
    ]


def _post_head(url: str, body: bytes, post: Post) -> Sent:
    # A webhook's path or query is often its password.
    target = (
        url.split("?", maxsplit=1)[0]
        .rsplit("@", maxsplit=1)[-1]
        .removeprefix("https://")
        .removeprefix("http://")
    )
    target = target.split("/")[0]
    try:
        response = post(url, body, "application/json")
    except WitnessUnavailable as exc:
        return Sent(target, exc.message, exc.advice)
    if not 200 <= response.status < 300:  # noqa: PLR2004 - success, by RFC 9110
        return Sent(target, f"{target} answered {response.status}", "Check VV_HEAD_URLS.")
    return Sent(target)


def _notify(url: str, log: OwnLog) -> Sent:
    target = url.split(":", maxsplit=1)[0]
    try:
        sink = AppriseSink([url])
    except ImportError:
        raise ConfigError(
            f"heads cannot be sent by {target}: the package apprise is not installed",
            advice="Run: python3 bootstrap.py --rooms alerts",
        ) from None
    alert = Alert(
        Severity.INFO,
        "log_head",
        log.head.origin,
        log.note.decode("utf-8"),
        "Guarde esta mensagem: ela testemunha o registro. / Keep this message: it witnesses the log.",
    )
    if not sink.notify(alert):
        return Sent(
            target, f"{target} did not take the head", "Check VV_HEAD_URLS and the network."
        )
    return Sent(target)
