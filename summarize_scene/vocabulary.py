"""The closed vocabulary of a language, read from ``lexicon/<language>.yaml``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import yaml

from summarize_scene.number_words import Gender, Language, number_tokens

LANGUAGES: tuple[Language, ...] = ("pt-BR", "en")
PARTS_OF_THE_DAY = ("night", "morning", "afternoon", "evening")

_FOLDER = Path(__file__).resolve().parent / "lexicon"
_LINK_CLASSES = ("articles", "contractions", "prepositions", "conjunctions")
_CONTENT_CLASSES = ("verbs", "nouns", "others")

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """One way to name a label.

    Attributes:
        one: singular, lower case; may have several words.
        many: plural; empty for a mass noun, which is never counted.
        gender: grammatical gender (Portuguese).
        article: indefinite article (English).
    """

    one: str
    many: str
    gender: Gender = "m"
    article: str = "a"

    @property
    def is_mass(self) -> bool:
        """Whether it is never counted."""
        return not self.many


@dataclass(frozen=True)
class Vocabulary:
    """Every word that a summary in one language may hold.

    Attributes:
        labels: canonical label to its forms, the preferred one first.
        unknown: the noun for a label that the lexicon does not name.
        unknown_links: phrases that may stand between that noun and the quoted label.
        words: word to its class (articles, verbs, nouns…).
        conditions: condition to the phrases that hold only where it is true.
        hours: part of the day to its ranges of local hours, from (included) to (excluded).
        units: length of a unit of time in seconds to its singular and plural.
        unit_gender: length of a unit to its grammatical gender.
    """

    language: Language
    labels: Mapping[str, tuple[Form, ...]]
    unknown: Form
    unknown_links: tuple[Phrase, ...]
    alert_labels: frozenset[str]
    words: Mapping[str, str]
    camera_words: frozenset[str]
    units: Mapping[int, tuple[str, str]]
    unit_gender: Mapping[int, Gender]
    position_words: frozenset[str]
    total_markers: tuple[Phrase, ...]
    different_words: frozenset[str]
    other_kinds: tuple[Phrase, ...]
    other_names: tuple[Phrase, ...]
    and_more: str
    conditions: Mapping[str, tuple[Phrase, ...]]
    hours: Mapping[str, tuple[tuple[int, int], ...]]
    negations: frozenset[str]
    dangling: frozenset[str]

    def form_of(self, label: str) -> Form | None:
        """Return the preferred form of a label of an analytic; None when it is not in the lexicon."""
        forms = self.labels.get(canonical_label(label))
        return forms[0] if forms else None

    def words_of(self, *classes: str) -> frozenset[str]:
        """Return the plain words of some classes."""
        return frozenset(word for word, kind in self.words.items() if kind in classes)

    @cached_property
    def link_words(self) -> frozenset[str]:
        """Words that need another word after them: articles, prepositions, conjunctions."""
        return self.words_of(*_LINK_CLASSES)

    @cached_property
    def content_words(self) -> frozenset[str]:
        """Verbs, nouns and the rest."""
        return self.words_of(*_CONTENT_CLASSES)

    @cached_property
    def every_word(self) -> frozenset[str]:
        """Every single word of this vocabulary."""
        return frozenset(self._tokens())

    def _tokens(self) -> Iterator[str]:
        yield from self.words
        for forms in self.labels.values():
            for form in forms:
                yield from (*form.one.split(), *form.many.split())
        yield from (self.unknown.one, self.unknown.many, self.and_more)
        for phrases in (self.total_markers, self.other_kinds, self.other_names, self.unknown_links):
            yield from (word for phrase in phrases for word in phrase)
        for phrases in self.conditions.values():
            yield from (word for phrase in phrases for word in phrase)
        for names in self.units.values():
            yield from names
        yield from (*self.different_words, *self.negations, *self.camera_words)


def canonical_label(label: str) -> str:
    """Return a detector's label as the lexicon spells it: lower case, single spaces."""
    return " ".join(label.casefold().replace("_", " ").split())


@lru_cache(maxsize=2)
def load_vocabulary(language: Language) -> Vocabulary:
    """Return the vocabulary of a language; read once a process."""
    text = (_FOLDER / f"{language}.yaml").read_text("utf-8")
    # The same loader in C, where PyYAML was built with it: ten times faster.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    raw = yaml.load(text, Loader=loader)  # noqa: S506 - one of the two safe loaders
    return _parse(language, cast("dict[str, Any]", raw))


@lru_cache(maxsize=1)
def reserved_words() -> frozenset[str]:
    """Return all words of all vocabularies, case-folded: a name made of one must be quoted."""
    own = (word for language in LANGUAGES for word in load_vocabulary(language).every_word)
    return frozenset(
        part for word in (*own, *number_tokens()) for part in _with_parts(word.casefold())
    )


def _with_parts(word: str) -> list[str]:
    return [word, *re.split(r"[-’']", word)]


def _parse(language: Language, raw: dict[str, Any]) -> Vocabulary:
    unknown = raw["unknown_label"]
    words = {word: kind for kind, text in raw["words"].items() for word in text.split()}
    return Vocabulary(
        language=language,
        labels={
            label: tuple(_form(language, *form) for form in forms)
            for label, forms in raw["labels"].items()
        },
        unknown=_form(language, unknown["one"], unknown["many"], unknown["gender"]),
        unknown_links=_phrases(unknown["before"]),
        alert_labels=frozenset(raw["alert_labels"]),
        words=words,
        camera_words=frozenset(raw["camera_words"].split()),
        units={length: _pair(names) for length, names in raw["units"].items()},
        unit_gender=raw["unit_gender"],
        position_words=frozenset(raw["position_words"].split()),
        total_markers=_phrases(raw["total_markers"]),
        different_words=frozenset(raw["different_words"].split()),
        other_kinds=_phrases(raw["other_kinds"]),
        other_names=_phrases(raw["other_names"]),
        and_more=raw["and_more"],
        conditions={name: _phrases(phrases) for name, phrases in raw["conditions"].items()},
        hours={
            part: tuple((start, end) for start, end in ranges)
            for part, ranges in raw["hours"].items()
        },
        negations=frozenset(raw["negations"].split()),
        dangling=frozenset(raw["dangling"].split()),
    )


def _form(language: Language, one: str, many: str, mark: str) -> Form:
    if language == "pt-BR":
        return Form(one, many, gender=cast("Gender", mark))
    return Form(one, many, article=mark)


def _phrases(texts: list[str]) -> tuple[Phrase, ...]:
    return tuple(tuple(text.split()) for text in texts)


def _pair(names: str) -> tuple[str, str]:
    one, many = names.split()
    return one, many
