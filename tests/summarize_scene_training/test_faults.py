"""Made-up faults: seeded, of every kind, right by the same measure, and apart from what is asked later."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from summarize_scene.choose import MAX_FACTS_CHARS
from summarize_scene.training.faults import phrases
from summarize_scene.training.faults.examples import make_examples
from summarize_scene.training.faults.kinds import WEIGHTS
from summarize_scene.training.faults.phrases import Phrasing
from summarize_scene.training.faults.situations import MadeUp, make_situations
from vv_core.monitor.ask_model import parse_answer, situation_text
from vv_core.monitor.proposal import Action, Diagnosis
from vv_core.monitor.recorded import RECORDED, load_cases
from vv_core.monitor.rules import propose_by_rules

COUNT = 4000
PATTERN = 3


@pytest.fixture(scope="module")
def made() -> list[MadeUp]:
    return list(islice(make_situations(11, held_out=False), COUNT))


@pytest.fixture(scope="module")
def held_out() -> list[MadeUp]:
    return list(islice(make_situations(12, held_out=True), COUNT))


def test_the_same_seed_gives_the_same_situations(made: list[MadeUp]) -> None:
    assert made[:300] == list(islice(make_situations(11, held_out=False), 300))
    assert made[:300] != list(islice(make_situations(10, held_out=False), 300))


@pytest.mark.parametrize("kind", ["made", "held_out"])
def test_every_kind_comes_and_the_rules_know_none(
    kind: str, request: pytest.FixtureRequest
) -> None:
    found: list[MadeUp] = request.getfixturevalue(kind)
    assert {it.kind for it in found} == {function.__name__.lstrip("_") for function in WEIGHTS}
    assert all(propose_by_rules(it.situation) is None for it in found)
    assert {it.action for it in found} == set(Action)
    assert max(Counter(it.action for it in found).values()) < 0.65 * len(found)


def test_the_right_action_fits_the_facts(made: list[MadeUp], held_out: list[MadeUp]) -> None:
    for it in [*made, *held_out]:
        situation = it.situation
        if it.action is Action.ROLL_BACK_MODEL:
            assert situation.kinds_with_way_back
            assert it.diagnosis is Diagnosis.MODEL_FAULT
            assert len(situation.log) >= PATTERN
        if it.action is Action.RAISE_MEMORY:
            assert sum(fact.exit_code == 137 for fact in situation.log) >= PATTERN
        if it.action is Action.REQUEUE:
            assert len(situation.quarantine) > 1
        if it.action is Action.RESTART:
            assert situation.containers or len(situation.log) >= PATTERN
        if it.action is Action.CLEAR_CACHE:
            assert sum("compiled network" in fact.message for fact in situation.log) >= PATTERN
        if any(fact.condition.startswith("restarting") for fact in situation.containers):
            assert it.action is Action.ESCALATE


@pytest.mark.parametrize("number", range(len(phrases.ALL)))
def test_no_wording_is_learned_and_asked(number: int) -> None:
    phrasing = phrases.ALL[number]
    assert phrasing.training
    assert phrasing.held_out
    assert len({*phrasing.training, *phrasing.held_out}) == len(phrasing.training) + len(
        phrasing.held_out
    )
    for learned in filter(None, phrasing.training):
        assert not any(learned in asked or asked in learned for asked in phrasing.held_out)


def test_every_list_of_wordings_is_looked_at() -> None:
    found = [value for value in vars(phrases).values() if isinstance(value, Phrasing)]
    assert len(found) == len(phrases.ALL)


def test_no_text_is_learned_and_asked(made: list[MadeUp], held_out: list[MadeUp]) -> None:
    learned = {situation_text(it.situation) for it in made}
    asked = {situation_text(it.situation) for it in held_out}
    recorded = {situation_text(case.situation) for case in load_cases(RECORDED)}
    assert not learned & asked
    assert not learned & recorded


def test_an_answer_is_one_that_the_monitor_reads() -> None:
    import json

    for example in islice(make_examples(1), 200):
        assert example.prompt.endswith("\n\n")
        assert len(example.prompt) <= MAX_FACTS_CHARS + 2
        proposal = parse_answer({"choice": json.loads(example.answer), "model": "m"})
        assert not proposal.is_of_rules
