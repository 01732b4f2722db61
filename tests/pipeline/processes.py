"""Orchestrators as forked processes, and what they have started."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

from tests.pipeline.box import Box
from tests.support.forking import STUCK_IN_FORK, fork
from vv_core.pipeline.ending import Ending, StopSign


def has_children(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task")
    return any((task / "children").read_text() for task in tasks.iterdir())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def end_of(pid: int) -> int:
    """Return the exit code of a forked orchestrator."""
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code == STUCK_IN_FORK:
        pytest.skip("a thread hung in os.fork, which the orchestrator itself never calls")
    return code


def fork_orchestrator(box: Box, said: Path) -> int:
    """Run a cycle as the command does, with its words in a file."""
    child = fork()
    if child:
        return child
    code = 70
    try:
        with StopSign() as sign, said.open("w") as stream, contextlib.redirect_stdout(stream):
            code = run_until_asked(box, sign)
    finally:
        os._exit(code)


def run_until_asked(box: Box, sign: StopSign) -> int:
    try:
        return box.cycle(sign.is_set)
    except Ending:
        sign.obey()
