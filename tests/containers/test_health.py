"""The healthcheck of a stage: unhealthy when its batch does not move on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vv_core.stage_health import ALLOWANCE_S, batch_list, check, is_moving, last_change, main

LIMIT_S = 100.0


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("/sbin/docker-init", "--", "python", "-m", "x", "--batch", "/data/a.jsonl"), "/data/a.jsonl"),
        (("python", "-m", "x", "--batch=/data/a.jsonl", "-v"), "/data/a.jsonl"),
        (("python", "-m", "x", "--batch", "/data/caf\udce9.jsonl"), "/data/caf\udce9.jsonl"),
        (("python", "-m", "x", "in.mp4", "out.json"), None),
        (("python", "-m", "x", "--batch"), None),
        ((), None),
    ],
)  # fmt: skip
def test_the_batch_is_read_from_the_command_line(words: tuple[str, ...], found: str | None) -> None:
    raw = b"".join(os.fsencode(word) + b"\0" for word in words)
    assert batch_list(raw) == (None if found is None else Path(found))


def test_a_batch_may_take_as_long_as_one_item_and_a_start() -> None:
    assert is_moving(1000.0, 1000.0 + LIMIT_S + ALLOWANCE_S, LIMIT_S)
    assert not is_moving(1000.0, 1001.0 + LIMIT_S + ALLOWANCE_S, LIMIT_S)
    assert is_moving(1000.0, 900.0, LIMIT_S), "a clock that went back is no fault of the stage"


@pytest.fixture
def batch(tmp_path: Path) -> Path:
    path = tmp_path / "list.jsonl"
    path.write_text("{}\n")
    os.utime(path, (1000, 1000))
    return path


def command_line(batch: Path) -> Path:
    path = batch.with_name("cmdline")
    path.write_bytes(b"python\0--batch\0" + os.fsencode(batch) + b"\0")
    return path


def test_the_journal_tells_when_it_moved_last_and_before_it_the_list(batch: Path) -> None:
    assert last_change(batch) == 1000
    journal = batch.with_name("list.jsonl.journal")
    journal.touch()
    os.utime(journal, (2000, 2000))
    assert last_change(batch) == 2000


def test_a_batch_that_stands_still_is_told(batch: Path) -> None:
    assert check(command_line(batch), LIMIT_S, 1010.0) is None
    problem = check(command_line(batch), LIMIT_S, 5000.0)
    assert problem is not None
    assert "4000 s" in problem


def test_a_batch_that_is_gone_is_told(batch: Path) -> None:
    line = command_line(batch)
    batch.unlink()
    assert "gone" in (check(line, LIMIT_S, 1010.0) or "")


def test_a_single_item_is_nobodys_batch(tmp_path: Path) -> None:
    line = tmp_path / "cmdline"
    line.write_bytes(b"python\0in.mp4\0out.json\0")
    assert check(line, LIMIT_S, time.time()) is None


def test_the_command_ends_as_docker_wants_it(
    batch: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = command_line(batch)
    assert main([str(LIMIT_S)], line) == 1
    assert "no item began" in capsys.readouterr().out
    os.utime(batch)
    assert main(["1800.0"], line) == 0
    assert main([str(LIMIT_S)], batch.with_name("nothing")) == 1
    for wrong in ([], ["soon"]):
        assert main(wrong, line) == 64


def test_it_is_light() -> None:
    code = "import sys, vv_core.stage_health; print(*sys.modules)"
    # Measured runs import sqlite3 themselves.
    env = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env=env,
    )
    assert not {"pydantic", "yaml", "jsonschema_rs", "sqlite3"} & set(result.stdout.split())
