"""The grammar of a scene, read by a small matcher of our own; llama.cpp's is in the integration tests."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from summarize_scene.facts import SceneFacts
from summarize_scene.grammar import alternatives, build_grammar, literal, scene_units
from summarize_scene.grounding import check
from summarize_scene.mentions import Stray
from summarize_scene.number_words import Language
from summarize_scene.phrases import capitalise
from summarize_scene.reading import Reader
from summarize_scene.vocabulary import LANGUAGES
from tests.summarize_scene.scenes import label, person, scene
from tests.summarize_scene.strategies import scenes

FACTS = scene(
    label("person", 2, different=5, is_throughout=True),
    label("umbrella", 1, 4.0, 4.5),
    label("pallet_jack", 3),
    label("smoke", 1),
    label("face", 1, type="face"),
    label("motion", 2, type="motion"),
    names=(person("maria"), person("Dog")),
    alerts=("smoke",),
)


def expand(expression: str) -> set[str]:
    """Return every text that an expression of literals, "|" and brackets matches."""
    texts, rest = _alternatives(expression)
    assert rest == ""
    return texts


def _alternatives(rest: str) -> tuple[set[str], str]:
    found: set[str] = set()
    while True:
        head, rest = _sequence(rest)
        found |= head
        if not rest.startswith(" | "):
            return found, rest
        rest = rest[3:]


def _sequence(rest: str) -> tuple[set[str], str]:
    assert rest.startswith('"')
    end = rest.index('"', 1)
    head, rest = rest[1:end], rest[end + 1 :]
    if not rest.startswith(" ("):
        return {head}, rest
    tails, rest = _alternatives(rest[2:])
    assert rest.startswith(")")
    return {head + tail for tail in tails}, rest[1:]


@given(st.sets(st.text("abçã -“”👮", min_size=1, max_size=6), min_size=1, max_size=30))
def test_a_trie_matches_exactly_its_texts(texts: set[str]) -> None:
    assert expand(alternatives(texts)) == texts


def test_literals_are_escaped_for_json_and_for_gbnf() -> None:
    assert literal("a") == '"a"'
    assert literal('"') == r'"\\\""'
    assert literal("\\") == r'"\\\\"'


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_is_true_of_its_scene(language: Language) -> None:
    reader = Reader(FACTS, language)
    for unit in scene_units(FACTS, language):
        mentions = [mention for sentence in reader.read(unit) for mention in sentence]
        assert not [mention for mention in mentions if isinstance(mention, Stray)], unit
        wrong = [
            p for p in check(unit, f"{unit}.", FACTS, language) if p.kind in {"count", "condition"}
        ]
        assert not wrong, unit


FORM = {
    "missing label",
    "missing name",
    "missing warning",
    "degenerate",
    "length",
    "repeat",
    "cut off",
}


def faults(text: str, facts: SceneFacts, language: Language) -> set[str]:
    """Return what is not true in a text; whether it is a whole text does not matter here."""
    return {str(problem.kind) for problem in check(text[:100], f"{text}.", facts, language)} - FORM


@settings(max_examples=25)
@given(scenes(), st.sampled_from(LANGUAGES))
def test_the_check_accepts_whatever_the_grammar_offers(
    facts: SceneFacts, language: Language
) -> None:
    """Times of a label are true beside that label: those must be accepted there."""
    units = scene_units(facts, language)
    things = [unit for unit in units if not faults(unit, facts, language)]
    for unit in units:
        alone = faults(unit, facts, language)
        assert alone <= {"time"}, unit
        assert faults(capitalise(unit), facts, language) == alone
        if alone:
            beside = (faults(f"{thing} {unit}", facts, language) for thing in things)
            assert any(not kinds for kinds in beside), unit


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Cinco objetos diferentes do tipo “pallet jack” aparecem.", "pt-BR"),
        ("Cinco objetos do tipo “pallet jack” diferentes aparecem.", "pt-BR"),
        ("Five different objects labelled “pallet jack” appear.", "en"),
    ],
)
def test_different_ones_of_an_unknown_label(text: str, language: Language) -> None:
    facts = scene(label("pallet_jack", 2, different=5))
    title = {
        "pt-BR": "Dois objetos do tipo “pallet jack”",
        "en": "Two objects labelled “pallet jack”",
    }
    assert check(title[language], text, facts, language) == []
    few = text.replace("Cinco", "Quatro").replace("Five", "Four")
    assert [problem.kind for problem in check(title[language], few, facts, language)] == ["count"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_units_name_what_was_seen(language: Language) -> None:
    units = set(scene_units(FACTS, language))
    expected: dict[Language, set[str]] = {
        "pt-BR": {
            "duas pessoas",
            "até 2 indivíduos",
            "cinco pessoas diferentes",
            "o guarda-chuva",
            "três objetos do tipo “pallet jack”",
            "fumaça",
            "Maria",
            "“Dog”",
            "câmera entrada",
            "no instante 0:04 do vídeo",
            "atenção",
            "durante todo o vídeo",
        },
        "en": {
            "two people",
            "up to 2 persons",
            "five different people",
            "the umbrella",
            "three objects labelled “pallet jack”",
            "smoke",
            "Maria",
            "camera entrada",
            "at 0:04 of the video",
            "attention",
            "throughout the video",
        },
    }
    assert expected[language] <= units


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_unseen_is_in_the_grammar(language: Language) -> None:
    grammar = build_grammar(scene(label("car", 1)), language)
    for word in (
        "gato",
        "cat",
        "pessoa",
        "people",
        "arma",
        "gun",
        "fogo",
        "fire",
        "nada",
        "nothing",
    ):
        assert f'"{word}"' not in grammar
    assert "duas" not in grammar
    assert "two" not in grammar


def test_the_lengths_come_from_the_schema() -> None:
    grammar = build_grammar(scene(), "en")
    assert "title ::= start (sep chunk){0,10}" in grammar
    assert "text ::= sentence" in grammar
