"""The hub: one connection a camera, one slot with its latest picture, any number of viewers."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tv_mirror_ui.cameras import Camera
from tv_mirror_ui.logins import Login
from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.source import Sink, Source
from vv_core.logs import get_logger

FRESH_S = 3.0
"""A picture older than this is no longer live."""
STARTING_S = 10.0
_RATE_OVER_S = 5.0
_RATE_PICTURES = 256
_FOR_GOOD = (Trouble.NO_ADDRESS, Trouble.NO_LOGIN, Trouble.NO_BLUR)
"""Troubles that only a person ends."""

_logger = get_logger("mirror.hub")


class State(StrEnum):
    """How a camera is."""

    OFF = "off"
    STARTING = "starting"
    LIVE = "live"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Picture:
    """What is in a slot.

    Attributes:
        jpeg: the picture.
        captured: when it came from the camera, CLOCK_MONOTONIC, seconds.
        number: it grows with each picture.
    """

    jpeg: bytes
    captured: float
    number: int


class Channel:
    """One camera with its slot; its source runs while somebody watches, and a little longer.

    Attributes:
        camera: what it is.
        latest: the slot.
        viewers: who watches now.
    """

    def __init__(self, camera: Camera, login: Login | None, linger_s: float) -> None:
        self.camera = camera
        self.latest: Picture | None = None
        self.viewers: set[Viewer] = set()
        self._order = _order(camera, login)
        self._linger_s = linger_s
        self._trouble = _lasting_trouble(camera, login)
        self._task: asyncio.Task[None] | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._started = 0.0
        self._wanted = 0.0
        self._number = 0
        self._bad = 0
        self._times: deque[float] = deque(maxlen=_RATE_PICTURES)

    @property
    def lasting_trouble(self) -> Trouble | None:
        """What keeps it off until a person changes something."""
        return self._trouble if self._trouble in _FOR_GOOD else None

    def want(self) -> None:
        """Somebody wants pictures now: start the source where it does not run."""
        self._wanted = time.monotonic()
        if self._task is not None or self._order is None or self.lasting_trouble:
            return
        self._started = self._wanted
        self._trouble = None
        assert self.camera.address is not None
        sink = Sink(self._take, self._count_bad, self._note)
        source = Source(self.camera.name, self._order, self.camera.address, sink)
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._run(source), name=f"source of {self.camera.name}")
        self._task.add_done_callback(self._tell_crash)
        loop.call_later(self._linger_s, self._look_for_viewers)

    async def _run(self, source: Source) -> None:
        if self._leaving is not None:
            # Never two connections to a camera.
            await asyncio.wait([self._leaving])
        await source.run()

    def _tell_crash(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("%s: the source failed", self.camera.name, exc_info=error)
            self._task = None

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._leaving, self._task = self._task, None
        self.latest = None
        self._times.clear()

    def _look_for_viewers(self) -> None:
        if self._task is None:
            return
        left_s = self._wanted + self._linger_s - time.monotonic()
        if self.viewers:
            left_s = self._linger_s
        if left_s > 0:
            asyncio.get_running_loop().call_later(left_s, self._look_for_viewers)
            return
        self._stop()

    async def close(self) -> None:
        """End the source now, and wait until its reader is gone."""
        self._stop()
        if self._leaving is not None:
            await asyncio.wait([self._leaving])

    def _take(self, jpeg: bytes, captured: float) -> None:
        self._number += 1
        self.latest = Picture(jpeg, captured, self._number)
        self._trouble = None
        self._times.append(time.monotonic())
        for viewer in self.viewers:
            viewer.wake()

    def _count_bad(self) -> None:
        self._bad += 1

    def _note(self, trouble: Trouble) -> None:
        self._trouble = trouble
        if trouble in _FOR_GOOD:
            self._stop()

    def fresh(self, now: float) -> Picture | None:
        """Return the picture in the slot, unless it is no longer live."""
        latest = self.latest
        return latest if latest is not None and now - latest.captured <= FRESH_S else None

    def state(self, now: float) -> State:
        """Return how the camera is."""
        if self._task is None:
            return State.OFF
        if self.fresh(now):
            return State.LIVE
        is_new = self.latest is None and now - self._started < STARTING_S
        return State.STARTING if is_new and self._trouble is None else State.LOST

    def report(self, now: float) -> dict[str, Any]:
        """Return what ``/state`` says about it."""
        latest = self.latest
        recent = sum(1 for moment in self._times if now - moment <= _RATE_OVER_S)
        return {
            "name": self.camera.name,
            "title": self.camera.title,
            "state": self.state(now).value,
            "age_ms": round((now - latest.captured) * 1000) if latest else None,
            "viewers": len(self.viewers),
            "fps": round(recent / _RATE_OVER_S, 1),
            "bad": self._bad,
            "trouble": self._trouble.value if self._trouble else None,
        }


class Viewer:
    """One who watches some cameras; takes the latest picture of each when it can, and skips the others."""

    def __init__(self, channels: Sequence[Channel], frames_per_s: float | None = None) -> None:
        self._channels = channels
        self._interval_s = 1 / frames_per_s if frames_per_s else 0.0
        self._news = asyncio.Event()
        self._seen = {channel.camera.name: 0 for channel in channels}
        self._due = {channel.camera.name: 0.0 for channel in channels}

    def wake(self) -> None:
        """Say that a slot has a new picture."""
        self._news.set()

    async def next(self, patience_s: float) -> tuple[Channel, Picture] | None:
        """Wait for a picture that this viewer has not had; None where none came in time."""
        until = time.monotonic() + patience_s
        while True:
            self._news.clear()
            now = time.monotonic()
            waiting = [
                (self._due[channel.camera.name], index)
                for index, channel in enumerate(self._channels)
                if (picture := channel.fresh(now))
                and picture.number != self._seen[channel.camera.name]
            ]
            due, index = min(waiting, default=(until, -1))
            if index >= 0 and due <= now:
                return self._hand_out(self._channels[index], now)
            if now >= until:
                return None
            with suppress(TimeoutError):
                async with asyncio.timeout(min(due, until) - now):
                    await self._news.wait()

    def _hand_out(self, channel: Channel, now: float) -> tuple[Channel, Picture]:
        name, picture = channel.camera.name, channel.latest
        assert picture is not None
        self._seen[name] = picture.number
        # Who has waited longest comes first, also where there is no limit.
        self._due[name] = now if not self._interval_s else self._next_due(name, now)
        return channel, picture

    def _next_due(self, name: str, now: float) -> float:
        is_in_step = now - self._due[name] < self._interval_s
        return (self._due[name] if is_in_step else now) + self._interval_s


class Hub:
    """All cameras.

    Attributes:
        channels: by name.
    """

    def __init__(
        self, cameras: Sequence[Camera], logins: Mapping[str, Login], linger_s: float
    ) -> None:
        self.channels = {
            camera.name: Channel(camera, logins.get(camera.login), linger_s) for camera in cameras
        }

    @contextmanager
    def watch(
        self, channels: Sequence[Channel], frames_per_s: float | None = None
    ) -> Iterator[Viewer]:
        """Yield a viewer of some cameras, at most so many pictures a second of each."""
        viewer = Viewer(channels, frames_per_s)
        for channel in channels:
            channel.viewers.add(viewer)
            channel.want()
        try:
            yield viewer
        finally:
            for channel in channels:
                channel.viewers.discard(viewer)
                channel.want()

    async def close(self) -> None:
        """End all sources."""
        await asyncio.gather(*(channel.close() for channel in self.channels.values()))

    def problems(self) -> list[str]:
        """Return what only a person can put right, a line a camera."""
        return [
            f"{channel.camera.name}: {channel.lasting_trouble.value}"
            for channel in self.channels.values()
            if channel.lasting_trouble
        ]


def _lasting_trouble(camera: Camera, login: Login | None) -> Trouble | None:
    if camera.address is None:
        return Trouble.NO_ADDRESS
    return Trouble.NO_LOGIN if camera.login and login is None else None


def _order(camera: Camera, login: Login | None) -> Order | None:
    if camera.address is None:
        return None
    return Order(
        kind=camera.address.kind.value,
        url=camera.address.url,
        frames_per_s=camera.frames_per_s,
        width=camera.width,
        height=camera.height,
        blur_faces=camera.blur_faces,
        user=login.user if login else "",
        password=login.password if login else "",
    )
