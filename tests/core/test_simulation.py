"""``make simulate``: its parts, and the whole of it with the real pipeline."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from vv_core.paths import FOLDERS
from vv_core.settings import Settings, load_settings
from vv_core.simulation import describe, find_logline, main

HASH = "a" * 64


def write_logline(settings: Settings, name: str, content: object) -> Path:
    settings.storage.loglines.mkdir(parents=True, exist_ok=True)
    path = settings.storage.loglines / f"{name}.logline.json"
    path.write_text(json.dumps(content))
    return path


def test_a_logline_is_found_by_its_videos_hash() -> None:
    settings = load_settings()
    assert find_logline(settings, HASH) is None
    odd: list[Any] = [[], {}, {"evidence": None}, {"evidence": {}}]
    odd.append({"evidence": {"video_sha256": "b" * 64}})
    for number, content in enumerate(odd):
        write_logline(settings, f"a{number}", content)
    assert find_logline(settings, HASH) is None
    path = write_logline(settings, "b", {"evidence": {"video_sha256": HASH}})
    assert find_logline(settings, HASH) == path


def write_summary(settings: Settings, **changes: Any) -> Path:
    """Write a LogLine and the parts of its summary that are shown; return the LogLine's path."""
    settings.storage.summaries.mkdir(parents=True, exist_ok=True)
    summary = {
        "title": "Um título",
        "text": "Um texto.",
        "engine": {"model": None},
        "detector": {"name": "hog", "backend": "opencv", "embedded_default": True},
        "pictures": [{"file": "a.pictures/b.jpg"}],
        **changes,
    }
    (settings.storage.summaries / "a.summary.json").write_text(json.dumps(summary))
    return write_logline(settings, "a", {"did": "viu \u202e pessoas"})


def test_a_result_is_described_with_what_made_it() -> None:
    settings = load_settings()
    lines = describe(settings, write_summary(settings))
    assert lines[0] == (
        "── Resumo (visto por hog (detector embutido, sem YOLO); escrito por regras) ──"
    )
    assert lines[1:3] == ["Um título", "Um texto."]
    assert '  "did": "viu \\u202e pessoas"' in lines
    assert lines[-2:] == [
        str(settings.storage.loglines / "a.logline.md"),
        str(settings.storage.analytic / "a.pictures" / "b.jpg"),
    ]


def test_a_result_is_described_in_english_too() -> None:
    os.environ["VV_LANGUAGE"] = "en"
    settings = load_settings()
    logline = write_summary(
        settings,
        text="two\nlines",
        engine={"model": "bitnet.gguf"},
        detector={"name": "yolov8n", "backend": "openvino", "embedded_default": False},
    )
    lines = describe(settings, logline)
    assert lines[0] == "── Summary (seen by yolov8n (openvino); written by bitnet.gguf) ──"
    assert lines[2] == "two\\nlines"
    assert "── Files ──" in lines


def test_a_clip_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "gone.mp4")]) == 66
    assert "gone.mp4" in capsys.readouterr().err


def test_a_clip_that_cannot_be_copied(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_text("video")
    (tmp_path / "simulation" / "data" / "input" / "a.mp4").mkdir(parents=True)
    assert main([str(tmp_path / "a.mp4")]) == 75
    assert "cannot copy the clip" in capsys.readouterr().err


def test_a_faulty_set_up_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["VV_LANGUAGE"] = "xx"
    assert main([]) == 78
    assert "VV_LANGUAGE" in capsys.readouterr().err


@pytest.mark.integration
def test_a_clip_that_is_none_is_named_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "text.mp4").write_text("no video")
    assert main([str(tmp_path / "text.mp4")]) == 65
    error = capsys.readouterr().err
    assert "text.mp4 was quarantined by scan_video" in error
    assert "→" in error


@pytest.mark.integration
def test_a_name_that_is_not_a_videos_is_named_with_advice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    assert main([str(tmp_path / "notes.txt")]) == 66
    assert "ORCHESTRATOR_PATTERNS" in capsys.readouterr().err


@pytest.mark.integration
def test_a_pipeline_that_cannot_run_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.mp4").write_text("no video")
    lock = tmp_path / "simulation" / "data" / "orchestrator_data" / "orchestrator.lock"
    lock.mkdir(parents=True)
    assert main([str(tmp_path / "a.mp4")]) == 75
    error = capsys.readouterr().err
    assert "orchestrator.lock" in error
    assert "simulation/logs/app.log" in error


@pytest.mark.integration
def test_the_demo_ends_with_a_valid_logline_and_a_second_run_repeats_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text("VV_LANGUAGE=en\nVV_BOX_NAME=box\n")
    assert main([]) == 0
    first = capfd.readouterr().out
    (logline,) = (tmp_path / "simulation" / "data" / "loglines").glob("*.logline.json")
    assert "simulate: making a demo clip" in first
    assert json.dumps(json.loads(logline.read_text())["title"]) in first
    assert "── Verifier ──\nVALID" in first
    pictures = [line for line in first.splitlines() if line.endswith(".jpg")]
    assert pictures
    assert all(Path(line).is_file() for line in pictures)

    before = logline.stat().st_mtime_ns
    assert main([]) == 0
    second = capfd.readouterr().out
    assert "simulate: processing" not in second
    assert "── Verifier ──\nVALID" in second
    assert logline.stat().st_mtime_ns == before

    # A world of its own: the box has neither data nor keys nor logs.
    assert sorted(path.name for path in tmp_path.iterdir()) == [".cache", ".env", "simulation"]
    assert sorted(path.name for path in (tmp_path / "simulation").iterdir()) == [
        "data",
        "faces",
        "logs",
        "secrets",
    ]
    folders = {path.name for path in (tmp_path / "simulation" / "data").iterdir()}
    assert folders == {*FOLDERS, "config", "logins"}

    logline.write_text(logline.read_text().replace("Box box", "Box fox"))
    assert main([]) == 1
    assert "── Verifier ──\nVALID" not in capfd.readouterr().out


@pytest.mark.integration
def test_a_box_with_a_trial_key_can_simulate(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".env").write_text(f"VV_HMAC_KEY={os.urandom(32).hex()}\nVV_LANGUAGE=en\n")
    assert main([]) == 0
    assert "── Verifier ──\nVALID" in capfd.readouterr().out
    assert not (tmp_path / "simulation" / "secrets" / "hmac_keys.json").exists()
