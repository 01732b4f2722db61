"""The model chooses among given words, whatever it is worth; everything else is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from summarize_scene.choose import (
    FACTS_ONLY,
    MAX_FACTS_CHARS,
    ask,
    build_choice_grammar,
    main,
    parse_choice,
)
from summarize_scene.engine import EngineCard, Generation, Request, Sampling
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from vv_core.errors import InputDataError

REQUEST: dict[str, Any] = {
    "schema": "vv.choice/1",
    "instructions": "Choose.",
    "facts": "it hangs",
    "fields": [
        {"name": "diagnosis", "options": ["stuck", "full"]},
        {"name": "action", "options": ["restart", "escalate", "clear_cache"]},
    ],
}


def test_the_grammar_is_the_list_and_nothing_else() -> None:
    assert build_choice_grammar(parse_choice(REQUEST)) == (
        'root ::= "{" "\\"diagnosis\\":\\"" field-a "\\"" "," "\\"action\\":\\"" field-b "\\"" "}"\n'
        'field-a ::= "stuck" | "full"\n'
        'field-b ::= "restart" | "escalate" | "clear_cache"\n'
    )


BAD = {
    "not an object": [],
    "another schema": {**REQUEST, "schema": "vv.choice/2"},
    "a key too many": {**REQUEST, "more": 1},
    "no fields": {**REQUEST, "fields": []},
    "too many fields": {**REQUEST, "fields": REQUEST["fields"] * 3},
    "no options": {**REQUEST, "fields": [{"name": "a", "options": []}]},
    "an option that would end the grammar's text": {
        **REQUEST, "fields": [{"name": "a", "options": ['x" | root']}],
    },
    "a name of capitals": {**REQUEST, "fields": [{"name": "A", "options": ["x"]}]},
    "an option that is no text": {**REQUEST, "fields": [{"name": "a", "options": [1]}]},
    "a field of other keys": {**REQUEST, "fields": [{"name": "a"}]},
    "facts that are no text": {**REQUEST, "facts": 7},
    "a book of instructions": {**REQUEST, "instructions": "x" * 3000},
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_request_is_refused(name: str) -> None:
    with pytest.raises(InputDataError):
        parse_choice(BAD[name])


def test_long_facts_are_cut() -> None:
    assert len(parse_choice({**REQUEST, "facts": "x" * 9999}).facts) == MAX_FACTS_CHARS


class Told:
    """An engine that remembers what it was told."""

    def __init__(self, prompt: str | None) -> None:
        self.card = EngineCard("m.gguf", "0" * 64, None, "cpu", prompt)
        self.requests: list[Request] = []

    def generate(
        self, request: Request, grammar: str, head: Sampling, *, seed: int, timeout_s: float
    ) -> Generation:
        self.requests.append(request)
        return Generation("{}", 1, 0.0)

    def close(self) -> None: ...


def test_a_model_that_was_trained_for_it_gets_the_facts_alone() -> None:
    choice = parse_choice(REQUEST)
    trained, general = Told(FACTS_ONLY), Told(None)
    for engine in (trained, general):
        ask(engine, choice, seed=1, timeout_s=1.0)
    assert trained.requests[0].plain == f"{choice.facts}\n\n"
    assert choice.instructions in general.requests[0].plain
    assert choice.facts in general.requests[0].user


@pytest.mark.integration
def test_any_model_answers_with_the_words_it_was_given(tmp_path: Path) -> None:
    model = write_tiny_gguf(tmp_path / "random.gguf")
    (tmp_path / "request.json").write_text(json.dumps(REQUEST))
    result = choose(tmp_path, VV_MONITOR_MODEL_FILE=str(model))
    assert result.returncode == 0, result.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["schema"] == "vv.choice-answer/1"
    assert answer["choice"]["diagnosis"] in REQUEST["fields"][0]["options"]
    assert answer["choice"]["action"] in REQUEST["fields"][1]["options"]
    assert answer["model"] == "random.gguf"
    assert re.fullmatch(r"[0-9a-f]{64}", answer["model_hash"])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("settings", "code"),
    [({"VV_MONITOR_MODEL_FILE": "gone.gguf"}, 78), ({"VV_SUMMARY_CONTEXT": "256"}, 69)],
)
def test_without_a_model_that_can_there_is_no_answer(
    tmp_path: Path, settings: dict[str, str], code: int
) -> None:
    (tmp_path / "request.json").write_text(json.dumps({**REQUEST, "facts": "x " * 2000}))
    model = {"VV_MONITOR_MODEL_FILE": str(write_tiny_gguf(tmp_path / "random.gguf"))}
    result = choose(tmp_path, **{**model, **settings})
    assert result.returncode == code, result.stderr
    assert "→" in result.stderr
    assert not (tmp_path / "answer.json").exists()


def choose(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("VV_")}
    command = [sys.executable, "-m", "summarize_scene.choose"]
    command += [str(folder / "request.json"), str(folder / "answer.json")]
    return subprocess.run(
        command,
        env={**kept, "VV_HOME": str(folder), **settings},
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_request_that_is_not_there_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("VV_HOME", str(tmp_path))
    assert main([str(tmp_path / "none.json"), str(tmp_path / "answer.json")]) == 66
    assert "→" in capsys.readouterr().err
