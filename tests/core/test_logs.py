"""The log: one whole line a record, whoever writes, rotates, or fills the disk."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.conftest import unhurried
from vv_core.logs import (
    LOG_FILE_NAME,
    JsonFormatter,
    PlainFormatter,
    get_logger,
    printable,
    setup_logging,
)


def make_record(message: str, *args: object, **extra: Any) -> logging.LogRecord:
    return logging.Logger("vv.x").makeRecord(
        "vv.x", logging.INFO, "file", 1, message, args, None, extra=extra
    )


def entries(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def test_a_record_is_an_object_with_its_fields(tmp_path: Path) -> None:
    setup_logging("scan_video", tmp_path / "new" / "logs")
    get_logger("frames").info("looked at %d frames", 3, extra={"fields": {"path": tmp_path}})
    (entry,) = entries(tmp_path / "new" / "logs" / LOG_FILE_NAME)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry.pop("time"))
    assert entry == {
        "level": "INFO",
        "component": "scan_video",
        "logger": "vv.frames",
        "pid": os.getpid(),
        "message": "looked at 3 frames",
        "fields": {"path": str(tmp_path)},
    }


@unhurried
@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_whatever_is_told_stays_on_one_line_without_control_characters(
    message: str, fields: dict[str, Any]
) -> None:
    line = JsonFormatter("x").format(make_record("%s", message, fields=fields))
    assert line.isascii()
    assert line.isprintable()
    entry = json.loads(line)
    assert entry["message"] == message
    assert entry["fields"] == fields


def test_a_message_has_an_end() -> None:
    entry = json.loads(JsonFormatter("x").format(make_record("x" * 100_000)))
    assert len(entry["message"]) == 8000


class Circle(dict[str, object]):
    """A dictionary that holds itself."""

    def __init__(self) -> None:
        super().__init__()
        self["me"] = self


ODD_RECORDS: dict[str, logging.LogRecord] = {
    "argument of the wrong kind": make_record("%d frames", "three"),
    "too few arguments": make_record("%s and %s", "one"),
    "too many arguments": make_record("none", "one"),
    "a format that is none": make_record("100%!", "one"),
    "a name that is missing": make_record("%(name)s", {"other": 1}),
    "not a number": make_record("x", fields={"speed": float("nan")}),
    "a key that is none": make_record("x", fields={(1, 2): 3}),
    "a circle": make_record("x", fields=Circle()),
    "no dictionary": make_record("x", fields=["a"]),
    "no fields": make_record("x", fields=None),
    "an object": make_record("x", fields={"a": object()}),
}


@pytest.mark.parametrize("name", ODD_RECORDS)
def test_a_slip_in_a_log_call_stops_nothing_and_loses_nothing(name: str) -> None:
    record = ODD_RECORDS[name]

    def refuse(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    entry = json.loads(JsonFormatter("x").format(record), parse_constant=refuse)
    assert str(record.msg) in entry["message"]
    assert str(record.msg) in PlainFormatter().format(record)


def test_a_traceback_goes_to_the_log_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup_logging("x", tmp_path)
    try:
        raise RuntimeError("inner\nlines")
    except RuntimeError:
        get_logger("x").exception("it failed")
    (entry,) = entries(tmp_path / LOG_FILE_NAME)
    assert "Traceback" in entry["traceback"]
    assert "inner\nlines" in entry["traceback"]
    assert capsys.readouterr().err == "error: it failed\n"


@pytest.mark.parametrize(
    ("verbosity", "on_stderr", "in_file"),
    [
        (0, ["warning"], ["INFO", "WARNING"]),
        (1, ["info", "warning"], ["INFO", "WARNING"]),
        (2, ["debug", "info", "warning"], ["DEBUG", "INFO", "WARNING"]),
        (9, ["debug", "info", "warning"], ["DEBUG", "INFO", "WARNING"]),
    ],
)
def test_verbosity_chooses_what_a_person_sees(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    verbosity: int,
    on_stderr: list[str],
    in_file: list[str],
) -> None:
    setup_logging("x", tmp_path, verbosity)
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        get_logger("x").log(level, "said")
    assert capsys.readouterr().err == "".join(f"{name}: said\n" for name in on_stderr)
    assert [entry["level"] for entry in entries(tmp_path / LOG_FILE_NAME)] == in_file


def test_what_a_person_was_told_is_not_told_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    setup_logging("x", tmp_path, verbosity=2)
    get_logger("x").error("said before", extra={"told": True})
    assert capsys.readouterr().err == ""
    assert [entry["message"] for entry in entries(tmp_path / LOG_FILE_NAME)] == ["said before"]


def test_setting_up_twice_doubles_nothing_and_leaks_nothing(tmp_path: Path) -> None:
    for _ in range(20):
        setup_logging("x", tmp_path)
        get_logger("x").info("again")
    assert len(entries(tmp_path / LOG_FILE_NAME)) == 20
    opened = [os.path.realpath(path) for path in Path("/proc/self/fd").iterdir()]
    assert opened.count(str(tmp_path / LOG_FILE_NAME)) == 1


def test_nothing_is_printed_before_the_set_up() -> None:
    """Python itself would print errors, with their traceback."""
    code = (
        "from vv_core.logs import get_logger\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: get_logger('x').exception('failed')"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True
    )
    assert (result.stdout, result.stderr) == ("", "")


PRINTABLE = {
    "plain": ("câmera 1 → 名前 👍", "câmera 1 → 名前 👍"),
    "newline": ("a\nb\r\tc", "a\\nb\\r\\tc"),
    "escape sequence": ("\x1b[2J\x07", "\\x1b[2J\\x07"),
    "C1": ("\x9b31m", "\\x9b31m"),
    "right to left": ("\u202egpj", "\\u202egpj"),
    "lone surrogate": ("\udcff", "\\udcff"),
    "line separator": ("\u2028", "\\u2028"),
}


@pytest.mark.parametrize("name", PRINTABLE)
def test_text_is_made_printable(name: str) -> None:
    raw_text, expected = PRINTABLE[name]
    assert printable(raw_text) == expected
    assert PlainFormatter().format(make_record("%s", raw_text)) == f"info: {expected}"


@unhurried
@given(st.text())
def test_printable_text_is_printable(raw_text: str) -> None:
    assert printable(raw_text).isprintable()
    assert printable(printable(raw_text)) == printable(raw_text)
