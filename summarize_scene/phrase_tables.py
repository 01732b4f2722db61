"""Look-up of the longest known phrase at a place in a text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from summarize_scene.number_words import Language, number_phrases
from summarize_scene.vocabulary import Phrase, load_vocabulary

Payload = TypeVar("Payload")


class PhraseTable(Generic[Payload]):
    """Phrases, each with what it stands for."""

    def __init__(self, entries: Iterable[tuple[Phrase, Payload]]) -> None:
        by_first: dict[str, list[tuple[Phrase, Payload]]] = defaultdict(list)
        for phrase, payload in entries:
            by_first[phrase[0]].append((phrase, payload))
        for found in by_first.values():
            found.sort(key=lambda entry: -len(entry[0]))
        self._by_first = dict(by_first)

    def longest(self, words: Sequence[str]) -> tuple[int, Payload] | None:
        """Return the length and the meaning of the longest phrase that ``words`` begin with."""
        for phrase, payload in self._by_first.get(words[0], ()) if words else ():
            if tuple(words[: len(phrase)]) == phrase:
                return len(phrase), payload
        return None


@dataclass(frozen=True)
class LabelWords:
    """What the words of a label mean.

    Attributes:
        keys: the labels that they may stand for.
        is_plural: None where singular and plural are the same.
        is_mass: never counted.
        is_different: they say that different ones are meant ("objetos diferentes do tipo “x”").
    """

    keys: frozenset[str]
    is_plural: bool | None
    is_mass: bool
    is_different: bool = False


@lru_cache(maxsize=2)
def label_table(language: Language) -> PhraseTable[LabelWords]:
    """Return all words of all labels of the lexicon."""
    uses: dict[Phrase, list[tuple[str, bool, bool]]] = defaultdict(list)
    for label, forms in load_vocabulary(language).labels.items():
        for form in forms:
            uses[tuple(form.one.split())].append((label, False, form.is_mass))
            if not form.is_mass:
                uses[tuple(form.many.split())].append((label, True, False))
    return PhraseTable((phrase, _label_words(found)) for phrase, found in uses.items())


def _label_words(uses: Sequence[tuple[str, bool, bool]]) -> LabelWords:
    numbers = {is_plural for _, is_plural, _ in uses}
    return LabelWords(
        keys=frozenset(label for label, _, _ in uses),
        is_plural=numbers.pop() if len(numbers) == 1 else None,
        is_mass=any(is_mass for _, _, is_mass in uses),
    )


@lru_cache(maxsize=2)
def condition_table(language: Language) -> PhraseTable[str]:
    """Return the phrases that hold for some scenes only, with their condition."""
    conditions = load_vocabulary(language).conditions
    return PhraseTable(
        (phrase, condition) for condition, phrases in conditions.items() for phrase in phrases
    )


@lru_cache(maxsize=2)
def number_table(language: Language) -> PhraseTable[int]:
    """Return the numbers in words."""
    return PhraseTable(number_phrases(language).items())


@lru_cache(maxsize=2)
def unit_table(language: Language) -> PhraseTable[int]:
    """Return the names of units of time, with their length in seconds."""
    units = load_vocabulary(language).units
    return PhraseTable(((name,), length) for length, names in units.items() for name in names)
