"""Slots, viewers, and when a source runs; the source itself is a stand-in here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tv_mirror_ui import hub as hub_module
from tv_mirror_ui.cameras import Address, Camera, Kind
from tv_mirror_ui.hub import FRESH_S, Channel, Hub, State, Viewer
from tv_mirror_ui.logins import Login
from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.source import Sink

ADDRESS = Address(Kind.HTTP, "http://c/", "c", 80)
CAMERA = Camera("cam", "Cam", ADDRESS)


class StandIn:
    """A source that does what the test does."""

    made: list[StandIn]

    def __init__(self, name: str, order: Order, address: Address, sink: Sink) -> None:
        self.name, self.order, self.sink = name, order, sink
        self.is_running = False
        self.error: Exception | None = None
        StandIn.made.append(self)

    async def run(self) -> None:
        assert not any(each.is_running and each.name == self.name for each in StandIn.made)
        self.is_running = True
        try:
            while self.error is None:
                await asyncio.sleep(0.01)
            raise self.error
        finally:
            await asyncio.sleep(0.02)
            self.is_running = False

    def send(self, jpeg: bytes, age_s: float = 0.0) -> None:
        self.sink.picture(jpeg, time.monotonic() - age_s)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    StandIn.made = []
    monkeypatch.setattr(hub_module, "Source", StandIn)


def play(body: Callable[[Hub], Awaitable[Any]], *cameras: Camera, linger_s: float = 0.1) -> None:
    async def follow() -> None:
        hub = Hub(cameras or (CAMERA,), {"dvr": Login("u", "p")}, linger_s)
        async with asyncio.timeout(60):
            await body(hub)
        await hub.close()
        assert not any(each.is_running for each in StandIn.made)

    asyncio.run(follow())


async def settle() -> None:
    await asyncio.sleep(0.05)


def test_many_viewers_share_one_source_which_ends_after_the_last() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        assert channel.state(time.monotonic()) is State.OFF
        with hub.watch([channel]) as first, hub.watch([channel]) as second:
            await settle()
            (source,) = StandIn.made
            assert channel.state(time.monotonic()) is State.STARTING
            source.send(b"one")
            for viewer in (first, second):
                found = await viewer.next(1)
                assert found
                assert found[1].jpeg == b"one"
            assert channel.report(time.monotonic())["viewers"] == 2
            assert channel.report(time.monotonic())["state"] == "live"
            await asyncio.sleep(0.5)
            assert source.is_running, "longer than it lingers, as somebody watches"
        await asyncio.sleep(0.02)
        assert source.is_running, "a little longer than the last viewer"
        await asyncio.sleep(0.5)
        assert not source.is_running
        report = channel.report(time.monotonic())
        assert (report["state"], report["age_ms"], report["fps"]) == ("off", None, 0.0)

    play(body)


def test_who_comes_back_at_once_never_makes_two_connections() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        for _ in range(4):
            with hub.watch([channel]):
                await settle()
            while channel.state(time.monotonic()) is not State.OFF:
                await asyncio.sleep(0.001)
        assert len(StandIn.made) == 4

    play(body, linger_s=0.01)


def test_a_slow_viewer_gets_the_newest_and_skips_the_others() -> None:
    async def body(hub: Hub) -> None:
        with hub.watch([hub.channels["cam"]]) as viewer:
            await settle()
            for number in range(50):
                StandIn.made[0].send(b"%d" % number)
            found = await viewer.next(1)
            assert found
            assert found[1].jpeg == b"49"
            assert await viewer.next(0.05) is None, "the same one does not come twice"

    play(body)


def test_an_old_picture_is_neither_live_nor_handed_out() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        with hub.watch([channel]) as viewer:
            await settle()
            StandIn.made[0].send(b"old", age_s=FRESH_S + 1)
            assert await viewer.next(0.05) is None
            assert channel.state(time.monotonic()) is State.LOST
            assert channel.report(time.monotonic())["age_ms"] >= 4000

    play(body)


def test_troubles_are_told_until_pictures_come() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        with hub.watch([channel]):
            await settle()
            StandIn.made[0].sink.bad()
            StandIn.made[0].sink.trouble(Trouble.REFUSED)
            report = channel.report(time.monotonic())
            assert (report["state"], report["trouble"], report["bad"]) == ("lost", "refused", 1)
            assert hub.problems() == []
            StandIn.made[0].send(b"one")
            report = channel.report(time.monotonic())
            assert (report["state"], report["trouble"]) == ("live", None)

    play(body)


def test_one_that_cannot_be_blurred_is_off_for_good() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        with hub.watch([channel]) as viewer:
            await settle()
            StandIn.made[0].send(b"one")
            StandIn.made[0].sink.trouble(Trouble.NO_BLUR)
            assert await viewer.next(0.05) is None
            assert channel.state(time.monotonic()) is State.OFF
            channel.want()
            assert len(StandIn.made) == 1
        assert hub.problems() == ["cam: no_blur"]

    play(body)


def test_without_address_or_login_it_is_not_even_tried() -> None:
    async def body(hub: Hub) -> None:
        with hub.watch(list(hub.channels.values())) as viewer:
            assert await viewer.next(0.01) is None
        assert [each.name for each in StandIn.made] == ["c"]
        assert StandIn.made[0].order.password == "p"
        assert hub.problems() == ["a: no_address", "b: no_login"]

    play(
        body,
        Camera("a", "A", None),
        Camera("b", "B", ADDRESS, login="nobody"),
        Camera("c", "C", ADDRESS, login="dvr"),
    )


def test_a_source_that_fails_is_started_by_who_comes_next() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        with hub.watch([channel]):
            await settle()
            StandIn.made[0].error = RuntimeError("a mistake")
            await asyncio.sleep(0.1)
            assert channel.state(time.monotonic()) is State.OFF
        with hub.watch([channel]):
            await settle()
            assert StandIn.made[1].is_running

    play(body)


def test_no_camera_is_forgotten_where_several_are_watched() -> None:
    async def body(hub: Hub) -> None:
        with hub.watch(list(hub.channels.values())) as viewer:
            await settle()
            seen = []
            for number in range(30):
                StandIn.made[0].send(b"busy %d" % number)
                if number % 10 == 0:
                    StandIn.made[1].send(b"calm %d" % number)
                found = await viewer.next(1)
                assert found
                seen.append(found[1].jpeg)
            assert sum(each.startswith(b"calm") for each in seen) == 3

    play(body, CAMERA, Camera("two", "Two", ADDRESS))


def test_a_viewer_may_ask_for_fewer() -> None:
    async def body(hub: Hub) -> None:
        channel = hub.channels["cam"]
        with hub.watch([channel], frames_per_s=10) as viewer:
            await settle()
            began = time.monotonic()
            for number in range(5):
                StandIn.made[0].send(b"%d" % number)
                assert await viewer.next(10)
            assert time.monotonic() - began >= 0.4 - 0.01
            StandIn.made[0].send(b"last")
            assert await viewer.next(0) is None, "not yet its turn"

    play(body)


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["picture", "take"]), max_size=40))
def test_a_viewer_never_goes_back_and_never_waits_for_what_is_there(steps: list[str]) -> None:
    async def follow() -> None:
        channel = Channel(CAMERA, None, 1.0)
        viewer = Viewer([channel])
        channel.viewers.add(viewer)
        sent = taken = 0
        for step in steps:
            if step == "picture":
                sent += 1
                channel._take(b"%d" % sent, time.monotonic())
            else:
                found = await viewer.next(0.0)
                assert (found is not None) == (sent > taken)
                if found:
                    taken = int(found[1].jpeg)
                    assert taken == sent

    asyncio.run(follow())
