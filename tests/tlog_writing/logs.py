"""A log in a temporary folder, and what must hold about it whatever happened."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.audit.samples import settings_of, unsigned_logline
from vv_core.atomic import TEMP_PREFIX
from vv_core.audit.keys import create_key_store, read_key_store
from vv_core.clock import format_utc
from vv_core.settings import Settings
from vv_core.tlog.checkpoint import Checkpoint, parse_checkpoint
from vv_core.tlog.lines import Appended
from vv_core.tlog.log_files import VKEY
from vv_core.tlog.log_writer import LogWriter, open_log
from vv_core.tlog.merkle import leaf_hash, root_hash
from vv_core.tlog.note import open_note, parse_vkey
from vv_core.tlog.signing_key import create_signing_key
from vv_core.tlog.tiles import LogReader
from vv_core.tlog.wal import PublishedFile

START = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@dataclass
class SteppedClock:
    """A clock that a test moves."""

    moment: datetime = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return self.moment.timestamp()

    def step(self, **by: float) -> None:
        self.moment += timedelta(**by)


@dataclass
class LogBox:
    """Storage, keys and the log of a box."""

    home: Path
    clock: SteppedClock = field(default_factory=SteppedClock)
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.key_store.exists():
            create_key_store(self.key_store, self.clock)
            create_signing_key(self.home / "secrets/log_signing_key.pem")
            shutil.copyfile(self.key_store, self.first_store)
            self.first_store.chmod(0o600)
        self.settings.storage.ensure()

    @property
    def settings(self) -> Settings:
        return settings_of(
            self.home, **{"VV_BOX_NAME": "vv-01", "VV_LANGUAGE": "en", **self.environ}
        )

    @property
    def key_store(self) -> Path:
        return self.home / "secrets/hmac_keys.json"

    @property
    def first_store(self) -> Path:
        """What an auditor was given when the box was installed."""
        return self.home / "secrets/first.json"

    @property
    def first_keys(self) -> dict[str, bytes]:
        """The first HMAC key; all later ones of its chain follow from it."""
        return read_key_store(self.first_store).keys

    @property
    def loglines(self) -> Path:
        return self.home / "data/loglines"

    @property
    def folder(self) -> Path:
        return self.loglines / "log"

    @property
    def state(self) -> Path:
        return self.home / "data/orchestrator_data/log"

    def append(self, *names: str) -> list[Appended]:
        """Append a LogLine for each name, in one batch."""
        with open_log(self.settings, self.clock) as log:
            return [append_to(log, name, self.clock) for name in names]

    def recover(self) -> int:
        """Open and close the log; return its size."""
        with open_log(self.settings, self.clock) as log:
            return log.size

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines, after checking everything that holds about a log at rest."""
        return check_log(self)

    def names(self) -> list[str]:
        """Return the names of the LogLines in the log."""
        return [
            line["source"].removesuffix(".mp4")
            for line in self.lines()
            if line["schema"] == "vv.logline/2"
        ]

    def kinds(self) -> list[str]:
        """Return the kinds of the events in the log."""
        return [line["kind"] for line in self.lines() if line["schema"] == "vv.logevent/1"]

    def kill(self, log: LogWriter) -> None:
        """End a writer as the end of its process would."""
        log.abandon()


def append_to(log: LogWriter, name: str, clock: SteppedClock | None = None) -> Appended:
    """Append the LogLine of a video of this name, with a page."""
    logged_at = format_utc((clock or SteppedClock()).now())
    return log.append(
        lambda _position: unsigned_logline(
            schema="vv.logline/2", source=f"{name}.mp4", logged_at=logged_at
        ),
        lambda _signed, line: [
            PublishedFile(f"{name}.logline.md", f"# {name}\n".encode()),
            PublishedFile(f"{name}.logline.json", line + b"\n"),
        ],
    )


def check_log(box: LogBox) -> list[dict[str, Any]]:
    """Check checkpoint, tiles, bundles, links and published files against each other."""
    reader = LogReader(box.folder)
    checkpoint = read_checkpoint(box)
    entries = [entry for entry in reader.entries(0, checkpoint.size) if entry is not None]
    assert len(entries) == checkpoint.size
    hashes = [leaf_hash(entry) for entry in entries]
    assert root_hash(hashes) == checkpoint.root
    for seq, value in enumerate(hashes):
        assert reader.get_hash(0, seq) == value
    lines: list[dict[str, Any]] = [json.loads(entry) for entry in entries]
    for seq, line in enumerate(lines):
        previous = hashes[seq - 1].hex() if seq else None
        assert line["log"] == {"origin": checkpoint.origin, "seq": seq, "previous": previous}
    assert_published(box, entries)
    return lines


def read_checkpoint(box: LogBox) -> Checkpoint:
    """Return the checkpoint, verified with the key beside it."""
    verifier = parse_vkey((box.folder / VKEY).read_text("utf-8"))
    data = LogReader(box.folder).checkpoint_bytes()
    return parse_checkpoint(open_note(data, [verifier]).text)


def assert_published(box: LogBox, entries: list[bytes]) -> None:
    """Each line is there as a file exactly once, with its page, and nothing else is."""
    files = [path for path in box.loglines.rglob("*.json") if path.name[0] != "."]
    assert sorted(path.read_bytes() for path in files) == sorted(entry + b"\n" for entry in entries)
    for path in box.loglines.glob("*.logline.json"):
        assert path.with_name(path.name.replace(".json", ".md")).read_bytes().startswith(b"# ")


def temporaries(box: LogBox) -> list[Path]:
    """Return what killed writers left."""
    return list(box.home.rglob(f"{TEMP_PREFIX}*"))


def snapshot(folder: Path) -> dict[str, bytes]:
    """Return the content of all files below a folder."""
    return {
        os.fspath(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
