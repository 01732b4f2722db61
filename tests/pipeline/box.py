"""A box in a temporary folder, and what must hold about it whatever happened."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.fork_runner import ForkRunner
from vv_core.alerts import read_alerts
from vv_core.atomic import TEMP_PREFIX
from vv_core.audit.audit_folder import verify_file
from vv_core.audit.keys import create_key_store, read_key_store
from vv_core.audit.verdict import Status
from vv_core.pipeline.history import History
from vv_core.pipeline.orchestrate import run_once
from vv_core.pipeline.quarantine import META_SUFFIX, quarantined
from vv_core.pipeline.runners import StageRunner
from vv_core.settings import OWN_PREFIXES, Settings, load_settings
from vv_core.tlog.signing_key import create_signing_key


@dataclass
class FakeClock:
    """The machine's clock, moved and sped up."""

    offset_s: float = 0.0
    speed: float = 1.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self.offset_s, UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed


@dataclass
class Box:
    """Storage, keys, settings and the means to run a cycle."""

    home: Path
    clock: FakeClock = field(default_factory=FakeClock)
    runner: StageRunner = field(default_factory=ForkRunner)
    contents: set[str] = field(default_factory=set)
    _read: tuple[object, Settings] | None = None

    def __post_init__(self) -> None:
        if not self.key_store.exists():
            create_key_store(self.key_store)
            create_signing_key(self.home / "secrets" / "log_signing_key.pem")
        self.settings.storage.ensure()

    @property
    def settings(self) -> Settings:
        """The settings, read again from the environment whenever that has changed."""
        said = (dict(os.environ), _content(self.home / ".env"))
        if self._read is None or self._read[0] != said:
            self._read = (said, load_settings())
        return self._read[1]

    @property
    def key_store(self) -> Path:
        return self.home / "secrets" / "hmac_keys.json"

    @property
    def input(self) -> Path:
        return self.home / "data" / "input"

    def folder(self, name: str) -> Path:
        return self.home / "data" / name

    @property
    def log_path(self) -> Path:
        return self.folder("orchestrator_data") / "processed_videos.log"

    def add(self, name: str | bytes, content: str = "ok", *, unique: bool = True) -> str:
        """Put a video into input/ and return its hash; content says how the scanner behaves."""
        mark = os.fsencode(name).hex() if unique else ""
        raw = f"{content}\n{mark}".encode()
        path = self.input / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(raw)
        sha256 = hashlib.sha256(raw).hexdigest()
        self.contents.add(sha256)
        return sha256

    def cycle(self, is_ending: Callable[[], bool] = lambda: False) -> int:
        """Run one cycle and return its exit code."""
        return run_once(self.settings, self.clock, lambda _settings, _fd: self.runner, is_ending)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.offset_s += seconds

    @contextmanager
    def history(self) -> Iterator[History]:
        path = self.folder("orchestrator_data") / "orchestrator_db.sqlite"
        with closing(History(path)) as history:
            yield history

    def alerts(self) -> list[tuple[str, str]]:
        """Return code and subject of the alerts so far."""
        entries = read_alerts(self.folder("orchestrator_data") / "alerts.jsonl")
        return [(str(entry["code"]), str(entry["subject"])) for entry in entries]

    def names(self, folder: str) -> list[str]:
        """Return the files below a folder, by their paths."""
        root = self.folder(folder)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())

    def log_lines(self) -> list[list[str]]:
        """Return the fields of each whole line."""
        try:
            text = self.log_path.read_text("utf-8")
        except FileNotFoundError:
            return []
        return [line.split("\t") for line in text.split("\n")[:-1]]

    def loglines(self) -> dict[str, list[dict[str, Any]]]:
        """Return the LogLines by the hash of their video; each verifies and has its page."""
        keys = read_key_store(self.key_store).keys
        found: dict[str, list[dict[str, Any]]] = {}
        for path in self.folder("loglines").glob("*.logline.json"):
            verdict = verify_file(path, keys)
            assert verdict.status is Status.VALID, (path, verdict)
            assert verdict.document is not None
            assert path.with_name(path.name.removesuffix(".json") + ".md").is_file()
            sha256 = verdict.document["evidence"]["video_sha256"]
            found.setdefault(sha256, []).append(verdict.document)
        return found

    def videos(self, folder: str) -> dict[str, list[Path]]:
        """Return the videos below a folder by their hash; hidden files are none."""
        found: dict[str, list[Path]] = {}
        for path in self.folder(folder).rglob("*"):
            is_other = path.name.endswith(META_SUFFIX) or path.name.startswith(".")
            if path.is_file() and not path.is_symlink() and not is_other:
                found.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), []).append(path)
        return found

    def check(self) -> None:
        """Check what holds after every cycle, however the ones before it ended."""
        here = {name: self.videos(name) for name in ("input", "processed", "corrupted")}
        everywhere = here["input"].keys() | here["processed"].keys() | here["corrupted"].keys()
        assert everywhere == self.contents, "a video is lost or has changed"
        self._check_done(here)
        self._check_quarantine(here["corrupted"])

    def _check_done(self, here: dict[str, dict[str, list[Path]]]) -> None:
        loglines = self.loglines()
        assert all(len(documents) == 1 for documents in loglines.values()), "doubled LogLine"
        lines = self.log_lines()
        done = [line[0] for line in lines]
        assert len(set(done)) == len(done), "a video is done twice"
        assert set(done) <= loglines.keys(), "done without a LogLine"
        for sha256, _, stem, _ in lines:
            assert (self.folder("loglines") / f"{json.loads(stem)}.logline.json").is_file()
            assert sha256 in here["processed"] or sha256 in here["input"]

    def _check_quarantine(self, corrupted: dict[str, list[Path]]) -> None:
        explained = {entry.video for entry in quarantined(self.settings.storage)}
        assert {path for paths in corrupted.values() for path in paths} <= explained

    def check_settled(self) -> None:
        """Check that nothing is under way: each video is done or quarantined, no left-overs."""
        self.check()
        assert not self.videos("input")
        done = {line[0] for line in self.log_lines()}
        assert done == set(self.videos("processed")) == set(self.loglines())
        assert not done & self.videos("corrupted").keys()
        assert not list(self.folder("orchestrator_data").glob("batches/*"))
        # Those in input/ may be another program's and are hidden from the orchestrator.
        leftovers = {
            path
            for path in self.folder("").rglob(f"{TEMP_PREFIX}*")
            if self.input not in path.parents
        }
        assert not leftovers


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


MakeBox = Callable[..., Box]


def new_box(home: Path, monkeypatch: pytest.MonkeyPatch, **variables: object) -> Box:
    """Return a box below a folder; keywords are settings of the orchestrator."""
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        monkeypatch.delenv(name)
    defaults = {
        "VV_HOME": home,
        "VV_BOX_NAME": "vv-01",
        "VV_LANGUAGE": "en",
        "ORCHESTRATOR_STABLE_SECONDS": 0,
    }
    for name, value in {**defaults, **variables}.items():
        monkeypatch.setenv(name, str(value))
    return Box(home)


def starts(box: Box) -> list[str]:
    """Return the stages started since the last call."""
    assert isinstance(box.runner, ForkRunner)
    names, box.runner.starts = box.runner.starts, []
    return names
