"""``make status``: one screen, in the viewer's language, whatever state the box is in."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.core.conftest import Stranger
from vv_core.alerts import Alert, FileSink, Severity
from vv_core.paths import Storage
from vv_core.pipeline.history import CycleRun, History, StageRun
from vv_core.preparation import prepare
from vv_core.settings import load_settings
from vv_core.status import main

DATABASE = "orchestrator_db.sqlite"
NOW = datetime(2026, 11, 21, 2, 3, 4, tzinfo=UTC)


@pytest.fixture
def storage() -> Storage:
    """Return a box that is prepared."""
    settings = load_settings()
    prepare(settings)
    return settings.storage


def add_history(storage: Storage, stopped_by: str = "") -> None:
    with closing(History(storage.orchestrator_data / DATABASE)) as history:
        history.add_stage_run(
            StageRun(NOW.timestamp(), "a" * 64, "a.mp4", "scan_video", 2.5, 65, False, "bad")
        )
        history.add_cycle(CycleRun(NOW.timestamp(), 12.34, 3, 2, 1, 0, stopped_by))


def add_alert(storage: Storage, message: str) -> None:
    alert = Alert(Severity.WARNING, "code", message, message, "Do it.")
    FileSink(storage.orchestrator_data / "alerts.jsonl").send(alert, NOW)


def rows(text: str) -> dict[str, str]:
    return {line[:20].strip(): line[20:].strip() for line in text.splitlines()}


def test_a_box_before_its_first_cycle(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = rows(capsys.readouterr().out)
    assert shown["Dados"] == str(storage.root)
    assert [shown[name] for name in ("Fila", "Para tentar de novo", "Quarentena", "Ignorados")] == [
        "0"
    ] * 4
    assert shown["Último ciclo"] == "nunca"
    assert shown["Disco livre"].endswith("GiB")
    assert shown["Chave"].endswith("hmac_keys.json")


def test_a_box_at_work_in_english(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["VV_LANGUAGE"] = "en"
    add_history(storage, "scan_video: no weights")
    (storage.input / "a.mp4").write_text("x")
    add_alert(storage, "it went \x1b[2J quiet")
    assert main([]) == 0
    text = capsys.readouterr().out
    shown = rows(text)
    assert shown["Queue"] == "1"
    assert (
        shown["Last cycle"]
        == "2026-11-21T02:03:04Z, 12.3 s, 2 done, 1 quarantined, scan_video: no weights"
    )
    assert shown["scan_video"] == "1 (1 failures), 2.50 s"
    assert "! 2026-11-21T02:03:04Z WARNING it went \\x1b[2J quiet\n  → Do it.\n" in text


def test_the_last_alerts_are_shown(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(9):
        add_alert(storage, f"alert {number}")
    assert main([]) == 0
    text = capsys.readouterr().out
    assert [number for number in range(9) if f"alert {number}" in text] == [4, 5, 6, 7, 8]


def test_for_programs(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    add_history(storage)
    add_alert(storage, "quiet")
    assert main(["--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["queued"] == 0
    assert document["stages"]["scan_video"] == {"runs": 1, "failures": 1, "median_s": 2.5}
    assert document["last_cycle"]["done"] == 2
    assert document["alerts"][0]["message"] == "quiet"


def test_a_missing_key_is_told(storage: Storage, capsys: pytest.CaptureFixture[str]) -> None:
    load_settings().key_store_path.unlink()
    for language, expected in (
        ("pt-BR", "FALTA: rode make setup"),
        ("en", "MISSING: run make setup"),
    ):
        os.environ["VV_LANGUAGE"] = language
        assert main([]) == 0
        assert expected in capsys.readouterr().out


def test_a_trial_key_is_told_and_not_shown(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ["VV_HMAC_KEY"] = "very-secret"
    assert main([]) == 0
    text = capsys.readouterr().out
    assert rows(text)["Chave"] == "VV_HMAC_KEY"
    assert "very-secret" not in text


def test_a_box_that_is_not_prepared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 66
    assert "make setup" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_told(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    storage.input.rmdir()
    assert main([]) == 66
    assert "'" + str(storage.input) + "'" in capsys.readouterr().err


def test_somebody_else_is_told_what_to_do(
    stranger: Stranger, capsys: pytest.CaptureFixture[str]
) -> None:
    home, be_nobody = stranger
    os.environ["VV_HOME"] = str(home)
    settings = load_settings()
    prepare(settings)
    add_history(settings.storage)
    with be_nobody():
        assert main([]) == 75
    error = capsys.readouterr().err
    assert DATABASE in error
    assert "Give the user that runs this access" in error


def test_a_history_that_cannot_be_opened_is_told(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    (storage.orchestrator_data / DATABASE).mkdir()
    assert main([]) == 75
    error = capsys.readouterr().err
    assert "the run history cannot be read" in error
    assert "user of the service" in error


def test_a_key_that_somebody_else_may_not_see_is_not_missing(
    stranger: Stranger, capsys: pytest.CaptureFixture[str]
) -> None:
    home, be_nobody = stranger
    os.environ["VV_HOME"] = str(home)
    settings = load_settings()
    prepare(settings)
    for folder in settings.storage.root, settings.storage.orchestrator_data:
        folder.chmod(0o777)
    with be_nobody():
        assert main([]) == 0
    assert "Permission denied" in rows(capsys.readouterr().out)["Chave"]


@pytest.mark.parametrize("argument", ["--nothing", "extra"])
def test_wrong_usage(argument: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([argument])
    assert caught.value.code == 64


def test_the_models_that_write_are_shown(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = {
        "engine": {"model": "own.gguf", "model_hash": "a" * 64, "elapsed_s": 0.5},
        "grounding": {"path": "model", "attempts": [{}]},
    }
    (storage.summaries / "clip.summary.json").write_text(json.dumps(summary), "utf-8")
    assert main([]) == 0
    assert rows(capsys.readouterr().out)["Texto por"].startswith("own.gguf: 1 resumo, 100.0%")
    assert main(["--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)["models"]
    assert (figures["model"], figures["kept_share"], figures["median_s"]) == ("own.gguf", 1.0, 0.5)
