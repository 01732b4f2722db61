"""The check that every text passes before it is written: nothing in it that the facts do not hold.

The vocabulary is closed, so what the check does not know, it refuses. In order:

1. length, control characters
2. words: none outside the vocabulary of the language (so no invented thing, person or place)
3. labels: each was seen, in the number that is stated
4. times, lengths and parts of the day: those of the recording, or of what the sentence names
5. words that hold for some scenes only ("nada", "reconhecido", "atenção"): this is such a scene
6. completeness: main labels with their counts, known names, the warning
7. form: whole sentences, no repeats

Which sentences are true of a scene beyond that (who does what to whom) is out of reach of such a
check; the vocabulary therefore has no verbs of action.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from summarize_scene.display import display_person
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.limits import text_limits
from summarize_scene.mentions import (
    ConditionMention,
    LabelMention,
    Mention,
    NameMention,
    OthersMention,
    Stray,
    TotalMention,
)
from summarize_scene.number_words import Language
from summarize_scene.problems import Problem, ProblemKind
from summarize_scene.reading import Reader
from summarize_scene.scene_times import TimeCheck
from summarize_scene.surfaces import surface_key
from summarize_scene.text_quality import check_end, check_repeats, check_sentences
from summarize_scene.vocabulary import PARTS_OF_THE_DAY, load_vocabulary

Sentence = Sequence[Mention]

_STRAY_KINDS: dict[str, ProblemKind] = {
    "word": "word",
    "name": "name",
    "number": "number",
    "character": "character",
    "negation": "negation",
}
_MIN_FOREIGN_WORDS = 2


def check(title: str, text: str, facts: SceneFacts, language: Language) -> list[Problem]:
    """Return everything that is wrong with a title and a text; empty when they may be kept."""
    problems = list(chain(_check_size(title, text), _check_characters(title + text)))
    if problems:
        return problems
    reader = Reader(facts, language)
    in_title, in_text = reader.read(title), reader.read(text)
    sentences = [*in_title, *in_text]
    problems += _check_words(sentences, language)
    for sentence in sentences:
        problems += _check_labels(sentence, facts)
        problems += TimeCheck(facts).check(sentence)
        problems += _check_conditions(sentence, facts, language)
    problems += _check_others(in_title, facts)
    problems += _check_others(in_text, facts)
    problems += _check_complete(sentences, facts)
    problems += check_end(title, language, needs_stop=False)
    problems += check_end(text, language, needs_stop=True)
    problems += check_repeats(title)
    problems += check_repeats(text)
    problems += check_sentences(in_title, need_verb=False)
    problems += check_sentences(in_text, need_verb=True)
    return problems


def _check_size(title: str, text: str) -> Iterator[Problem]:
    limits = text_limits()
    bounds = (
        ("title", title, limits.title_min, limits.title_max),
        ("text", text, limits.text_min, limits.text_max),
    )
    for name, value, shortest, longest in bounds:
        if not value.strip():
            yield Problem("empty", name)
        elif not shortest <= len(value) <= longest:
            yield Problem("length", f"{name} has {len(value)} characters")


def _check_characters(text: str) -> Iterator[Problem]:
    for char in text:
        if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}:
            yield Problem("character", f"U+{ord(char):04X}")


def _check_words(sentences: Iterable[Sentence], language: Language) -> list[Problem]:
    strays = [item for sentence in sentences for item in sentence if isinstance(item, Stray)]
    other = load_vocabulary("en" if language == "pt-BR" else "pt-BR").every_word
    foreign = [stray for stray in strays if stray.words.casefold() in other]
    problems = [Problem(_STRAY_KINDS[stray.kind], repr(stray.words)) for stray in strays]
    if len(foreign) >= _MIN_FOREIGN_WORDS and 2 * len(foreign) >= len(strays):
        problems.insert(0, Problem("language", f"not {language}"))
    return problems


def _check_labels(sentence: Sentence, facts: SceneFacts) -> Iterator[Problem]:
    is_total = any(isinstance(mention, TotalMention) for mention in sentence)
    for mention in sentence:
        if isinstance(mention, LabelMention):
            yield from _check_label(mention, facts, is_total=is_total)


def _check_label(mention: LabelMention, facts: SceneFacts, *, is_total: bool) -> Iterator[Problem]:
    found = [fact for fact in facts.labels if surface_key(fact) in mention.keys]
    faces_by_name = len(_displayed_names(facts)) if "face" in mention.keys else 0
    if not found and not faces_by_name:
        yield Problem("unseen label", repr(mention.words))
    elif mention.number is not None:
        if mention.number not in _true_numbers(mention, found, is_total=is_total):
            yield Problem("count", repr(mention.words))
    elif not mention.is_mass and not _fits_number(mention, found, faces_by_name):
        yield Problem("count", repr(mention.words))


def _true_numbers(
    mention: LabelMention, found: Sequence[LabelFact], *, is_total: bool
) -> set[int | None]:
    if mention.is_mass:
        return {1}
    if is_total or mention.is_different:
        return {fact.different for fact in found}
    return {fact.count for fact in found}


def _fits_number(mention: LabelMention, found: Sequence[LabelFact], faces_by_name: int) -> bool:
    """Tell whether "a pessoa", "as pessoas" without a number fit what was seen."""
    counts = [fact.count for fact in found]
    counts += [1, faces_by_name] if faces_by_name else []
    if mention.is_plural is None or any(fact.type == "motion" for fact in found):
        return True
    return any(count > 1 if mention.is_plural else count == 1 for count in counts)


def _check_conditions(
    sentence: Sentence, facts: SceneFacts, language: Language
) -> Iterator[Problem]:
    for mention in sentence:
        if isinstance(mention, ConditionMention) and not is_condition_true(
            mention.condition, facts, language
        ):
            yield Problem("condition", repr(mention.words))


def is_condition_true(condition: str, facts: SceneFacts, language: Language) -> bool:
    """Tell whether words that need a condition may be used of a scene.

    "throughout" depends on what the sentence names: `TimeCheck` judges it.
    """
    if condition in PARTS_OF_THE_DAY:
        ranges = load_vocabulary(language).hours[condition]
        hours = (facts.start.hour, facts.end.hour)
        return any(start <= hour < end for hour in hours for start, end in ranges)
    truths = {
        "quiet": facts.is_quiet,
        "recognised": bool(facts.names),
        "unrecognised": facts.face is not None and facts.recognition and not facts.names,
        "alert": bool(facts.alerts),
        "embedded": facts.embedded_default,
        "incomplete": not facts.is_complete,
        "throughout": True,
    }
    return truths[condition]


def _check_others(sentences: Sequence[Sentence], facts: SceneFacts) -> Iterator[Problem]:
    """Check "mais 3 tipos de objeto" against what the same text names."""
    mentions = [mention for sentence in sentences for mention in sentence]
    labels = set(chain.from_iterable(m.keys for m in mentions if isinstance(m, LabelMention)))
    names = {m.name for m in mentions if isinstance(m, NameMention)}
    left = {
        "kinds": len({surface_key(fact) for fact in facts.objects} - labels),
        "names": len(_displayed_names(facts) - names),
    }
    for mention in mentions:
        if isinstance(mention, OthersMention) and mention.number != left[mention.what]:
            yield Problem("number", f"{mention.number} more {mention.what}")


def _check_complete(sentences: Sequence[Sentence], facts: SceneFacts) -> Iterator[Problem]:
    mentions = [mention for sentence in sentences for mention in sentence]
    labels = [mention for mention in mentions if isinstance(mention, LabelMention)]
    for key in dict.fromkeys(surface_key(fact) for fact in facts.main_labels):
        counts = {fact.count for fact in facts.main_labels if surface_key(fact) == key}
        if not any(_states_count(mention, key, counts) for mention in labels):
            yield Problem("missing label", repr(key))
    named = {mention.name for mention in mentions if isinstance(mention, NameMention)}
    for fact in facts.main_names:
        if display_person(fact.name).text not in named:
            yield Problem("missing name", repr(display_person(fact.name).text))
    warnings = (m.condition == "alert" for m in mentions if isinstance(m, ConditionMention))
    if facts.alerts and not any(warnings):
        yield Problem("missing warning", ", ".join(map(repr, facts.alerts[:3])))


def _states_count(mention: LabelMention, key: str, counts: set[int]) -> bool:
    if key not in mention.keys:
        return False
    number = mention.number
    if number is None and not mention.is_plural:
        number = 1
    return mention.is_mass or key == "motion" or number in counts


def _displayed_names(facts: SceneFacts) -> set[str]:
    return {display_person(fact.name).text for fact in facts.names}
