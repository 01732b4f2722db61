"""When DVR or camera are told as lost, and when as back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agent_dvr.watching import CameraState, DvrState, note_cameras, note_dvr

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LIMIT = timedelta(minutes=60)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ("....", []),
        ("xx.xx.", []),
        ("xxx", ["dvr_lost"]),
        ("xxxxxxxx", ["dvr_lost"]),
        ("xxx..", ["dvr_lost", "dvr_back"]),
        ("xxx.xxx", ["dvr_lost", "dvr_back", "dvr_lost"]),
    ],
)
def test_a_dvr_is_lost_after_three_looks_and_told_once(looks: str, told: list[str]) -> None:
    state, codes = DvrState(), []
    for look in looks:
        state, alert = note_dvr(state, "10.0.0.2:554", "refused" if look == "x" else None)
        codes += [alert.code] if alert else []
    assert codes == told


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def notes(
    looks: Sequence[tuple[float, str]], limit: timedelta = LIMIT
) -> list[tuple[float, str, str]]:
    """Return what is told at which minute; a look names the cameras that delivered."""
    states: dict[str, CameraState] = {}
    told = []
    for minute, delivered in looks:
        states, alerts = note_cameras(states, ["gate"], delivered.split(), at(minute), limit)
        told += [(minute, alert.code, alert.subject) for alert in alerts]
    return told


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([(0, ""), (59, "")], []),
        ([(0, ""), (60, ""), (120, "")], [(60, "camera_silent", "gate")]),
        ([(0, "gate"), (50, "gate"), (109, "")], []),
        (
            [(0, ""), (60, ""), (61, "gate"), (62, "")],
            [(60, "camera_silent", "gate"), (61, "camera_heard", "gate")],
        ),
        ([(0, "yard"), (60, "gate")], [(60, "camera_silent", "yard")]),
        ([(0, ""), (-500, ""), (-441, ""), (-440, "")], [(-440, "camera_silent", "gate")]),
    ],
)
def test_a_camera_is_silent_after_a_while_and_told_once(
    looks: Sequence[tuple[float, str]], told: list[tuple[float, str, str]]
) -> None:
    assert notes(looks) == told


def test_where_no_limit_is_set_nobody_is_silent() -> None:
    assert notes([(0, ""), (10**6, "")], timedelta(0)) == []
