"""The log file: shared by processes, renamed under them, on a disk that fills up."""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.core.test_logs import entries
from tests.support.forking import fork
from vv_core.logs import (
    LOG_FILE_NAME,
    AppendingFileHandler,
    JsonFormatter,
    get_logger,
    setup_logging,
)

WRITERS, RECORDS = 8, 500


def logger_to(path: Path) -> logging.Logger:
    handler = AppendingFileHandler(path)
    handler.setFormatter(JsonFormatter("test"))
    logger = logging.Logger("vv.test")
    logger.addHandler(handler)
    return logger


def start_writer(path: Path, number: int, records: int) -> int:
    """Fork a process that writes records of many lengths; return its id."""
    child = fork()
    if child:
        return child
    try:
        logger = logger_to(path)
        for index in range(records):
            padding = "x" * (index * 37 % 700)
            logger.info("record", extra={"fields": {"id": [number, index], "padding": padding}})
    finally:
        os._exit(0)


def has_ended(child: int) -> bool:
    return os.waitpid(child, os.WNOHANG)[0] != 0


def ids_in(paths: list[Path]) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for path in paths:
        for entry in entries(path):
            found[tuple(entry["fields"]["id"])] += 1
    return found


ALL_ONCE = Counter((number, index) for number in range(WRITERS) for index in range(RECORDS))


def test_processes_neither_lose_nor_tear_each_others_lines(tmp_path: Path) -> None:
    path = tmp_path / LOG_FILE_NAME
    children = [start_writer(path, number, RECORDS) for number in range(WRITERS)]
    for child in children:
        os.waitpid(child, 0)
    assert ids_in([path]) == ALL_ONCE


def test_rotation_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / LOG_FILE_NAME
    running = [start_writer(path, number, RECORDS) for number in range(WRITERS)]
    rotations = 0
    while running:
        if path.exists():
            rotations += 1
            path.rename(tmp_path / f"{LOG_FILE_NAME}.{rotations}")
        time.sleep(0.002)
        running = [child for child in running if not has_ended(child)]
    assert rotations > 3
    assert ids_in(list(tmp_path.iterdir())) == ALL_ONCE


def test_a_killed_writer_glues_nothing_to_the_next_line(tmp_path: Path) -> None:
    path = tmp_path / LOG_FILE_NAME
    logger = logger_to(path)
    logger.info("before")
    with path.open("ab") as stream:
        stream.write(b'{"message": "cut sho')
    logger.info("after")
    logger.info("and on")
    lines = path.read_text().splitlines()
    assert lines[1] == '{"message": "cut sho'
    assert [json.loads(line)["message"] for line in (lines[0], *lines[2:])] == [
        "before",
        "after",
        "and on",
    ]


def test_killed_writers_leave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / LOG_FILE_NAME
    for number in range(20):
        child = start_writer(path, number, 100_000)
        time.sleep(0.001 * number)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    logger_to(path).info("last", extra={"fields": {"id": [99, 0]}})
    assert all(count == 1 for count in ids_in([path]).values())


def test_a_full_disk_is_told_once_and_the_log_goes_on_after_it(
    small_disk: Path,
    fill_up: Callable[[Path], Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = small_disk / LOG_FILE_NAME
    one, other = logger_to(path), logger_to(path)
    one.info("before")
    other.info("before, the other")
    ballast = fill_up(small_disk)
    for _ in range(3):
        one.info("x" * 7000)
    warning = capsys.readouterr().err
    assert warning.count("warning: the log") == 1
    assert "No space left" in warning
    ballast.unlink()
    # The one that did not notice must not glue its line to what the first could write.
    other.info("after")
    one.info("after, the other")
    lines = path.read_text().splitlines()
    assert json.loads(lines[-2])["message"] == "after"
    assert json.loads(lines[-1])["message"] == "after, the other"
    assert [json.loads(line)["message"] for line in lines[:2]] == ["before", "before, the other"]
    assert len(lines) == 5


def test_the_next_full_disk_is_told_again(
    small_disk: Path, fill_up: Callable[[Path], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logger_to(small_disk / LOG_FILE_NAME)
    for _ in range(2):
        logger.info("fine")
        ballast = fill_up(small_disk)
        logger.info("x" * 7000)
        logger.info("x" * 7000)
        ballast.unlink()
        assert capsys.readouterr().err.count("warning: the log") == 1


def test_a_log_that_cannot_be_opened_stops_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file where the folder should be")
    setup_logging("x", tmp_path / "logs")
    get_logger("x").info("one")
    get_logger("x").info("two")
    assert capsys.readouterr().err.count("\n") == 1


def test_a_removed_folder_is_made_again(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    logger = logger_to(folder / LOG_FILE_NAME)
    logger.info("one")
    (folder / LOG_FILE_NAME).unlink()
    folder.rmdir()
    logger.info("two")
    assert [entry["message"] for entry in entries(folder / LOG_FILE_NAME)] == ["two"]


def test_a_log_that_was_emptied_in_place_goes_on(tmp_path: Path) -> None:
    path = tmp_path / LOG_FILE_NAME
    logger = logger_to(path)
    logger.info("one")
    os.truncate(path, 0)
    logger.info("two")
    assert [entry["message"] for entry in entries(path)] == ["two"]
