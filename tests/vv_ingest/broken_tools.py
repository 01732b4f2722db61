"""Programs that take the place of ffmpeg and fail in a way of their own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

STUCK = "exec sleep 600"
KILLED = "kill -9 $$"
CRASHED = "kill -11 $$"
REFUSES = "echo 'cannot do that' >&2; exit 1"
REFUSES_SILENTLY = "exit 3"
SAYS_NOTHING = "exit 0"


def replace_tool(
    monkeypatch: pytest.MonkeyPatch, folder: Path, script: str, name: str = "ffmpeg"
) -> None:
    """Put a shell script before the real program on PATH."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
