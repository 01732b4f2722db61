"""The source of one camera: a reader, started anew for as long as pictures are wanted."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from tv_mirror_ui.cameras import Address
from tv_mirror_ui.knock import answers
from tv_mirror_ui.messages import HEADER, MAX_PAYLOAD, Order, Sort, Trouble
from tv_mirror_ui.pace import LONGEST_WAIT_S, Waits
from vv_core.logs import get_logger
from vv_core.process import PARENT_VARIABLE

READER = (sys.executable, "-m", "tv_mirror_ui.reader")
FIRST_PICTURE_S = 12.0
SILENCE_S = 6.0
_KNOCK_EVERY_S = 1.0
_SHORT_WAIT_S = 1.0
_GOODBYE_S = 1.5
_BUFFER = 1024 * 1024
# Such a camera answers: nothing but another try tells that it sends pictures again.
_LONGEST_S = {Trouble.SILENT: 2.0, Trouble.ENDED: 5.0}

_logger = get_logger("mirror.source")


@dataclass(frozen=True)
class Sink:
    """Who is told what a source does.

    Attributes:
        picture: a JPEG, and when it came (CLOCK_MONOTONIC, seconds).
        bad: something was left out.
        trouble: there are no pictures, and why.
    """

    picture: Callable[[bytes, float], None]
    bad: Callable[[], None]
    trouble: Callable[[Trouble], None]


class Source:
    """Keeps a reader running, and waits longer each time it does no good.

    While it waits, it asks each second whether the camera answers: one that did not and now does is read at once.
    """

    def __init__(
        self,
        name: str,
        order: Order,
        address: Address,
        sink: Sink,
        *,
        reader: Sequence[str] = READER,
        knock: Callable[[Address], Awaitable[bool]] = answers,
    ) -> None:
        self._name = name
        self._order = order
        self._address = address
        self._sink = sink
        self._reader = tuple(reader)
        self._knock = knock
        self._waits = Waits()
        self._first_picture: float | None = None
        self._told: Trouble | None = None

    async def run(self) -> None:
        """Read until cancelled; the reader is gone then."""
        wait_s = 0.0
        while True:
            # Started before the wait: what it needs is loaded when the camera comes back.
            process = await self._start()
            self._first_picture = None
            trouble = Trouble.ENDED
            try:
                await self._pause(wait_s)
                if process is not None:
                    trouble = await self._read(process)
            finally:
                if process is not None:
                    await _end(process)
            self._sink.trouble(trouble)
            good_s = time.monotonic() - self._first_picture if self._first_picture else 0.0
            wait_s = self._waits.after(good_s, _LONGEST_S.get(trouble, LONGEST_WAIT_S))
            self._tell(trouble)

    def _tell(self, trouble: Trouble | None) -> None:
        """Log what has changed, and not each of a thousand tries."""
        if trouble != self._told:
            self._told = trouble
            _logger.warning("%s: %s", self._name, trouble.value if trouble else "it is back")

    async def _start(self) -> Process | None:
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        try:
            return await asyncio.create_subprocess_exec(
                *self._reader, stdin=PIPE, stdout=PIPE, limit=_BUFFER, env=environment,
                start_new_session=True,
            )  # fmt: skip
        except OSError as exc:
            # No memory or no more processes now; that may pass.
            _logger.error("%s: the reader cannot be started: %s", self._name, exc)
            return None

    async def _read(self, process: Process) -> Trouble:
        try:
            return await self._follow(process)
        except (asyncio.IncompleteReadError, ConnectionError):
            return Trouble.ENDED
        except TimeoutError:
            return Trouble.SILENT

    async def _follow(self, process: Process) -> Trouble:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._order.to_line())
        process.stdin.close()
        patience_s = FIRST_PICTURE_S
        while True:
            # The reader itself gives up sooner; this is for one that hangs.
            async with asyncio.timeout(patience_s):
                sort, moment, length = HEADER.unpack(await process.stdout.readexactly(HEADER.size))
                if length > MAX_PAYLOAD:
                    return Trouble.UNREADABLE
                payload = await process.stdout.readexactly(length)
            if sort == Sort.PICTURE:
                self._first_picture = self._first_picture or time.monotonic()
                self._tell(None)
                self._sink.picture(payload, moment)
                patience_s = SILENCE_S
            elif sort == Sort.BAD:
                self._sink.bad()
            else:
                return Trouble(payload.decode("ascii", "replace"))

    async def _pause(self, wait_s: float) -> None:
        if wait_s <= _SHORT_WAIT_S:
            await asyncio.sleep(wait_s)
            return
        until = time.monotonic() + wait_s
        did_answer = await self._knock(self._address)
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, _KNOCK_EVERY_S))
            does_answer = await self._knock(self._address)
            if does_answer and not did_answer:
                return
            did_answer = does_answer


async def _end(process: Process) -> None:
    """End a reader: TERM, so that the camera is told; then KILL."""
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_GOODBYE_S):
            await process.wait()
    except TimeoutError:
        pass
    finally:
        with suppress(ProcessLookupError):
            process.kill()
    await process.wait()
