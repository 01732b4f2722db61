"""Work on several threads at once, results in order."""

from __future__ import annotations

import ctypes
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

MAX_WORKERS = 4


class _End:
    """Stands behind the last result of an item."""


_END = _End()
_LONGEST_WAIT_S = 900.0
_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 256 * 1024


def worker_count() -> int:
    """Return how many threads pay here: the cores this process may use, at most `MAX_WORKERS`."""
    return min(len(os.sched_getaffinity(0)), MAX_WORKERS)


def share_heap() -> None:
    """Let all threads of this process allocate from one heap, and pictures outside of it.

    glibc gives each thread its own, and what one frees another cannot use: with pictures of megabytes
    that costs 40 MB here and gains no time (bench/README.md). What is large goes back to the system as
    soon as it is freed; glibc would raise that limit by itself with the first picture, and keep the
    holes: 13 MB. ``mallopt(3)``, M_ARENA_MAX and M_MMAP_THRESHOLD; without glibc there is nothing to do.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def ordered_streams(
    executor: Executor, function: Callable[[T], Iterable[R]], items: Iterable[T], window: int
) -> Iterator[R]:
    """Yield the results of ``function(item)`` for each item, in order, each as soon as it is its turn.

    As `ordered_map`, for functions that give many results: those of the first item under way are
    yielded while it still works, so that only the others have to wait in memory.

    Raises:
        Whatever the function or the items raise; work not begun is dropped then.
    """

    def work(item: T, results: SimpleQueue[R | _End]) -> None:
        try:
            for result in function(item):
                results.put(result)
        finally:
            results.put(_END)

    under_way: deque[tuple[Future[None], SimpleQueue[R | _End]]] = deque()
    try:
        for item in items:
            results: SimpleQueue[R | _End] = SimpleQueue()
            under_way.append((executor.submit(work, item, results), results))
            if len(under_way) >= window:
                yield from _take_all(*under_way.popleft())
        while under_way:
            yield from _take_all(*under_way.popleft())
    finally:
        for future, _ in under_way:
            future.cancel()


def _take_all(future: Future[None], results: SimpleQueue[R | _End]) -> Iterator[R]:
    while not isinstance(result := results.get(timeout=_LONGEST_WAIT_S), _End):
        yield result
    future.result()


def ordered_map(
    executor: Executor, function: Callable[[T], R], items: Iterable[T], window: int
) -> Iterator[R]:
    """Yield ``function(item)`` for each item, in order, while later ones are worked on.

    Args:
        executor: runs the function.
        function: must be safe to run on several threads.
        items: taken one by one, never more than `window` ahead of what was yielded.
        window: results under way or waiting at a time; bounds memory.

    Raises:
        Whatever the function or the items raise; work not begun is dropped then.
    """
    under_way: deque[Future[R]] = deque()
    try:
        for item in items:
            under_way.append(executor.submit(function, item))
            if len(under_way) >= window:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
