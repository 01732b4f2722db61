"""Work on several threads comes back in order, and no more of it is under way than allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scan_video.parallel import MAX_WORKERS, ordered_map, share_heap, worker_count


def test_results_keep_the_order_of_their_items() -> None:
    def slow_when_early(number: int) -> int:
        time.sleep(0.02 if number == 0 else 0)
        return number * 10

    with ThreadPoolExecutor(3) as executor:
        assert list(ordered_map(executor, slow_when_early, range(7), 3)) == list(range(0, 70, 10))


def test_items_are_taken_as_results_are_used() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for number in range(100):
            taken += 1
            yield number

    with ThreadPoolExecutor(2) as executor:
        results = ordered_map(executor, lambda number: number, items(), 4)
        next(results)
        assert taken <= 5
        results.close()


def test_a_fault_reaches_the_caller_and_stops_the_rest() -> None:
    done = threading.Semaphore(0)

    def fail_at_three(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        done.release()
        return number

    with ThreadPoolExecutor(1) as executor, pytest.raises(ValueError, match="three"):
        list(ordered_map(executor, fail_at_three, range(1000), 2))


def test_workers_are_few() -> None:
    assert 1 <= worker_count() <= MAX_WORKERS
    share_heap()
