"""What the diagnosis carries out, done for real: videos come back, models go back, memory rises, caches go."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.containers.conftest import WEIGHTS
from tests.models.conftest import install, models, settings
from tests.models.test_switch import switch_to
from tests.monitor.acting import ActingBox
from tests.pipeline.box import Box, new_box
from tests.support.clips import make_clip
from vv_core.alerts import read_alerts
from vv_core.errors import ConfigError
from vv_core.models.active import active_summary_model, read_active
from vv_core.monitor.proposal import Action, Diagnosis, Proposal
from vv_core.monitor.remedies import _DEFAULTS, apply_proposal
from vv_core.monitor.rules import MEMORY_VARIABLES
from vv_core.pipeline.lock import CycleLock
from vv_core.pipeline.quarantine import Failure, quarantine
from vv_core.pipeline.stages import pipeline_stages
from vv_core.preparation import prepare
from vv_core.utils import compute_sha256

pytestmark = pytest.mark.integration
__all__ = ["install", "models", "settings"]

OUT_OF_MEMORY = {"stage": "scan_video", "exit_code": 137, "out_of_memory": True}


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    made = new_box(
        tmp_path, monkeypatch, VV_MONITOR_DIAGNOSIS="act", VV_SUMMARY_MODEL="none",
        ORCHESTRATOR_RETRY_SECONDS=0.01,
    )  # fmt: skip
    prepare(made.settings)
    for folder in ("monitor", "services", "scanner"):
        (made.folder("orchestrator_data") / folder).mkdir(exist_ok=True)
    return made


@pytest.fixture
def acting(box: Box) -> ActingBox:
    return ActingBox(box.home)


# --- requeue ----------------------------------------------------------------------------------------------------------


def set_aside(box: Box, name: str, stage: str = "scan_video", exit_code: int = 137) -> str:
    """Put a good clip into quarantine, as a stage that ended so does; return its hash."""
    video = box.input / name
    video.parent.mkdir(exist_ok=True)
    make_clip(video, seconds=1, rate=2 + len(box.contents))
    sha256 = compute_sha256(video)
    box.contents.add(sha256)
    failure = Failure(stage, exit_code, False, "ran out of memory", "raise it", (), 3,
                      "2026-11-21T02:03:04Z")  # fmt: skip
    quarantine(box.settings.storage, video, name, sha256, failure)
    return sha256


def test_memory_is_raised_and_the_video_comes_back_and_becomes_a_logline(
    box: Box, acting: ActingBox
) -> None:
    sha256 = set_aside(box, "entrada/20261121-020304.mp4")
    set_aside(box, "garagem/20261121-020305.mp4", "summarize_scene")
    set_aside(box, "garagem/20261121-020306.mp4", exit_code=65)
    acting.log(OUT_OF_MEMORY)
    acting.look()
    assert box.names("input") == []
    acting.look()
    assert box.names("input") == ["entrada/20261121-020304.mp4"]
    acting.look()
    actions = [(entry["action"], entry["target"], entry["problem"]) for entry in acting.proposals()]
    assert actions == [
        ("raise_memory", "SCANNER_MEMORY", ""),
        ("requeue", "entrada/20261121-020304.mp4", ""),
    ], "each once; those that another stage, or no want of memory, set aside stay there"
    ended = acting.cycle()
    assert ended.returncode == 0, ended.stderr
    assert [line[0] for line in box.log_lines()] == [sha256]
    assert len(box.videos("corrupted")) == 2
    box.check()


def test_a_video_that_was_set_aside_after_memory_was_raised_stays_there(
    box: Box, acting: ActingBox
) -> None:
    acting.log(OUT_OF_MEMORY)
    acting.look()
    video = box.input / "a.mp4"
    make_clip(video, seconds=1)
    after = Failure("scan_video", 137, False, "again", "raise it", (), 3, "2199-01-01T00:00:00Z")
    quarantine(box.settings.storage, video, "a.mp4", compute_sha256(video), after)
    for _ in range(3):
        acting.later()
        assert acting.look() is None
    assert box.names("input") == []


def test_while_a_cycle_runs_nothing_is_put_back_and_an_hour_later_it_is(
    box: Box, acting: ActingBox
) -> None:
    set_aside(box, "a.mp4")
    acting.log(OUT_OF_MEMORY)
    acting.look()
    with CycleLock(box.folder("orchestrator_data") / "orchestrator.lock"):
        acting.look()
    assert "an orchestrator is at work" in acting.proposals()[-1]["problem"]
    assert acting.look() is None, "the same one is not proposed again at once"
    acting.later()
    acting.look()
    assert acting.proposals()[-1]["done"] == "put back a.mp4"
    assert box.names("input") == ["a.mp4"]


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_rises_once_an_hour_and_no_further_than_the_limit(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_MEMORY_LIMIT_MB", "2000")
    env = box.home / ".env"
    env.write_text("# kept\nSCANNER_MEMORY=1g\n")
    seen = []
    for _ in range(3):
        acting.log(OUT_OF_MEMORY)
        acting.look()
        acting.log(OUT_OF_MEMORY)
        acting.look()
        seen.append(env.read_text())
        acting.later()
    assert seen == ["# kept\nSCANNER_MEMORY=1536m\n", *["# kept\nSCANNER_MEMORY=2000m\n"] * 2]
    done = [entry["done"] for entry in acting.proposals()]
    assert done == ["SCANNER_MEMORY=1536m in .env", "SCANNER_MEMORY=2000m in .env", ""]
    assert "VV_MONITOR_MEMORY_LIMIT_MB is 2000" in acting.proposals()[-1]["problem"]


def test_another_env_file_is_the_one_that_is_changed(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = box.home / "other.env"
    other.write_text("VV_LANGUAGE=en\n")
    monkeypatch.setenv("VV_ENV_FILE", str(other))
    acting.log({**OUT_OF_MEMORY, "stage": "logline_generator"})
    acting.look()
    assert other.read_text() == "VV_LANGUAGE=en\nWRITER_MEMORY=384m\n"
    assert not (box.home / ".env").exists()


def test_memory_that_the_environment_sets_cannot_be_raised_in_a_file(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCANNER_MEMORY", "1g")
    proposal = Proposal(Diagnosis.OUT_OF_MEMORY, Action.RAISE_MEMORY, "SCANNER_MEMORY", "test")
    with pytest.raises(ConfigError, match="stands in the environment"):
        apply_proposal(proposal, box.settings, acting.monitor)
    assert not (box.home / ".env").exists()


def test_the_rules_know_the_stages_by_their_real_names(box: Box) -> None:
    for spec in pipeline_stages(box.settings):
        assert MEMORY_VARIABLES[spec.name] == MEMORY_VARIABLES[spec.service] == spec.memory_setting
        assert spec.memory_setting in _DEFAULTS


# --- models -----------------------------------------------------------------------------------------------------------

LOST = {"event": "model_process_lost"}


def test_a_model_that_crashes_is_switched_back_and_that_is_the_end_of_it(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: object
) -> None:
    monkeypatch.setenv("VV_SUMMARY_MODEL", "")
    old, new = install("old", b"GGUF old"), install("new", b"GGUF new")  # type: ignore[operator]
    folder = box.settings.storage.models
    switch_to(folder, new, old)
    acting.log(LOST, LOST)
    assert acting.look() is None, "twice may be chance"
    acting.log(LOST)
    acting.look()
    assert active_summary_model(box.settings) == folder / "old/1/old.gguf"
    previous = read_active(folder)["summary"].previous
    assert previous is not None
    assert previous.name == "new"
    # What it was rolled back for is no news: neither a way back to the bad one nor a call for a person.
    for _ in range(2):
        assert acting.look() is None
        acting.later(1200)
    (entry,) = acting.proposals()
    assert (entry["action"], entry["target"]) == ("roll_back_model", "summary")
    assert entry["done"] == "switched back the model that is for summary"


def test_back_to_the_shipped_one_and_if_that_crashes_too_a_person_is_told(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: object
) -> None:
    monkeypatch.setenv("VV_SUMMARY_MODEL", "")
    folder = box.settings.storage.models
    switch_to(folder, install("new", b"GGUF new"), None)  # type: ignore[operator]
    acting.log(LOST, LOST, LOST)
    acting.look()
    assert read_active(folder)["summary"].current is None
    acting.later(60)
    acting.log(LOST, LOST, LOST)
    acting.look()
    assert [entry["action"] for entry in acting.proposals()] == ["roll_back_model", "escalate"]
    alerts = read_alerts(acting.monitor.alert_file)
    assert [alert["subject"] for alert in alerts] == ["summary"]


def test_a_model_before_that_is_damaged_is_refused_and_stays_refused(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: object
) -> None:
    monkeypatch.setenv("VV_SUMMARY_MODEL", "")
    old, new = install("old", b"GGUF old"), install("new", b"GGUF new")  # type: ignore[operator]
    folder = box.settings.storage.models
    switch_to(folder, new, old)
    (folder / "old/1/old.gguf").write_bytes(b"rot")
    acting.log(LOST, LOST, LOST)
    acting.look()
    (entry,) = acting.proposals()
    assert entry["done"] == ""
    assert "gone or changed" in entry["problem"]
    assert active_summary_model(box.settings) == folder / "new/1/new.gguf"


# --- the cache --------------------------------------------------------------------------------------------------------


def test_compiled_networks_that_are_damaged_again_and_again_are_removed_and_made_anew(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openvino")
    if not WEIGHTS.is_dir():
        pytest.skip("no weights here")
    shutil.copytree(WEIGHTS, box.folder("models") / "yolo")
    monkeypatch.setenv("VV_YOLO_MODEL", "data/models/yolo")
    state = box.settings.storage.scanner_state
    for number in range(4):
        for kept in state.rglob("*.compiled"):
            kept.write_bytes(b"torn by a power cut")
        make_clip(box.input / f"2026112{number}-020304.mp4", seconds=1, rate=2 + number)
        assert acting.cycle().returncode == 0
    acting.clock.now_s = max(acting.clock.now_s, os.stat(box.input).st_mtime) + 60
    (state / "faces.json").write_text("{}")
    (kept,) = state.rglob("*.compiled")
    acting.look()
    (entry,) = acting.proposals()
    assert (entry["action"], entry["done"]) == ("clear_cache", "removed 1 compiled networks")
    assert not kept.exists()
    assert (state / "faces.json").exists()
    assert acting.look() is None, "what it was cleared for is no news"
    make_clip(box.input / "20261125-020304.mp4", seconds=1, rate=7)
    assert acting.cycle().returncode == 0
    assert kept.exists()
    assert len(box.log_lines()) == 5


# --- how often --------------------------------------------------------------------------------------------------------


def test_no_more_than_the_allowed_number_an_hour_whatever_happens(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_PROPOSALS_PER_HOUR", "2")
    for number in range(3):
        set_aside(box, f"{number}.mp4")
    acting.log(OUT_OF_MEMORY)
    for _ in range(5):
        acting.look()
    assert [entry["action"] for entry in acting.proposals()] == ["raise_memory", "requeue"]
    assert len(box.names("input")) == 1
    acting.later()
    for _ in range(5):
        acting.look()
    assert len(box.names("input")) == 3
    assert len(acting.proposals()) == 4


def test_proposing_only_changes_nothing(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "propose")
    set_aside(box, "a.mp4")
    acting.log(OUT_OF_MEMORY, *[LOST] * 3, *[{"event": "cache_damaged"}] * 3)
    for _ in range(4):
        acting.look()
        acting.later()
    assert {(entry["done"], entry["problem"]) for entry in acting.proposals()} == {("", "")}
    assert box.names("input") == []
    assert not (box.home / ".env").exists()
