"""What the log has to say about times in which the box saw nothing: the decision, without files or clocks.

"Nothing happened" and "we were blind" must differ: a camera that went silent, a box that was off and a clock
that was set are lines of the log. From one look to the next only this state is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from vv_core.clock import format_utc
from vv_core.tlog.events import Event, EventKind

CLOCK_STEP_S = 30.0
"""A clock that differs by more from the time that passed was set; less is the work of NTP."""
LEAST_OFF_S = 900.0
OFF_INTERVALS = 3
MAX_CAMERAS = 1000


@dataclass(frozen=True)
class Camera:
    """What is known of a camera.

    Attributes:
        seen: when it last delivered a video, or from when on it is waited for.
        is_silent: the log says so already.
    """

    seen: datetime
    is_silent: bool = False


@dataclass(frozen=True)
class Coverage:
    """What the last look left.

    Attributes:
        boot_id: of the running system.
        wall: the clock at that look, aware.
        monotonic_s: seconds that never go backwards within one boot.
        version: of the product.
        manifest_sha256: of ``vv-signature.json``, None without one.
        cameras: by name.
        pending: events that are not in the log yet.
    """

    boot_id: str
    wall: datetime
    monotonic_s: float
    version: str
    manifest_sha256: str | None
    cameras: Mapping[str, Camera] = field(default_factory=dict)
    pending: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Look:
    """What is seen now; the first five are those of `Coverage`.

    Attributes:
        delivered: when each camera put its newest video into ``input/``.
        is_start: the first look of a program that stays.
    """

    boot_id: str
    wall: datetime
    monotonic_s: float
    version: str
    manifest_sha256: str | None
    delivered: Mapping[str, datetime] = field(default_factory=dict)
    is_start: bool = False


@dataclass(frozen=True)
class Limits:
    """From when on something is worth a line.

    Attributes:
        silent: without a video from a camera; zero: never.
        off: without a look.
    """

    silent: timedelta
    off: timedelta

    @classmethod
    def of(cls, silent_minutes: int, interval_s: float) -> Limits:
        """Return the limits for the settings of a box."""
        off_s = max(LEAST_OFF_S, OFF_INTERVALS * interval_s)
        return cls(timedelta(minutes=silent_minutes), timedelta(seconds=off_s))


def plan_coverage(before: Coverage | None, look: Look, limits: Limits) -> Coverage:
    """Return the state after a look, with the events that the log is to get.

    Args:
        before: the state of the last look; None at the first.
        look: what is seen now.
        limits: from when on something counts.
    """
    events: list[Event] = []
    cameras = dict(before.cameras) if before is not None else {}
    if before is not None:
        step = _clock_step(before, look)
        if step:
            events.append(_times(EventKind.CLOCK_STEP, look.wall - step, look.wall))
            cameras = {name: replace(each, seen=each.seen + step) for name, each in cameras.items()}
        since = before.wall + step
        if look.wall - since > limits.off:
            events.append(_times(EventKind.BOX_OFF, since, look.wall))
            # While nobody looked, no camera was silent.
            cameras = {name: replace(each, seen=look.wall) for name, each in cameras.items()}
    if _is_start(before, look):
        details = {"version": look.version, "manifest_sha256": look.manifest_sha256}
        events.append(Event(EventKind.START, details, look.wall))
    events += _watch_cameras(cameras, look, limits.silent)
    return Coverage(
        boot_id=look.boot_id,
        wall=look.wall,
        monotonic_s=look.monotonic_s,
        version=look.version,
        manifest_sha256=look.manifest_sha256,
        cameras=cameras,
        pending=(*(before.pending if before is not None else ()), *events),
    )


def _clock_step(before: Coverage, look: Look) -> timedelta:
    """Return by how much the clock was set between two looks of one boot; nothing when it was not."""
    if before.boot_id != look.boot_id:
        return timedelta()
    passed = timedelta(seconds=look.monotonic_s - before.monotonic_s)
    step = look.wall - before.wall - passed
    return step if abs(step.total_seconds()) > CLOCK_STEP_S else timedelta()


def _is_start(before: Coverage | None, look: Look) -> bool:
    if before is None or look.is_start or before.boot_id != look.boot_id:
        return True
    program = (before.version, before.manifest_sha256)
    return program != (look.version, look.manifest_sha256)


def _watch_cameras(cameras: dict[str, Camera], look: Look, silent: timedelta) -> list[Event]:
    """Bring the cameras up to date and return what is to be said about them."""
    events = []
    for name, moment in sorted(look.delivered.items()):
        known = cameras.get(name)
        if known is None and len(cameras) >= MAX_CAMERAS:
            continue
        if known is not None and known.is_silent and moment > known.seen:
            events.append(_camera(EventKind.CAMERA_BACK, name, known.seen, min(moment, look.wall)))
            known = None
        seen = max(moment, known.seen) if known is not None else moment
        is_silent = known is not None and known.is_silent
        cameras[name] = Camera(seen, is_silent)
    for name, each in sorted(cameras.items()):
        # A clock that was set while the box was off may leave what was seen in the future.
        known = cameras[name] = replace(each, seen=min(each.seen, look.wall))
        if silent and not known.is_silent and look.wall - known.seen >= silent:
            events.append(_camera(EventKind.CAMERA_SILENT, name, known.seen, known.seen))
            cameras[name] = replace(known, is_silent=True)
    return events


def _camera(kind: EventKind, name: str, since: datetime, when: datetime) -> Event:
    return Event(kind, {"camera": name, "since": format_utc(since)}, when)


def _times(kind: EventKind, start: datetime, end: datetime) -> Event:
    return Event(kind, {"from": format_utc(start), "to": format_utc(end)}, start)
