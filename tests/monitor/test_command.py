"""The command, on an engine that a few lines of HTTP play: what a person and a program get to see."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.core.test_alert_services import Service
from tests.monitor.test_engine import GOOD, VERSION, Answer, partner
from vv_core.heartbeat import find_problem, read_heartbeat
from vv_core.monitor.command import main
from vv_core.settings import load_settings

# apprise 1.9 to 2.2 has one plug-in that imports it.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")

PROJECT = "vv-video-ai"


def answers(**states: dict[str, Any]) -> dict[str, Answer]:
    """Return what an engine says that has these containers."""
    found: dict[str, Answer] = {"/version": VERSION, "/restart": (204, "")}
    names = []
    for service, state in states.items():
        name = f"{PROJECT}-{service}-1"
        labels = {"com.docker.compose.project": PROJECT, "com.docker.compose.service": service}
        inspected = {**GOOD, "Id": service, "Name": f"/{name}", "Config": {"Labels": labels}}
        inspected["State"] = {"ExitCode": 0, "Error": "", **state}
        found[f"/{name}/json"] = (200, json.dumps(inspected))
        names.append({"Names": [f"/{name}"], "Labels": labels})
    found["/containers/json"] = (200, json.dumps(names))
    return found


WELL = {"Status": "running"}
FAILED = {"Status": "exited", "ExitCode": 137, "OOMKilled": True}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    load_settings().storage.ensure()
    return tmp_path


@pytest.fixture
def engine(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Answer]]:
    """Play an engine; a test may change its answers at any time."""
    told = answers(api=FAILED, web=WELL)
    with ExitStack() as stack:
        monkeypatch.setenv("DOCKER_HOST", stack.enter_context(partner(told)))
        yield told


def test_a_person_reads_what_was_done(
    engine: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dry-run"]) == 0
    assert "parou com erro, código 137, faltou memória, seria reiniciado" in capsys.readouterr().out
    assert main([]) == 0
    assert "reiniciado" in capsys.readouterr().out
    monkeypatch.setenv("VV_LANGUAGE", "en")
    assert main(["--once"]) == 0
    assert "restarts: 1" in capsys.readouterr().out
    monkeypatch.setenv("CONTAINER_MAX_RESTART_ATTEMPTS", "0")
    (load_settings().storage.orchestrator_data / "monitor" / "state.json").unlink()
    assert main([]) == 0
    assert "the monitor has given up" in capsys.readouterr().out


def test_what_is_given_up_goes_to_the_operators_services_once(
    engine: dict[str, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONTAINER_MAX_RESTART_ATTEMPTS", "0")
    with Service(200) as service:
        thread = threading.Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("VV_ALERT_URLS", service.url())
        for _ in range(3):
            assert main([]) == 0
        service.shutdown()
        thread.join()
    (told,) = service.received
    assert "container_not_healed" in told["title"]


def test_without_containers_it_says_so(
    engine: dict[str, Answer], capsys: pytest.CaptureFixture[str]
) -> None:
    engine["/containers/json"] = (200, "[]")
    assert main([]) == 0
    assert capsys.readouterr().out == "nenhum contêiner do projeto\n"


def test_a_diagnosis_is_shown(
    engine: dict[str, Answer], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_MONITOR_DIAGNOSIS", "propose")
    assert main(["--dry-run"]) == 0
    assert "→ ação: escalate [rules]" in capsys.readouterr().out
    assert main(["--json"]) == 0
    assert json.loads(capsys.readouterr().out)["proposal"]["diagnosis"] == "out_of_memory"


def test_a_second_monitor_waits_its_turn(
    engine: dict[str, Answer], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = load_settings().storage.orchestrator_data / "monitor"
    folder.mkdir()
    with (folder / "monitor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main([]) == 0
    assert "outro monitor" in capsys.readouterr().out


def test_the_loop_outlives_an_engine_that_goes_away(
    engine: dict[str, Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VV_MONITOR_INTERVAL", "1")
    path = load_settings().storage.services / "self_monitor.json"
    listed = engine["/containers/json"]
    engine["/containers/json"] = (500, json.dumps({"message": "told to fail"}))
    seen: list[str] = []

    def watch() -> None:
        for expected in ("cannot list the containers: told to fail", ""):
            while not (path.exists() and expected == read_heartbeat(path).problem):
                stop.wait(0.05)
                if stop.is_set():
                    return
            seen.append(expected)
            engine["/containers/json"] = listed
        os.kill(os.getpid(), signal.SIGTERM)

    stop = threading.Event()
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        assert main(["--loop", "-v"]) == 0
    finally:
        stop.set()
        watcher.join()
    assert len(seen) == 2
    heartbeat = read_heartbeat(path)
    assert find_problem(heartbeat, heartbeat.time) is None
    assert heartbeat.details["containers"] == 2


def test_an_alert_file_that_cannot_be_used_is_told(
    engine: dict[str, Answer], home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "data" / "orchestrator_data" / "services").write_text("no folder")
    assert main([]) == 75
    assert "→" in capsys.readouterr().err
