"""Writing down a fault: what stands in the file, and that nothing else is touched."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.monitor.test_command import engine, home
from tests.monitor.test_engine import Answer
from vv_core.monitor.evaluate import main as evaluate
from vv_core.monitor.proposal import Action
from vv_core.monitor.record import USUAL_HOME, main
from vv_core.monitor.recorded import load_cases

__all__ = ["engine", "home"]


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    logger = logging.getLogger("vv")
    handlers = list(logger.handlers)
    yield
    for handler in [handler for handler in logger.handlers if handler not in handlers]:
        handler.close()
    logger.handlers[:] = handlers


def test_a_fault_is_added_without_what_tells_this_box_from_another(
    home: Path, engine: dict[str, Answer]
) -> None:
    (home / "logs").mkdir()
    entry = {"time": "2199-01-01T00:00:00Z", "level": "ERROR", "component": "x"}
    (home / "logs" / "app.log").write_text(json.dumps({**entry, "message": f"no {home}/data/a"}))
    into = home / "mine.json"
    assert main(["api has ended", "restart", "--into", str(into)]) == 0
    (case,) = load_cases(into)
    assert (case.name, case.action, case.is_known) == ("api has ended", Action.RESTART, False)
    assert case.is_recorded
    assert [fact.service for fact in case.situation.containers] == ["api"]
    assert case.situation.log[-1].message == f"no {USUAL_HOME}/data/a"
    assert str(home) not in into.read_text()
    assert not (home / "data" / "orchestrator_data" / "monitor" / "state.json").exists()


def test_one_of_the_same_name_is_replaced_and_others_stay(
    home: Path, engine: dict[str, Answer]
) -> None:
    into = home / "mine.json"
    known = ["api is out of memory", "escalate", "--known"]
    assert main(["one", "restart", "--into", str(into)]) == 0
    for target in ("wrong", ""):
        assert main([*known, "--target", target, "--into", str(into)]) == 0
    assert [case.name for case in load_cases(into)] == ["one", "api is out of memory"]
    assert evaluate(["--recorded", str(into)]) == 70, "the rules know the first one too"


@pytest.mark.parametrize("text", ["{}", "[1]", "no JSON"])
def test_a_file_of_something_else_is_left_alone(
    home: Path, engine: dict[str, Answer], text: str
) -> None:
    into = home / "mine.json"
    into.write_text(text)
    assert main(["one", "restart", "--into", str(into)]) == 65
    assert into.read_text() == text


def test_without_a_place_or_an_engine_it_says_so(
    home: Path, engine: dict[str, Answer], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(["one", "restart", "--into", str(home / "none" / "mine.json")]) == 66
    with pytest.raises(SystemExit):
        main(["one", "dance", "--into", "x"])
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert main(["one", "restart", "--into", str(home / "mine.json")]) == 69
    assert "→" in capsys.readouterr().err


def test_an_origin_of_another_word_is_refused(home: Path) -> None:
    path = home / "cases.json"
    right = {"action": "restart", "target": ""}
    case = {"name": "n", "origin": "dreamt", "situation": {}, "right": right}
    path.write_text(json.dumps([{**case, "known_to_rules": False}]))
    assert evaluate(["--recorded", str(path)]) == 65
