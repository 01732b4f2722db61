"""``scripts/orchestrator.py`` as a person or cron starts it: words, exit codes, real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from tests.pipeline.box import Box
from tests.pipeline.command import SCRIPT, has_begun, new_command_box, run, start
from tests.support.waiting import wait_for
from vv_core import __version__

pytestmark = pytest.mark.integration


@pytest.fixture
def box(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Box:
    """Return a box whose scanner is the light one."""
    return new_command_box(tmp_path, monkeypatch)


# ── Words ──


def test_help_names_every_option() -> None:
    result = run("--help")
    assert result.returncode == 0
    for option in ("--once", "--loop", "--requeue", "--quarantine", "--version", "--verbose"):
        assert option in result.stdout
    assert result.stderr == ""


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"orchestrator {__version__}\n")


@pytest.mark.parametrize(
    "arguments", [["--no-such"], ["--once", "--loop"], ["--quarantine", "--requeue"], ["a.mp4"]]
)
def test_a_wrong_command_line_is_a_usage_error(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == 64
    assert "→ See orchestrator --help." in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("ORCHESTRATOR_WORKERS=many", "ORCHESTRATOR_WORKERS"),
        ("ORCHESTRATOR_WORKERS=0", "ORCHESTRATOR_WORKERS"),
        ("ORCHESTRATOR_RUNNER=magic", "ORCHESTRATOR_RUNNER"),
        ("ORCHESTRATOR_WORKER=1", "Did you mean ORCHESTRATOR_WORKERS?"),
        ("VV_LANGUAGE=fr", "VV_LANGUAGE"),
    ],
)
def test_wrong_settings_are_a_configuration_error(
    box: Box, monkeypatch: pytest.MonkeyPatch, setting: str, words: str
) -> None:
    box.add("a.mp4")
    monkeypatch.setenv(*setting.split("="))
    result = run("--once")
    assert result.returncode == 78
    assert words in result.stderr
    assert "→ " in result.stderr
    assert "Traceback" not in result.stderr
    assert box.names("input") == ["a.mp4"]


# ── Cycles ──


def test_a_cycle_in_english_then_nothing_to_do(box: Box) -> None:
    box.add("cam/a.mp4")
    box.add("b\n\x1b[31m.mp4", "bad")
    result = run("--once")
    assert (result.returncode, result.stderr.count("Traceback")) == (0, 0)
    assert result.stdout == (
        "cycle: 1 done, 1 quarantined\n  b\\n\\x1b[31m.mp4: quarantined (told to be bad)\n"
    )
    box.check_settled()
    result = run()
    assert (result.returncode, result.stdout) == (0, "cycle: no new video\n")
    log = [json.loads(line) for line in (box.home / "logs/app.log").read_text().splitlines()]
    ends = [entry["fields"] for entry in log if entry["message"] == "cycle ends"]
    assert [fields["done"] for fields in ends] == [1, 0]
    assert {entry["component"] for entry in log} >= {"orchestrator", "scan_video"}


def test_a_cycle_in_portuguese(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VV_LANGUAGE", "pt-BR")
    box.add("a.mp4")
    assert run("--once").stdout == "ciclo: 1 concluídos\n"
    assert run("--once").stdout == "ciclo: nenhum vídeo novo\n"


def test_what_stops_a_cycle_is_its_exit_code(box: Box) -> None:
    box.add("a.mp4", "config")
    result = run("--once")
    assert result.returncode == 78
    assert "stopped: scan_video: told to be config" in result.stdout
    assert "change the text" in result.stderr


def test_a_box_that_cannot_be_written_is_a_passing_fault(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDEO_STORAGE_ROOT", "/proc/nowhere")
    result = run("--once")
    assert result.returncode in {66, 75}
    assert "cannot create the folders" in result.stderr
    assert "→ " in result.stderr


def test_it_makes_its_folders_itself(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VIDEO_STORAGE_ROOT", str(tmp_path / "fresh"))
    assert run("--once").returncode == 0
    assert (tmp_path / "fresh/orchestrator_data").is_dir()


def test_two_started_together_process_each_video_once(box: Box) -> None:
    for number in range(3):
        box.add(f"{number}.mp4")
    processes = [start("--once"), start("--once")]
    said = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    box.check_settled()
    assert sorted(said) in [
        ["another orchestrator is at work; nothing to do\n", "cycle: 3 done\n"],
        ["cycle: 3 done\n", "cycle: no new video\n"],
    ]


def test_it_works_in_a_plain_locale(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("VV_LANGUAGE", "pt-BR")
    box.add("ação 🎥.mp4", "bad")
    result = run("--once")
    assert result.returncode == 0
    assert "em quarentena" in result.stdout


def test_a_person_sees_a_progress_bar(box: Box) -> None:
    for number in range(3):
        box.add(f"{number}.mp4")
    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    process = subprocess.Popen([sys.executable, str(SCRIPT), "--once"], stderr=terminal)
    os.close(terminal)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that its last writer has gone
        while part := os.read(screen, 4096):
            shown += part
    os.close(screen)
    assert process.wait(60) == 0
    assert b"orchestrator: " in shown
    assert b"3/3" in shown
    box.check_settled()


# ── Ends ──


def test_sigterm_ends_it_and_its_stage_within_seconds(box: Box) -> None:
    sha256 = box.add("a.mp4", "hang")
    process = start("--once")
    wait_for(lambda: has_begun(box))
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGTERM
    assert "Traceback" not in err
    with box.history() as history:
        assert history.attempts(sha256).failures == 0
    box.check()
    assert box.names("input") == ["a.mp4"]


def test_ctrl_c_ends_it_too(box: Box) -> None:
    box.add("a.mp4", "hang")
    process = start("--once")
    wait_for(lambda: has_begun(box))
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    box.check()


def test_killed_its_stage_ends_with_it(box: Box) -> None:
    box.add("a.mp4", "hang")
    process = start("--once")
    wait_for(lambda: has_begun(box))
    (stage,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.kill()
    process.communicate()
    wait_for(lambda: not Path(f"/proc/{stage}").exists())
    (box.input / "a.mp4").write_text("ok\n")
    box.contents = set(box.videos("input"))
    assert run("--once").returncode == 0
    box.check_settled()


def test_the_loop_goes_on_until_it_is_ended(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_INTERVAL", "1")
    process = start("--loop")
    assert process.stdout is not None
    for name in ("a.mp4", "b.mp4"):
        box.add(name)
        # Told at once, also where nobody watches.
        assert any(line == "cycle: 1 done\n" for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM
    assert "Traceback" not in err
    box.check_settled()
