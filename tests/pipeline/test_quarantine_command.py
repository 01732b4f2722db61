"""``scripts/orchestrator.py --quarantine`` and ``--requeue``, as a person starts them."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.pipeline.box import Box
from tests.pipeline.command import has_begun, new_command_box, run, start
from tests.support.waiting import wait_for

pytestmark = pytest.mark.integration


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Box:
    """Return a box whose scanner is the light one."""
    return new_command_box(tmp_path, monkeypatch)


def test_quarantine_is_listed_and_put_back(box: Box) -> None:
    assert run("--quarantine").stdout == ""
    first = box.add("cam/a\udcff.mp4", "bad")
    box.add("b.mp4", "bad")
    run("--once")
    listed = run("--quarantine")
    assert listed.returncode == 0
    assert listed.stdout.splitlines()[4:] == [
        "cam/a\\udcff.mp4",
        f"  {first}",
        "  scan_video (65): told to be bad",
        "  → change the text",
    ]
    put_back = run("--requeue", first[:8])
    assert (put_back.returncode, put_back.stdout) == (0, "back in the queue: cam/a\\udcff.mp4\n")
    assert box.names("input") == ["cam/a\udcff.mp4"]
    everything = run("--requeue")
    assert (everything.returncode, everything.stdout) == (0, "back in the queue: b.mp4\n")
    assert run("--requeue").stdout == ""
    box.check()
    run("--once")
    box.check_settled()


def test_requeue_in_portuguese(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.add("a.mp4", "bad")
    run("--once")
    monkeypatch.setenv("VV_LANGUAGE", "pt-BR")
    assert run("--requeue", "a.mp4").stdout == "de volta à fila: a.mp4\n"


def test_requeue_of_what_is_not_there_moves_nothing(box: Box) -> None:
    box.add("a.mp4", "bad")
    run("--once")
    result = run("--requeue", "a.mp4", "none.mp4")
    assert result.returncode == 64
    assert "nothing in quarantine is called 'none.mp4'" in result.stderr
    assert "→ " in result.stderr
    assert box.names("input") == []


def test_one_that_cannot_be_put_back_does_not_stop_the_others(box: Box) -> None:
    box.add("a.mp4", "bad")
    box.add("b.mp4", "bad")
    run("--once")
    (box.folder("corrupted") / "a.mp4").write_text("something else")
    result = run("--requeue")
    assert result.returncode == 65
    assert result.stdout == "back in the queue: b.mp4\n"
    assert "no longer the video that was quarantined" in result.stderr


def test_requeue_waits_for_no_cycle(box: Box) -> None:
    box.add("a.mp4", "hang")
    process = start("--once")
    wait_for(lambda: has_begun(box))
    result = run("--requeue")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert result.returncode == 75
    assert "an orchestrator is at work" in result.stderr
    assert "Try again" in result.stderr
