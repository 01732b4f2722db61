"""Whether DVR and cameras are still there: decisions about what was seen; no network here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vv_core.alerts import Alert, Severity

LOST_AFTER = 3
"""Looks in a row that must fail: one lost packet is no loss of a DVR."""


@dataclass(frozen=True)
class DvrState:
    """What is known of the DVR.

    Attributes:
        failures: looks in a row to which it did not answer.
        is_lost: somebody was told that it is gone.
        reason: why the last look failed.
    """

    failures: int = 0
    is_lost: bool = False
    reason: str = ""


def note_dvr(state: DvrState, address: str, reason: str | None) -> tuple[DvrState, Alert | None]:
    """Note one look at the DVR.

    Args:
        state: before.
        address: of the DVR.
        reason: why it did not answer, or None.

    Returns:
        The state after, and what to tell.
    """
    if reason is None:
        return DvrState(), _back(address) if state.is_lost else None
    failures = state.failures + 1
    is_lost = failures >= LOST_AFTER
    after = DvrState(failures, is_lost, reason)
    return after, _lost(address, reason) if is_lost and not state.is_lost else None


def _lost(address: str, reason: str) -> Alert:
    return Alert(
        Severity.CRITICAL,
        "dvr_lost",
        address,
        f"the DVR {address} does not answer: {reason}",
        "Check its power, its cable and DVR_IP and VV_DVR_PORT; recordings are missing meanwhile.",
    )


def _back(address: str) -> Alert:
    return Alert(
        Severity.INFO, "dvr_back", address, f"the DVR {address} answers again", "Nothing to do."
    )


@dataclass(frozen=True)
class CameraState:
    """What is known of one camera.

    Attributes:
        last: when its last recording came, or when somebody began to look.
        is_silent: somebody was told that none comes.
    """

    last: datetime
    is_silent: bool = False


def note_cameras(
    states: Mapping[str, CameraState],
    known: Iterable[str],
    delivered: Iterable[str],
    now: datetime,
    limit: timedelta,
) -> tuple[dict[str, CameraState], list[Alert]]:
    """Note which cameras have delivered.

    Args:
        states: before, by camera.
        known: cameras that have a folder.
        delivered: cameras that a recording came from, or is coming from.
        now: the current time.
        limit: how long a camera may be silent; zero: for ever.

    Returns:
        The states after, and what to tell.
    """
    after = {name: states.get(name, CameraState(now)) for name in {*known, *states}}
    alerts = []
    for name in delivered:
        if name in after and after[name].is_silent:
            alerts.append(_heard(name))
        after[name] = CameraState(now)
    for name, state in sorted(after.items()):
        # A clock that was set back is no silence.
        last = min(state.last, now)
        is_silent = state.is_silent or (bool(limit) and now - last >= limit)
        if is_silent and not state.is_silent:
            alerts.append(_silent(name, limit))
        after[name] = replace(state, last=last, is_silent=is_silent)
    return after, alerts


def _silent(camera: str, limit: timedelta) -> Alert:
    minutes = int(limit.total_seconds() // 60)
    return Alert(
        Severity.WARNING,
        "camera_silent",
        camera or "raw",
        f"no recording of {camera or 'raw/'!r} came for {minutes} minutes",
        "Check the camera and how it uploads; VV_CAMERA_SILENT_MINUTES says how long it may be silent.",
    )


def _heard(camera: str) -> Alert:
    return Alert(
        Severity.INFO,
        "camera_heard",
        camera or "raw",
        f"recordings of {camera or 'raw/'!r} come again",
        "Nothing to do.",
    )
