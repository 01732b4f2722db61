"""Everything a DVR may leave behind goes through one box with the real scanner.

None crashes the cycle, none is lost or doubled, and each that is refused is named with advice.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import clips
from vv_core.audit.audit_folder import verify_file
from vv_core.audit.keys import create_key_store, read_key_store
from vv_core.audit.verdict import Status
from vv_core.paths import Storage
from vv_core.pipeline.quarantine import quarantined
from vv_core.settings import OWN_PREFIXES
from vv_core.tlog.signing_key import create_signing_key

pytestmark = pytest.mark.integration


def _copy(source: Path) -> Callable[[Path], object]:
    """Make a file that differs from its source, and from all others, in a free box at its end."""

    def write(path: Path) -> None:
        mark = secrets.token_bytes(32)
        path.write_bytes(source.read_bytes() + b"\x00\x00\x00\x28free" + mark)

    return write


def _bad(good: Path) -> dict[str, tuple[Callable[[Path], object], str]]:
    """Named bad rows: how to make the file, and a word of the reason."""
    return {
        "empty.mp4": (lambda path: path.write_bytes(b""), "empty"),
        "text.mp4": (lambda path: path.write_text("not a video " * 50), "not a video"),
        "moov missing.mp4": (lambda path: clips.make_without_moov(path, good), "moov"),
        "audio only.mp4": (clips.make_audio_only, "no pictures"),
        "zero frames.mp4": (lambda path: clips.make_without_frames(path, good), "0 frames"),
    }


def _good(good: Path) -> dict[str, Callable[[Path], object]]:
    """Named good rows, however odd."""
    return {
        "plain.mp4": _copy(good),
        "16x16.mp4": lambda path: clips.make_clip(path, size="16x16"),
        "7680x4320.mp4": lambda path: clips.make_clip(path, size="7680x4320", seconds=0.3),
        "variable rate.mp4": clips.make_variable_rate,
        "h265.mp4": lambda path: clips.make_clip(path, "-c:v", "libx265", "-preset", "ultrafast"),
        "mjpeg.avi": lambda path: clips.make_clip(path, "-c:v", "mjpeg"),
        "UPPER.MP4": _copy(good),
        "with spaces.mp4": _copy(good),
        "quotes ' and \".mp4": _copy(good),
        "new\nline.mp4": _copy(good),
        "emoji 🎥👨‍👩‍👧.mp4": _copy(good),
        "-rf.mp4": _copy(good),
        "x" * 251 + ".mp4": _copy(good),
        os.fsdecode(b"latin-\xe7\xe3o.mp4"): _copy(good),
        "$(touch pwned);`id`.mp4": _copy(good),
    }


@dataclass(frozen=True)
class Box:
    """A box and how to run its orchestrator."""

    root: Path

    @property
    def storage(self) -> Storage:
        return Storage(self.root / "data")

    def run(self) -> subprocess.CompletedProcess[str]:
        """Run one cycle as cron does, with nothing set but the box's own place."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(OWN_PREFIXES)
        }
        clean |= {
            "VV_HOME": str(self.root),
            "ORCHESTRATOR_STABLE_SECONDS": "0",
            "VV_LANGUAGE": "en",
            "PYTHONPATH": str(Path(__file__).parent.parent),
        }
        return subprocess.run(
            [sys.executable, "-m", "vv_core.pipeline.orchestrate", "--once"],
            check=False,
            capture_output=True,
            text=True,
            timeout=280,
            env=clean,
        )

    def loglines(self) -> dict[str, dict[str, Any]]:
        """Return every LogLine by the hash of its video; each must verify."""
        keys = read_key_store(self.root / "secrets" / "hmac_keys.json").keys
        found: dict[str, dict[str, Any]] = {}
        for path in self.storage.loglines.glob("*.logline.json"):
            assert verify_file(path, keys).status is Status.VALID
            document = json.loads(path.read_bytes())
            assert document["evidence"]["video_sha256"] not in found
            found[document["evidence"]["video_sha256"]] = document
        return found

    def contents(self, folder: Path) -> list[str]:
        """Return the hashes of all videos below a folder."""
        return sorted(
            hashlib.sha256(path.read_bytes()).hexdigest()
            for path in folder.rglob("*")
            if path.is_file() and not path.is_symlink() and not path.name.endswith(".json")
        )


@pytest.fixture(scope="module")
def good_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clips.make_clip(tmp_path_factory.mktemp("clips") / "good.mp4", *clips.X264)


@pytest.fixture
def box(tmp_path: Path) -> Box:
    box = Box(tmp_path)
    box.storage.ensure()
    create_key_store(tmp_path / "secrets" / "hmac_keys.json")
    create_signing_key(tmp_path / "secrets" / "log_signing_key.pem")
    return box


def test_everything_a_dvr_may_leave_behind(box: Box, good_clip: Path) -> None:
    folder = box.storage.input
    bad, good = _bad(good_clip), _good(good_clip)
    for name, make in good.items():
        # ffmpeg itself does not take every name.
        make(folder / f"made{Path(name).suffix}")
        (folder / f"made{Path(name).suffix}").rename(folder / name)
    for name, (make, _) in bad.items():
        make(folder / name)
    cut = folder / "cut.mkv"
    clips.make_clip(cut, *clips.X264, seconds=4)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (folder / "link.mp4").symlink_to(good_clip)
    (folder / "folder.mp4").mkdir()
    os.mkfifo(folder / "fifo.mp4")
    before = box.contents(folder)

    result = box.run()

    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    reasons = {video.name: meta for video, _, meta in quarantined(box.storage)}
    assert set(reasons) == set(bad)
    for name, (_, word) in bad.items():
        assert word in reasons[name]["reason"], name
        assert reasons[name]["advice"].endswith(".")
        assert (reasons[name]["stage"], reasons[name]["exit_code"]) == ("scan_video", 65)
    loglines = box.loglines()
    assert len(loglines) == len(good) + 1
    assert sorted(loglines) == box.contents(box.storage.processed)
    assert sorted([*loglines, *box.contents(box.storage.corrupted)]) == before
    assert sorted(path.name for path in folder.iterdir()) == ["fifo.mp4", "folder.mp4", "link.mp4"]
    assert {path.name for path in box.storage.processed.iterdir()} == {*good, "cut.mkv"}
    log = (box.root / "logs" / "app.log").read_text("utf-8")
    for name in ("fifo.mp4", "folder.mp4", "link.mp4"):
        assert f"{name}' is" in log


def test_what_a_cut_recording_still_holds_is_used_and_said(box: Box) -> None:
    cut = clips.make_clip(box.storage.input / "cut.mkv", *clips.X264, seconds=6)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    assert box.run().returncode == 0
    analytic = json.loads((box.storage.analytic / "cut.analytic.json").read_bytes())
    assert analytic["sampling"]["complete"] is False
    assert 1 <= analytic["sampling"]["frames"] < 6


def test_same_name_and_same_content(box: Box, good_clip: Path) -> None:
    for camera in ("entrada", "saida"):
        (box.storage.input / camera).mkdir()
        _copy(good_clip)(box.storage.input / camera / "20261120_101500.mp4")
    shutil.copyfile(
        box.storage.input / "saida" / "20261120_101500.mp4", box.storage.input / "same content.mp4"
    )
    assert box.run().returncode == 0
    loglines = box.loglines()
    assert sorted(line["media"]["camera"] for line in loglines.values()) == ["entrada", "saida"]
    assert len(list(box.storage.loglines.glob("20261120_101500*.logline.json"))) == 2
    assert box.contents(box.storage.input) == []
    assert len(box.contents(box.storage.processed)) == 3
