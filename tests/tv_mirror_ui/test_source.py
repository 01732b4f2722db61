"""A source: readers that die, hang or lie, and how long it waits between them."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tv_mirror_ui import source
from tv_mirror_ui.cameras import Address, Kind
from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.source import Sink, Source

ADDRESS = Address(Kind.RTSP, "rtsp://127.0.0.1:9/", "127.0.0.1", 9)
ORDER = Order("rtsp", "rtsp://127.0.0.1:9/", 1, 1, 1, user="adm", password="s3cret")
SAY = (
    "import sys, time, os, struct, signal\n"
    "def say(sort, payload=b''): "
    "os.write(1, struct.pack('>cdI', sort, time.monotonic(), len(payload)) + payload)\n"
    "order = sys.stdin.readline()\n"
)


class Heard:
    """What a source told."""

    def __init__(self) -> None:
        self.pictures: list[bytes] = []
        self.bad = 0
        self.troubles: list[Trouble] = []
        self.moments: list[float] = []

    def sink(self) -> Sink:
        return Sink(lambda jpeg, _: self.pictures.append(jpeg), self.count, self.note)

    def count(self) -> None:
        self.bad += 1

    def note(self, trouble: Trouble) -> None:
        self.troubles.append(trouble)
        self.moments.append(time.monotonic())


async def silence(_: Address) -> bool:
    return False


def listen(
    script: str,
    until: Callable[[Heard], object],
    knock: Callable[[Address], Awaitable[bool]] = silence,
    program: str = sys.executable,
) -> Heard:
    """Run a source with a reader of our own until it has told enough."""
    heard = Heard()

    async def follow() -> None:
        reader = (program, "-c", SAY + script)
        each = Source("cam", ORDER, ADDRESS, heard.sink(), reader=reader, knock=knock)
        task = asyncio.create_task(each.run())
        async with asyncio.timeout(60):
            while not until(heard):
                await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(follow())
    return heard


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tv_mirror_ui.pace.FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(source, "_GOODBYE_S", 0.3)


def test_pictures_come_and_a_reader_that_ends_is_started_anew() -> None:
    script = "say(b'P', b'one'); say(b'B'); say(b'P', b'two'); say(b'E', b'silent')"
    heard = listen(script, lambda heard: len(heard.troubles) >= 2)
    assert heard.pictures[:4] == [b"one", b"two"] * 2
    assert heard.bad >= 2
    assert set(heard.troubles) == {Trouble.SILENT}


def test_the_order_comes_by_stdin_alone(tmp_path: Path) -> None:
    place = tmp_path / "seen"
    script = (
        f"open({str(place)!r}, 'w').write(order + '|' + open('/proc/self/cmdline').read() + "
        "'|' + open('/proc/self/environ').read())\nsay(b'E', b'ended')"
    )
    listen(script, lambda heard: heard.troubles)
    order, cmdline, environ = place.read_text().split("|", 2)
    assert Order.from_line(order.encode()) == ORDER
    assert "s3cret" not in cmdline + environ


@pytest.mark.parametrize(
    ("script", "trouble"),
    [
        ("sys.exit(3)", Trouble.ENDED),
        ("os.kill(os.getpid(), 9)", Trouble.ENDED),
        ("os.write(1, b'half')", Trouble.ENDED),
        ("os.write(1, struct.pack('>cdI', b'P', 0, 2**31))", Trouble.UNREADABLE),
    ],
)
def test_readers_that_die_or_lie_are_told(script: str, trouble: Trouble) -> None:
    assert listen(script, lambda heard: heard.troubles).troubles[0] is trouble


def test_one_that_hangs_is_ended_even_where_it_will_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(source, "SILENCE_S", 0.3)
    place = tmp_path / "pid"
    script = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"open({str(place)!r}, 'a').write(f'{{os.getpid()}} ')\n"
        "say(b'P', b'one')\ntime.sleep(600)"
    )
    heard = listen(script, lambda heard: len(heard.troubles) >= 2)
    assert heard.troubles[0] is Trouble.SILENT
    for number in place.read_text().split():
        assert not Path("/proc", number).exists()


def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    heard = listen("", lambda heard: len(heard.troubles) >= 3, program="/nowhere/python")
    assert set(heard.troubles) == {Trouble.ENDED}


def test_a_camera_that_answers_again_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tv_mirror_ui.pace.FIRST_WAIT_S", 500.0)
    monkeypatch.setattr("tv_mirror_ui.pace.LONGEST_WAIT_S", 500.0)
    monkeypatch.setattr(source, "_KNOCK_EVERY_S", 0.05)
    answers = iter([False, False, False, True, *[False] * 1000])

    async def knock(address: Address) -> bool:
        assert address == ADDRESS
        return next(answers)

    heard = listen("say(b'E', b'unreachable')", lambda heard: len(heard.troubles) >= 2, knock)
    assert heard.moments[1] - heard.moments[0] < 100


def test_one_that_answers_all_along_waits_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tv_mirror_ui.pace.FIRST_WAIT_S", 1.2)
    monkeypatch.setattr(source, "_KNOCK_EVERY_S", 0.1)

    async def knock(_: Address) -> bool:
        return True

    heard = listen("say(b'E', b'refused')", lambda heard: len(heard.troubles) >= 2, knock)
    assert heard.moments[1] - heard.moments[0] >= 1.2
