"""A map over several processes that keeps the order and holds only a window of items in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
R = TypeVar("R")

WAITING_FOR_EACH = 3
"""Chunks handed out for each process, so that none has to wait for the next."""


class Workers:
    """Processes that share the work of an audit; with one job, the caller's own process does it.

    Args:
        jobs: how many processes.

    Attributes:
        is_alone: nothing travels to another process.
    """

    def __init__(self, jobs: int) -> None:
        self.is_alone = jobs <= 1
        self._jobs = jobs
        # Spawned: a fork of a program with threads (a progress bar has one) may stand still for ever.
        self._pool = (
            ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) if jobs > 1 else None
        )

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the processes go; what they have not begun is given up."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, function: Callable[[T], R], items: Iterable[T], chunk: int = 1) -> Iterator[R]:
        """Apply a function to each item and yield the results in order.

        Args:
            function: can be pickled.
            items: taken as they are needed.
            chunk: how many items travel to a process at a time.
        """
        if self._pool is None:
            yield from map(function, items)
            return
        waiting: deque[Future[list[R]]] = deque()
        source = iter(items)
        while batch := list(islice(source, chunk)):
            waiting.append(self._pool.submit(apply_to_all, function, batch))
            if len(waiting) >= self._jobs * WAITING_FOR_EACH:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def apply_to_all(function: Callable[[T], R], batch: list[T]) -> list[R]:
    """Apply a function to each item of a batch, in a process of its own."""
    return [function(item) for item in batch]
