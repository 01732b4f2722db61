"""What every `StageRunner` promises, asked of each of them with real processes and containers."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.pipeline.box import MakeBox
from tests.pipeline.subjects import Subject, containers, in_box, lock_path, require_engine
from tests.support.waiting import wait_for
from vv_core.errors import ExitCode
from vv_core.pipeline.lock import AlreadyRunning, CycleLock
from vv_core.pipeline.runners import ComposeRunner, ProcessRunner, make_runner
from vv_core.stage import StageItem

KINDS = [
    "fork",
    "process",
    pytest.param("compose", marks=[pytest.mark.docker, pytest.mark.integration]),
]


@pytest.fixture(params=KINDS)
def subject(request: pytest.FixtureRequest, make_box: MakeBox) -> Iterator[Subject]:
    """Return each runner in turn; none leaves a container behind."""
    kind: str = request.param
    if kind == "compose":
        require_engine()
    subject = in_box(make_box, kind)
    yield subject
    if kind == "compose":
        assert containers(subject) == []


@pytest.fixture
def process(make_box: MakeBox) -> Subject:
    return in_box(make_box, "process")


# ── All of them ──


def test_each_item_ends_with_its_own_code(subject: Subject) -> None:
    outcomes = subject.run("ok", "bad", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [0, 65, 0]
    assert outcomes[1].message == "told to be bad"
    assert outcomes[1].advice == "change the text"
    assert sorted(subject.box.names("analytic")) == ["0.analytic.json", "2.analytic.json"]


def test_a_kill_belongs_to_the_item_that_had_begun(subject: Subject) -> None:
    outcomes = subject.run("ok", "crash", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [0, 137, 0]
    assert outcomes[1].was_killed
    assert not outcomes[1].timed_out


def test_a_stalled_stage_is_ended(subject: Subject) -> None:
    started = time.monotonic()
    journals = subject.box.folder("orchestrator_data") / "batches"

    def has_hung() -> bool:
        return sum(path.read_bytes().count(b"\n") for path in journals.glob("*.journal")) == 3

    outcomes = subject.run("ok", "hang", is_stalled=has_hung)
    assert outcomes[0].exit_code == 0
    assert outcomes[1].timed_out
    assert outcomes[1].was_killed
    assert time.monotonic() - started < 120


def test_a_stage_that_takes_too_long_is_ended(subject: Subject, tmp_path: Path) -> None:
    subject.box.add("0.mp4", "hang")
    item = StageItem(subject.box.input / "0.mp4", subject.box.folder("analytic") / "0.json")
    batch_list = subject.box.folder("orchestrator_data") / "list.jsonl"
    batch_list.write_text(subject.runner.place(item).to_json() + "\n")
    end = subject.runner.run(subject.spec, batch_list, timeout_s=1.5, is_stalled=lambda: False)
    assert end.child.timed_out
    assert end.fault is None
    assert 1.4 < end.child.duration_s < 120


def test_recovery_with_nothing_to_recover(subject: Subject) -> None:
    subject.runner.recover()


# ── Those that start programs ──


@pytest.fixture(params=KINDS[1:])
def program(request: pytest.FixtureRequest, make_box: MakeBox) -> Subject:
    if request.param == "compose":
        require_engine()
    return in_box(make_box, request.param)


def test_the_last_lines_of_stderr_are_kept_without_control_characters(program: Subject) -> None:
    (outcome,) = program.run("talk")
    assert outcome.exit_code == 3
    assert outcome.stderr_tail[-1] == "line 999 \\x1b[31m"
    assert len(outcome.stderr_tail) == 20


def test_a_stage_that_ignores_sigterm_is_ended_all_the_same(program: Subject) -> None:
    started = time.monotonic()
    journals = program.box.folder("orchestrator_data") / "batches"
    (outcome,) = program.run("stubborn", is_stalled=lambda: any(journals.glob("*.journal")))
    assert outcome.exit_code in {137, 69}
    assert time.monotonic() - started < 120


# ── On this machine ──


def test_a_module_that_does_not_exist_blames_nobody(process: Subject) -> None:
    process.spec = replace(process.spec, module="no_such_module")
    outcomes = process.run("ok", "ok")
    assert [outcome.exit_code for outcome in outcomes] == [69, 69]
    assert "No module named" in outcomes[0].message


def test_a_python_that_has_gone_is_unavailable(
    process: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    outcomes = process.run("ok")
    assert outcomes[0].exit_code == ExitCode.UNAVAILABLE
    assert "cannot be started" in outcomes[0].message


def test_the_stage_shares_the_lock(process: Subject) -> None:
    path = lock_path(process)
    code = (
        "import os, time\n"
        "def wait_for(name):\n"
        "    while not os.path.exists(name): time.sleep(0.02)\n"
        "if os.fork():\n"
        "    wait_for('ready')\n"
        "    os._exit(0)\n"
        "os.setsid()\n"
        "open('ready', 'w').close()\n"
        "wait_for('enough')\n"
    )
    (process.box.home / "daemon_stage.py").write_text(code)
    process.spec = replace(process.spec, module="daemon_stage")
    with CycleLock(path) as lock:
        process.runner = ProcessRunner(process.box.settings, lock.fileno())
        process.run("ok")
    # What the stage left running still holds it.
    assert not is_free(path)
    (process.box.home / "enough").touch()
    wait_for(lambda: is_free(path))


def is_free(path: Path) -> bool:
    try:
        with CycleLock(path):
            return True
    except AlreadyRunning:
        return False


def test_the_settings_choose_the_runner(make_box: MakeBox) -> None:
    assert isinstance(make_runner(make_box().settings), ProcessRunner)
    box = make_box(ORCHESTRATOR_RUNNER="compose")
    assert isinstance(make_runner(box.settings), ComposeRunner)
