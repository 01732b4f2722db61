"""Degenerate output of every kind: cut off anywhere, said twice, in the other language."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from summarize_scene.rules_text import write_rules_text
from summarize_scene.vocabulary import LANGUAGES
from tests.summarize_scene.scenes import label, person, scene
from tests.summarize_scene.strategies import scenes

FACTS = scene(
    label("person", 2, 3.0, 31.0, different=5),
    label("car", 1, 10.0, 12.0),
    names=(person("maria"),),
)


def kinds(title: str, text: str, facts: SceneFacts, language: Language) -> set[str]:
    return {problem.kind for problem in check(title, text, facts, language)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_stops_anywhere_is_refused(language: Language) -> None:
    whole = write_rules_text(FACTS, language)
    words = whole.text.split(" ")
    for end in range(1, len(words)):
        part = " ".join(words[:end])
        if not part.endswith("."):
            assert "cut off" in kinds(whole.title, part, FACTS, language), part


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_that_is_said_twice_is_refused(language: Language) -> None:
    whole = write_rules_text(FACTS, language)
    assert "repeat" in kinds(whole.title, f"{whole.text} {whole.text}", FACTS, language)
    once_more = whole.text.split(". ")[0]
    assert "repeat" in kinds(whole.title, f"{whole.text} {once_more}.", FACTS, language)


@settings(max_examples=100)
@given(scenes(), st.sampled_from(LANGUAGES))
def test_title_and_text_must_both_be_in_the_language(facts: SceneFacts, language: Language) -> None:
    other: Language = "en" if language == "pt-BR" else "pt-BR"
    right, wrong = write_rules_text(facts, language), write_rules_text(facts, other)
    assert check(right.title, right.text, facts, language) == []
    assert check(right.title, wrong.text, facts, language) != []
    if wrong.title != right.title:
        assert check(wrong.title, right.text, facts, language) != []
