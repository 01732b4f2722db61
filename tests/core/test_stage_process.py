"""Stages as processes: who watches them, and whose end is theirs."""

from __future__ import annotations

import contextlib
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.core.conftest import ROOT
from tests.core.test_process import is_gone
from tests.core.test_stage import write_input
from tests.core.test_stage_batch import write_list
from tests.support.waiting import wait_for

COMMAND = [sys.executable, "-m", "tests.core.sample_stage"]


def run_on_a_terminal(argv: list[str]) -> str:
    """Run a command whose stderr is a terminal, and return what it showed there."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, 80))
    with subprocess.Popen(argv, cwd=ROOT, stderr=theirs, stdout=subprocess.DEVNULL) as child:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # EIO is how a terminal says that all have left
            while part := os.read(ours, 4096):
                shown += part
        child.wait(timeout=60)
    os.close(ours)
    return shown.decode()


@pytest.mark.parametrize("is_batch", [False, True])
def test_a_person_who_watches_sees_a_progress_bar(tmp_path: Path, is_batch: bool) -> None:
    if is_batch:
        arguments = ["--batch", str(write_list(tmp_path, ["ok", "bad"]))]
    else:
        arguments = [str(write_input(tmp_path, "ok")), str(tmp_path / "out.txt")]
    shown = run_on_a_terminal([*COMMAND, *arguments])
    assert "sample_stage:" in shown
    assert "100%|" in shown
    assert "\r" in shown


def test_nobody_watches_nothing_is_shown(tmp_path: Path) -> None:
    result = subprocess.run(
        [*COMMAND, str(write_input(tmp_path, "ok")), str(tmp_path / "out.txt")],
        check=True,
        timeout=60,
        capture_output=True,
        cwd=ROOT,
    )
    assert (result.stdout, result.stderr) == (b"", b"")


PARENT = """
import os, subprocess, sys, time
env = {**os.environ, "VV_PARENT_PID": sys.argv[1].replace("me", str(os.getpid()))}
child = subprocess.Popen(sys.argv[2:], env=env)
print(child.pid, flush=True)
child.wait()
time.sleep(60)
"""


def start_parent(parent_pid: str, folder: Path) -> tuple[subprocess.Popen[str], int]:
    """Start a process that starts the stage with an input that hangs; return both."""
    source = write_input(folder, "hang")
    parent = subprocess.Popen(
        [
            *[sys.executable, "-c", PARENT, parent_pid, *COMMAND],
            *["--note", str(folder / "note"), str(source), str(folder / "out")],
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    with process:
        process.wait()


def test_a_stage_dies_with_its_orchestrator(tmp_path: Path) -> None:
    parent, stage = start_parent("me", tmp_path)
    try:
        wait_for((tmp_path / "note").exists)
        assert not is_gone(stage)
    finally:
        kill(parent)
    wait_for(lambda: is_gone(stage))


def test_a_stage_whose_orchestrator_died_before_it_began_ends_at_once(tmp_path: Path) -> None:
    parent, stage = start_parent("1", tmp_path)
    try:
        wait_for(lambda: is_gone(stage))
    finally:
        kill(parent)
    assert not (tmp_path / "note").exists()


def test_a_stage_started_by_hand_outlives_whoever_started_it(tmp_path: Path) -> None:
    parent, stage = start_parent("", tmp_path)
    wait_for((tmp_path / "note").exists)
    kill(parent)
    time.sleep(0.1)
    assert not is_gone(stage)
    os.kill(stage, signal.SIGKILL)
    wait_for(lambda: is_gone(stage))
