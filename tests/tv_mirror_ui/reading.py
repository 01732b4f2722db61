"""Running a reader inside the tests, and reading what it says."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, Queue

from tests.support.waiting import PATIENCE_S
from tv_mirror_ui.messages import HEADER, Order, Sort, Trouble
from tv_mirror_ui.outlet import Outlet
from tv_mirror_ui.reader import read_camera


@dataclass(frozen=True)
class Said:
    """One message of a reader."""

    sort: bytes
    moment: float
    payload: bytes


class Reading:
    """What a reader has said, as it comes."""

    def __init__(self) -> None:
        self.said: Queue[Said] = Queue()
        self.trouble: Trouble | None = None

    def picture(self, timeout_s: float = PATIENCE_S) -> Said:
        """Return the next picture."""
        while True:
            said = self.said.get(timeout=timeout_s)
            if said.sort == Sort.PICTURE:
                return said

    def count_bad(self) -> int:
        """Return how many were left out, of what came so far."""
        found = 0
        while True:
            try:
                found += self.said.get_nowait().sort == Sort.BAD
            except Empty:
                return found


@contextmanager
def reading(order: Order) -> Iterator[Reading]:
    """Yield what a reader in a thread of this process says; it ends when its pipe is closed."""
    result = Reading()
    source, sink = os.pipe()

    def follow() -> None:
        with os.fdopen(source, "rb") as stream:
            while len(head := stream.read(HEADER.size)) == HEADER.size:
                sort, moment, length = HEADER.unpack(head)
                result.said.put(Said(sort, moment, stream.read(length)))
                if is_over.is_set():
                    return

    def read() -> None:
        try:
            result.trouble = read_camera(order, Outlet(sink))
        except BrokenPipeError:
            pass
        finally:
            os.close(sink)

    is_over = threading.Event()
    threads = [threading.Thread(target=follow), threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    try:
        yield result
    finally:
        is_over.set()
        for thread in threads:
            thread.join(PATIENCE_S)


def read_to_end(order: Order) -> Reading:
    """Run a reader until it ends by itself."""
    with reading(order) as result:
        pass_on = threading.Event()
        while result.trouble is None and not pass_on.wait(0.02):
            pass
    return result
