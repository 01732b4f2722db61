"""``make status``: one screen, in the viewer's language, whatever state the box is in."""

from __future__ import annotations

import json
import os
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.core.conftest import Stranger
from vv_core.alerts import Alert, FileSink, Severity
from vv_core.box_containers import ContainersView
from vv_core.box_trust import KeyView, head_view, look_at_key
from vv_core.metrics import PipelineMetrics
from vv_core.paths import Storage
from vv_core.pipeline.history import CycleRun, History, StageRun
from vv_core.preparation import prepare
from vv_core.settings import load_settings
from vv_core.status import main
from vv_core.status_screen import BoxStatus, Words, log_text, status_lines
from vv_core.tlog.log_status import LogStatus, WitnessStatus

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
    assert shown["Chave"].startswith("k2")
    assert ", próxima troca " in shown["Chave"]
    assert shown["Registro"] == "0 linhas, sem testemunha"
    assert shown["Contêineres"] == "não se sabe: there is no docker-compose.yml"
    assert shown["Alertas"] == "nenhum"


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
    assert shown["scan_video"] == "1 (1 failure), 2.50 s"
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
    assert rows(capsys.readouterr().out)["Texto por"].startswith("own.gguf: 1 resumo, 100,0%")
    assert main(["--json"]) == 0
    (figures,) = json.loads(capsys.readouterr().out)["models"]
    assert (figures["model"], figures["kept_share"], figures["median_s"]) == ("own.gguf", 1.0, 0.5)


def use_docker(monkeypatch: pytest.MonkeyPatch, home: Path, script: str) -> None:
    """Let a script stand for docker."""
    (home / "docker-compose.yml").write_text("services: {}")
    fake = home / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:/usr/bin:/bin")


LISTED = [
    {
        "Service": "tv_api",
        "State": "running",
        "Health": "healthy",
        "Status": "Up 3 hours (healthy)",
    },
    {"Service": "capture", "State": "running", "Health": "", "Status": "Up 3 hours"},
    {"Service": "stage", "State": "exited", "Health": "", "Status": "Exited (0)", "ExitCode": 0},
    {"Service": "playlist", "State": "running", "Health": "unhealthy", "Status": "Up (unhealthy)"},
    {"Service": "monitor", "State": "exited", "Health": "", "Status": "Exited (1)", "ExitCode": 1},
]


@pytest.mark.parametrize("form", ["lines", "array"])
def test_containers_that_are_not_well_stand_out(
    storage: Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    form: str,
) -> None:
    """Both forms of `docker compose ps --format json`, before and after version 2.21."""
    lines = "\n".join(json.dumps(each) for each in LISTED) + "\nno JSON"
    (tmp_path / "ps").write_text(lines if form == "lines" else json.dumps(LISTED))
    use_docker(monkeypatch, tmp_path, f'echo "$*" >{tmp_path}/asked; cat {tmp_path}/ps')
    assert main([]) == 0
    shown = rows(capsys.readouterr().out)
    assert shown["Contêineres"] == "3 em ordem: capture stage tv_api"
    assert shown["! playlist"] == "Up (unhealthy)"
    assert shown["! monitor"] == "Exited (1)"
    assert "--profile * ps --all --format json" in (tmp_path / "asked").read_text()
    assert main(["--json"]) == 0
    containers = json.loads(capsys.readouterr().out)["containers"]
    assert containers["containers"][0]["service"] == "capture"
    assert containers["problem"] == ""


@pytest.mark.usefixtures("storage")
@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("echo Cannot connect to the engine >&2; exit 1", "Cannot connect to the engine"),
        ("exit 3", "exit code 3"),
        ("", "nenhum (make up)"),
    ],
)
def test_an_engine_that_does_not_answer_is_told_and_the_rest_is_shown(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    script: str,
    expected: str,
) -> None:
    use_docker(monkeypatch, tmp_path, script)
    assert main([]) == 0
    shown = rows(capsys.readouterr().out)
    assert expected in shown["Contêineres"]
    assert shown["Fila"] == "0"


def test_without_docker(
    storage: Storage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use_docker(monkeypatch, tmp_path, "")
    (tmp_path / "bin" / "docker").unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert main([]) == 0
    assert "docker cannot be started" in rows(capsys.readouterr().out)["Contêineres"]


def test_numbers_bear_the_mark_of_the_language(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    add_history(storage)
    assert main([]) == 0
    text = capsys.readouterr().out
    shown = rows(text)
    assert ", 12,3 s, 2 concluídos" in shown["Último ciclo"]
    assert shown["scan_video"] == "1 (1 falha), 2,50 s"
    assert re.fullmatch(r"\d+,\d / \d+,\d GiB", shown["Disco livre"])
    os.environ["VV_LANGUAGE"] = "en"
    assert main([]) == 0
    assert re.fullmatch(r"\d+\.\d / \d+\.\d GiB", rows(capsys.readouterr().out)["Disk free"])


def test_a_key_of_yesterday_changes_with_the_next_line(storage: Storage) -> None:
    settings = load_settings()
    today = look_at_key(settings, datetime.now(UTC))
    assert not today.is_due
    assert today.next_rotation.endswith("T00:00:00Z")
    assert today.next_rotation > today.created
    tomorrow = look_at_key(settings, datetime.now(UTC) + timedelta(days=1))
    assert tomorrow.is_due


def test_a_log_that_is_not_there_or_cannot_be_read_is_told(
    storage: Storage, capsys: pytest.CaptureFixture[str]
) -> None:
    (storage.log / "checkpoint").write_bytes(b"no note")
    assert main([]) == 0
    assert rows(capsys.readouterr().out)["Registro"].startswith("não se sabe: ")
    shutil.rmtree(storage.log)
    assert main([]) == 0
    assert rows(capsys.readouterr().out)["Registro"] == "ainda não há"


def log_view(**parts: object) -> LogStatus:
    """Return the status of a log of ten lines."""
    whole: dict[str, Any] = {
        "origin": "o", "vkey": "v", "size": 10, "root": "r", "last_line": "2026-11-21T02:03:04Z",
        "pruned_below": 0, "witnesses": (), "wanted": 0, "key_id": "", "key_since": "", "rotations": 0,
        "revocations": 0, "silent_cameras": (), "gaps": (), "problems": (),
    }  # fmt: skip
    return LogStatus(**whole | parts)


def test_how_far_the_log_is_witnessed() -> None:
    def witness(name: str, size: int) -> WitnessStatus:
        return WitnessStatus(name, size, "", 10 - size, "behind")

    words = Words("pt-BR")
    assert log_text(head_view(log_view()), words) == (
        "10 linhas, última 2026-11-21T02:03:04Z, sem testemunha"
    )
    nobody = head_view(log_view(witnesses=(witness("a", 0),)))
    assert log_text(nobody, words).endswith("nenhuma testemunha viu ainda")
    seen = head_view(log_view(witnesses=(witness("a", 4), witness("b", 9), witness("c", 9))))
    assert log_text(seen, Words("en")).endswith("witnessed up to 9 (b, c)")


def test_what_the_log_complains_of_stands_on_the_screen(storage: Storage) -> None:
    status = BoxStatus(
        "root",
        PipelineMetrics(0, 0, 0, 0, {}, None, 1, 2),
        (),
        ContainersView(),
        KeyView("VV_HMAC_KEY"),
        head_view(log_view(problems=("the witness a contradicts this log",))),
        (),
    )
    assert "! the witness a contradicts this log" in status_lines(status, "en")
