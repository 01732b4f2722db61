"""``make logs``: readable lines, and a log that is followed through rotations."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from vv_core.log_view import follow, main, readable
from vv_core.logs import get_logger, setup_logging

ENTRY = {
    "time": "2026-11-21T02:03:04.123Z",
    "level": "INFO",
    "component": "orchestrator",
    "message": "cycle ended",
}

LINES: dict[str, tuple[object, str]] = {
    "an entry": (ENTRY, "2026-11-21T02:03:04.123Z INFO    orchestrator: cycle ended"),
    "known fields": (
        {**ENTRY, "fields": {"done": 2, "found": 3, "secret": 1}},
        "2026-11-21T02:03:04.123Z INFO    orchestrator: cycle ended found=3 done=2",
    ),
    "escape sequences": (
        {**ENTRY, "message": "\x1b[2Jx", "fields": {"input": "a\nb"}},
        "2026-11-21T02:03:04.123Z INFO    orchestrator: \\x1b[2Jx input=a\\nb",
    ),
    "fields that are none": (
        {**ENTRY, "fields": [1]},
        "2026-11-21T02:03:04.123Z INFO    orchestrator: cycle ended",
    ),
    "keys are missing": ({"time": 1}, '{"time": 1}'),
    "a number": (5, "5"),
    "a level that is none": ({**ENTRY, "level": None}, json.dumps({**ENTRY, "level": None})),
}


@pytest.mark.parametrize("name", LINES)
def test_lines_are_made_readable(name: str) -> None:
    entry, expected = LINES[name]
    assert readable(json.dumps(entry) + "\n") == expected


@pytest.mark.parametrize("raw_line", ["not JSON \x1b[2J\n", "[" * 100_000, ""])
def test_foreign_lines_are_shown_as_they_are(raw_line: str) -> None:
    assert readable(raw_line) == raw_line.rstrip("\n").replace("\x1b", "\\x1b")


def write_log(home: Path, count: int) -> Path:
    setup_logging("test", home / "logs")
    for number in range(count):
        get_logger("x").info("record %d", number)
    return home / "logs" / "app.log"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [([], range(10, 60)), (["-n", "2"], range(58, 60)), (["-n", "0"], []), (["-n", "-1"], [])],
)
def test_the_last_records_are_shown(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    expected: list[int],
) -> None:
    write_log(tmp_path, 60)
    assert main(arguments) == 0
    shown = [line.rsplit(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert shown == [str(number) for number in expected]


def test_blank_lines_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with write_log(tmp_path, 1).open("a") as stream:
        stream.write("\n\n")
    assert main([]) == 0
    assert capsys.readouterr().out.count("\n") == 1


def test_no_log_yet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 66
    error = capsys.readouterr().err
    assert "no log yet" in error
    assert "make once" in error
    assert list(tmp_path.iterdir()) == []


def test_a_log_that_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "logs" / "app.log").mkdir(parents=True)
    assert main([]) == 75
    assert "read the log" in capsys.readouterr().err


class Follower:
    """Follows a log; the pauses are the test's turns to write."""

    def __init__(self) -> None:
        self.turns: list[Callable[[], object]] = []
        self.lines: Iterator[str] = iter(())

    def start(self, path: Path, last: int = 10) -> Follower:
        self.lines = follow(path, path.open("r", newline="\n"), last, self._pause)
        return self

    def _pause(self, _seconds: float) -> None:
        self.turns.pop(0)()

    def take(self, count: int) -> list[str]:
        return [next(self.lines).rstrip("\n") for _ in range(count)]


@pytest.fixture
def follower() -> Iterator[Follower]:
    """Return a follower that is ended after the test."""
    follower = Follower()
    yield follower
    follower.lines.close()  # type: ignore[attr-defined]


def append(path: Path, text: str) -> Callable[[], object]:
    def write() -> None:
        with path.open("a") as stream:
            stream.write(text)

    return write


def test_new_lines_follow_the_last_ones(tmp_path: Path, follower: Follower) -> None:
    path = tmp_path / "app.log"
    path.write_text("one\ntwo\nthree\n")
    follower.start(path, last=2)
    follower.turns = [append(path, "four\n"), append(path, "five\nsix\n")]
    assert follower.take(5) == ["two", "three", "four", "five", "six"]


def test_an_unfinished_line_waits_for_its_end(tmp_path: Path, follower: Follower) -> None:
    path = tmp_path / "app.log"
    path.write_text("one\nunfin")
    follower.start(path)
    follower.turns = [append(path, "ish"), append(path, "ed\nne"), append(path, "xt\n")]
    assert follower.take(3) == ["one", "unfinished", "next"]


def test_a_rotated_log_is_followed_and_its_last_lines_too(
    tmp_path: Path, follower: Follower
) -> None:
    path = tmp_path / "app.log"
    path.write_text("one\n")

    def rotate() -> None:
        append(path, "two\n")()
        path.rename(tmp_path / "app.log.1")

    follower.start(path)
    follower.turns = [rotate, append(path, "three\n"), append(path, "four\n")]
    assert follower.take(4) == ["one", "two", "three", "four"]


def test_lines_between_the_last_look_and_the_rotation_are_shown(
    tmp_path: Path, follower: Follower
) -> None:
    path = tmp_path / "app.log"
    path.write_text("one\n")

    def rotate_at_once() -> None:
        append(path, "two\n")()
        path.rename(tmp_path / "app.log.1")
        path.write_text("three\n")

    follower.start(path)
    follower.turns = [rotate_at_once]
    assert follower.take(3) == ["one", "two", "three"]


def test_a_log_that_was_emptied_in_place_is_followed(tmp_path: Path, follower: Follower) -> None:
    path = tmp_path / "app.log"
    path.write_text("a long first line\n")
    follower.start(path)
    follower.turns = [lambda: path.write_text("new\n")]
    assert follower.take(2) == ["a long first line", "new"]


def start_following(home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "scripts" / "show_logs.py"), "--follow", "-n", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "VV_HOME": str(home)},
        # Also where the tests themselves were started in the background, which is deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def test_ctrl_c_ends_the_following_without_a_word(tmp_path: Path) -> None:
    path = write_log(tmp_path, 2)
    with start_following(tmp_path) as shown:
        assert shown.stdout is not None
        assert shown.stdout.readline().endswith("record 1\n")
        append(path, json.dumps({**ENTRY, "message": "new"}) + "\n")()
        assert shown.stdout.readline().endswith("orchestrator: new\n")
        shown.send_signal(signal.SIGINT)
        assert shown.communicate(timeout=20) == ("", "")
        assert shown.returncode == 0


def test_a_reader_that_goes_away_ends_it_without_a_word(tmp_path: Path) -> None:
    write_log(tmp_path, 3000)
    command = f"'{sys.executable}' '{ROOT}/scripts/show_logs.py' -n 3000 | head -n 1"
    result = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert result.stdout.endswith("record 0\n")
    assert (result.returncode, result.stderr) == (0, "")
