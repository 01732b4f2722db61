"""Work on several threads comes back in order, and no more of it is under way than allowed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from scan_video.parallel import MAX_WORKERS, ordered_map, ordered_streams, share_heap, worker_count


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


def test_many_results_of_each_item_keep_their_order() -> None:
    def count_up(number: int) -> Iterator[tuple[int, int]]:
        for part in range(3):
            time.sleep(0.01 if number == 0 else 0)
            yield number, part

    with ThreadPoolExecutor(3) as executor:
        results = list(ordered_streams(executor, count_up, range(5), 3))
    assert results == [(number, part) for number in range(5) for part in range(3)]


def test_results_of_the_first_item_do_not_wait_for_its_end() -> None:
    go_on = threading.Event()

    def wait_after_one(number: int) -> Iterator[int]:
        yield number
        assert go_on.wait(timeout=20)
        yield -number

    with ThreadPoolExecutor(2) as executor:
        results = ordered_streams(executor, wait_after_one, [1, 2], 2)
        assert next(results) == 1
        go_on.set()
        assert list(results) == [-1, 2, -2]


def test_a_fault_behind_some_results_reaches_the_caller() -> None:
    def fail_later(number: int) -> Iterator[int]:
        yield number
        raise ValueError("later")

    with ThreadPoolExecutor(1) as executor:
        results = ordered_streams(executor, fail_later, [1, 2], 2)
        assert next(results) == 1
        with pytest.raises(ValueError, match="later"):
            next(results)
