"""Cycles of a live box: how one ended, for the operator and for each video."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import Any

from tests.containers.live import LiveBox
from vv_core.alerts import read_alerts

FOLDERS = ("analytic", "summaries", "loglines", "orchestrator_data", "processed")


@dataclass(frozen=True)
class Ended:
    """How a cycle ended.

    Attributes:
        code: exit code of the orchestrator.
        said: what it said, to a person.
    """

    code: int
    said: str


def end_of(process: subprocess.Popen[str]) -> Ended:
    """Wait for an orchestrator."""
    out, err = process.communicate(timeout=300)
    return Ended(process.returncode, out + err)


def cycle(live: LiveBox) -> Ended:
    """Run a cycle, whatever becomes of it."""
    return end_of(live.start())


def alerts(live: LiveBox) -> list[dict[str, Any]]:
    """Return the alerts so far."""
    path = live.box.folder("orchestrator_data") / "alerts.jsonl"
    return [dict(entry) for entry in read_alerts(path)]


def attempts(live: LiveBox, sha256: str) -> tuple[int, int]:
    """Return how often a video has failed and crashed."""
    with live.box.history() as history:
        kept = history.attempts(sha256)
    return kept.failures, kept.crashes


def failures(live: LiveBox) -> list[tuple[str, str, int, str]]:
    """Return stage, video, exit code and message of each run that did not end well, oldest first."""
    with live.box.history() as history:
        runs = history.stage_runs()
    return [
        (run.stage, run.name, run.exit_code, run.message) for run in reversed(runs) if run.exit_code
    ]


def check_done(live: LiveBox, videos: int) -> None:
    """Check that each video has exactly one LogLine, and that all files belong to the box's user."""
    live.check()
    assert len(live.box.log_lines()) == videos
    owners = {path.lstat().st_uid for name in FOLDERS for path in live.box.folder(name).rglob("*")}
    assert owners == {live.user}
