"""The shipped model of the diagnosis, run by llama.cpp as the monitor runs it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from vv_core.monitor.evaluate import main as evaluate
from vv_core.monitor.proposal import Action
from vv_core.monitor.recorded import RECORDED

FLOOR = 0.8


@pytest.mark.integration
@pytest.mark.skipif(find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
def test_it_is_better_than_telling_a_person_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    unknown = [
        case for case in json.loads(RECORDED.read_text("utf-8")) if not case["known_to_rules"]
    ]
    path = tmp_path / "unknown.json"
    path.write_text(json.dumps(unknown))
    assert evaluate(["--model", "--min-model", str(FLOOR), "--recorded", str(path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    # An answer that is none of the given words counts as no answer.
    assert figures["model_answered"] == figures["faults"] == len(unknown)
    assert set(figures["model_chose"]) <= set(Action)
    assert figures["model_right_where_rules_know_nothing"] >= FLOOR
    assert figures["model_against_escalate"] > 1
