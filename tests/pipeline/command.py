"""The orchestrator's command, started as a person or cron starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pipeline.box import Box, new_box

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "scripts" / "orchestrator.py"
SHADOW = {
    "scan_video/__init__.py": "",
    "scan_video/scan_video.py": (
        "import sys\nfrom tests.support.light_stages import scan\nsys.exit(scan(sys.argv[1:]))\n"
    ),
}
"""A scanner for texts, in front of the real one; the other stages are the real ones."""


def new_command_box(home: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Return a box whose orchestrator finds the light scanner."""
    box = new_box(home, monkeypatch)
    for name, text in SHADOW.items():
        path = home / "shadow" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("PYTHONPATH", f"{home / 'shadow'}{os.pathsep}{ROOT}")
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return box


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command."""
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="surrogateescape",
    )


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    process = start(*arguments)
    out, err = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def has_begun(box: Box) -> bool:
    """Tell whether a stage has begun with a video."""
    journals = (box.folder("orchestrator_data") / "batches").glob("*.journal")
    return any(path.stat().st_size for path in journals)
