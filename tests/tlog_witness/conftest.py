"""A box with a real log: keys, LogLines of real clips, and the command that looks after it."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.audit.samples import settings_of
from tests.core.conftest import fill_up, small_disk
from vv_core.clock import SystemClock
from vv_core.log_command.command import main
from vv_core.preparation import prepare
from vv_core.settings import Settings
from vv_core.tlog.log_writer import LogWriter, open_log
from vv_core.tlog.position import LogPosition
from vv_core.tlog.wal import PublishedFile
from vv_schemas import example_path

__all__ = ["fill_up", "small_disk"]

__all__ = ["fill_up", "small_disk"]

Run = Callable[..., tuple[int, str, str]]


class LoggedBox:
    """A box whose LogLines are in the log."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.settings: Settings = settings_of(home)
        prepare(self.settings)

    @property
    def loglines(self) -> Path:
        """The folder of LogLines."""
        return self.settings.storage.loglines

    @property
    def vkey(self) -> str:
        """The log's public key."""
        return (self.settings.storage.log / "vkey").read_text().strip()

    def clip(self, name: str) -> Path:
        """Return where a clip lies."""
        return self.settings.storage.processed / name

    def add(self, *names: str) -> None:
        """Add videos, and a LogLine for each."""
        with open_log(self.settings, SystemClock()) as log:
            for name in names:
                data = f"video {name}".encode() * 100
                self.clip(name).write_bytes(data)
                _append(log, name, hashlib.sha256(data).hexdigest())


def _append(log: LogWriter, name: str, sha256: str) -> None:
    def build(position: LogPosition) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(example_path("logline").read_bytes())
        del document["signature_details"]
        document["schema"] = "vv.logline/2"
        document["source"] = name
        document["evidence"]["video_sha256"] = sha256
        document["logged_at"] = "2026-11-21T05:10:30Z"
        return document

    stem = Path(name).stem
    log.append(build, lambda _signed, line: [PublishedFile(f"{stem}.logline.json", line + b"\n")])


@pytest.fixture
def clean_logger() -> Iterator[None]:
    """Give the product's logger back as it was."""
    logger = logging.getLogger("vv")
    handlers, level = list(logger.handlers), logger.level
    yield
    for handler in [each for each in logger.handlers if each not in handlers]:
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LoggedBox:
    """Return a box with three LogLines."""
    monkeypatch.setenv("VV_HOME", str(tmp_path / "box"))
    logged = LoggedBox(tmp_path / "box")
    logged.add("a.mp4", "b.mp4", "c.mp4")
    return logged


@pytest.fixture
def run(
    clean_logger: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return what runs vv-log and gives its exit code, stdout and stderr."""

    def run_command(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as exc:
            code = int(exc.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run_command
