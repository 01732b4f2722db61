"""The texts that a model learns from: all true, all writable by the grammar, and not one template."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from summarize_scene.facts import SceneFacts
from summarize_scene.grammar import build_grammar
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from summarize_scene.rules_text import Written
from summarize_scene.training.grammar_match import is_writable
from summarize_scene.training.scene_words import word_scene
from summarize_scene.training.scenes import make_scenes
from summarize_scene.training.sentence_shapes import sentence_shapes
from summarize_scene.training.wording import WRITERS, answer_text, compose, draft_text
from summarize_scene.vocabulary import LANGUAGES
from tests.summarize_scene.scenes import label, person, scene
from tests.summarize_scene_training.gbnf_regex import grammar_regex

STREET = scene(label("person", 2, different=3), label("car", 1, 10.0, 20.0))


def scenes(number: int) -> list[SceneFacts]:
    return list(islice(make_scenes(11, held_out=False), number))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_draft_is_right_at_once(language: Language) -> None:
    random = Random(2)
    wrong = []
    for facts in scenes(400):
        draft = draft_text(WRITERS[language], word_scene(facts, language), random)
        if check(draft.title, draft.text, facts, language):
            wrong.append(draft)
    assert len(wrong) <= 4, wrong[:3]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_used_is_checked_and_writable(language: Language) -> None:
    random = Random(3)
    for facts in scenes(150):
        written = compose(facts, language, random)
        assert written is not None
        assert check(written.title, written.text, facts, language) == []
        assert is_writable(written, facts, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_real_grammar_agrees_on_what_can_be_written(language: Language) -> None:
    random = Random(4)
    for facts in scenes(12):
        pattern = grammar_regex(build_grammar(facts, language))
        written = compose(facts, language, random)
        assert written is not None
        assert pattern.fullmatch(answer_text(written)), written


@pytest.mark.parametrize(
    "text",
    [
        "A câmera entrada registrou três pessoas.",
        "A câmera entrada registrou duas pessoas",
        "Câmera de da na entrada.",
        "Duas pessoas fugiram.",
    ],
)
def test_what_the_grammar_cannot_write(text: str) -> None:
    assert not is_writable(Written("Duas pessoas", text), STREET, "pt-BR")


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_scene_is_told_in_many_ways(language: Language) -> None:
    random = Random(5)
    texts = [compose(STREET, language, random) for _ in range(200)]
    assert len({written.title for written in texts if written}) >= 15
    assert len({written.text for written in texts if written}) >= 150


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_shape_of_sentence_rules(language: Language) -> None:
    random = Random(6)
    shapes: Counter[str] = Counter()
    for facts in scenes(300):
        written = compose(facts, language, random)
        assert written is not None
        shapes.update(sentence_shapes(written.text, facts, language))
    assert len(shapes) >= 150
    assert shapes.most_common(1)[0][1] <= 0.1 * shapes.total()


@pytest.mark.parametrize(
    ("facts", "language", "pattern"),
    [
        (scene(label("fire", 1), alerts=("fire",)), "pt-BR", r"^(Atenção|Alerta), "),
        (scene(label("gun", 1), alerts=("gun",)), "en", r"^(Attention|Alert), "),
        (scene(), "pt-BR", "(?i)nada|nenhum|tranquila|vazia|sem "),
        (scene(), "en", "(?i)nothing|no |quiet|empty"),
        (scene(is_complete=False), "pt-BR", "incomplet|interrompid"),
        (scene(label("person", 1), embedded_default=True), "pt-BR", "detector básico"),
        (scene(label("person", 1), embedded_default=True), "en", "basic detector"),
        (scene(names=(person("maria"), person("Dog"))), "en", "Maria.*“Dog”"),
    ],
)
def test_what_a_text_must_say(facts: SceneFacts, language: Language, pattern: str) -> None:
    random = Random(7)
    for _ in range(20):
        written = compose(facts, language, random)
        assert written is not None
        assert re.search(pattern, written.text)


def test_agreement_in_portuguese() -> None:
    random = Random(8)
    one = replace(STREET, labels=(label("person", 1),))
    texts = [compose(one, "pt-BR", random) for _ in range(200)]
    joined = " ".join(written.text for written in texts if written)
    assert not re.search(r"uma pessoa (aparecem|foram|surgem|foi registrado|foi visto)", joined)
    assert "foi registrada" in joined
