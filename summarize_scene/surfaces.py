"""Which words stand for which fact: shared by the writer, the grammar and the check."""

from __future__ import annotations

from collections.abc import Iterable

from summarize_scene.display import display_label
from summarize_scene.facts import LabelFact
from summarize_scene.number_words import Language, spell
from summarize_scene.vocabulary import Form, Vocabulary, canonical_label, load_vocabulary


def surface_key(fact: LabelFact) -> str:
    """Return what a reader cannot tell apart: the lexicon's label, or an unknown label as shown.

    Two labels of an analytic with one key ("Person" and "person") are one thing in a text.
    """
    if fact.type != "object":
        return fact.type
    label = canonical_label(fact.label)
    return label if label in load_vocabulary("en").labels else display_label(fact.label).text


def one_per_surface(facts: Iterable[LabelFact]) -> list[LabelFact]:
    """Return the facts without those that a text would repeat; the highest count is kept."""
    best: dict[str, LabelFact] = {}
    for fact in facts:
        key = surface_key(fact)
        if key not in best or fact.count > best[key].count:
            best[key] = fact
    return list(best.values())


def form_and_suffix(fact: LabelFact, vocabulary: Vocabulary) -> tuple[Form, str]:
    """Return the noun for a fact and what follows it (the quoted label, when it is unknown)."""
    label = fact.type if fact.type != "object" else fact.label
    form = vocabulary.form_of(label)
    if form is not None:
        return form, ""
    link = " ".join(vocabulary.unknown_links[0])
    return vocabulary.unknown, f" {link} {display_label(fact.label)}"


def counted(number: int, form: Form, language: Language) -> str:
    """Return "duas pessoas", "a person", "movimento" (never counted)."""
    if form.is_mass:
        return form.one
    if number == 1:
        article = spell(1, language, form.gender) if language == "pt-BR" else form.article
        return f"{article} {form.one}"
    return f"{spell(number, language, form.gender)} {form.many}"


def counted_fact(fact: LabelFact, language: Language, number: int | None = None) -> str:
    """Return a fact with its count, or with another number, as a text holds it."""
    form, suffix = form_and_suffix(fact, load_vocabulary(language))
    return counted(fact.count if number is None else number, form, language) + suffix


def counted_different(number: int, form: Form, language: Language) -> str:
    """Return "três pessoas diferentes", "three different people"."""
    text = counted(number, form, language)
    if language == "pt-BR":
        return f"{text} diferentes"
    first, rest = text.split(" ", 1)
    return f"{first} different {rest}"
