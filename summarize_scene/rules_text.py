"""The rule-based text: a title and one to four sentences that state the facts, and nothing else.

It is what a box without a model shows, and what every text of a model falls back to.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from summarize_scene.display import display_person
from summarize_scene.facts import LabelFact, NameFact, SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.phrases import Phrases, Shape, capitalise, decapitalise, list_seen, span
from summarize_scene.phrases_en import EnglishPhrases
from summarize_scene.phrases_pt import PortuguesePhrases
from summarize_scene.surfaces import counted_fact, one_per_surface, surface_key

MAX_TITLE_CHARS = 100
MAX_TEXT_CHARS = 1000
_SHORT_CLIP_S = 3.0

_BOOKS: dict[Language, Phrases] = {"pt-BR": PortuguesePhrases(), "en": EnglishPhrases()}


@dataclass(frozen=True)
class Written:
    """A title and a text."""

    title: str
    text: str


def write_rules_text(facts: SceneFacts, language: Language) -> Written:
    """Return the title and the text that the facts alone give."""
    book = _BOOKS[language]
    fitting = (title for title in _titles(facts, book) if len(title) <= MAX_TITLE_CHARS)
    return Written(next(fitting), _fit(_sentences(facts, book)))


def _titles(facts: SceneFacts, book: Phrases) -> Iterator[str]:
    """Yield titles from the richest to the shortest; the last one always fits."""
    finish = book.warning if facts.alerts else capitalise
    place, at = book.place(facts), book.at(facts)
    main = [counted_fact(fact, book.language) for fact in one_per_surface(facts.main_labels)]
    if facts.embedded_default and facts.objects:
        main[0] = book.hedge(main[0])
    names = _shown_names(facts.main_names)
    if names and main:
        for amount in (2, 1):
            yield finish(f"{book.join(names[:amount])} {place}: {book.join(main[:2])}")
    subjects = main or names or [book.title_quiet()]
    for amount in (2, 1):
        yield finish(f"{book.join(subjects[:amount])} {place} {at}")
    yield finish(f"{subjects[0]} {place}")
    yield finish(subjects[0])


def _fit(sentences: Sequence[str]) -> str:
    """Join sentences, leaving out the last ones that are too long together."""
    text = ""
    for sentence in sentences:
        longer = f"{text} {sentence}.".strip()
        text = longer if len(longer) <= MAX_TEXT_CHARS else text
    return text


def _sentences(facts: SceneFacts, book: Phrases) -> list[str]:
    """Return the sentences in their order; what must be said comes first."""
    if facts.is_quiet:
        sentences = [book.quiet(facts)]
    else:
        sentences = [_opening(facts, book), _when(facts, book), _people(facts, book)]
    if not facts.is_complete:
        sentences.append(book.incomplete())
    return [sentence for sentence in sentences if sentence]


def _opening(facts: SceneFacts, book: Phrases) -> str:
    shown = one_per_surface(facts.main_labels)
    if not shown:
        return ""
    if facts.embedded_default and facts.motion is not None and facts.objects:
        shown = one_per_surface([*shown, facts.motion])
    keys = {surface_key(fact) for fact in shown}
    others = len({surface_key(fact) for fact in facts.objects} - keys)
    text = book.opening(facts, list_seen(shown, others, book), _shape(facts))
    return book.warning(decapitalise(text)) if facts.alerts else text


def _shape(facts: SceneFacts) -> Shape:
    """Vary the opening from clip to clip, the same way each time for one clip."""
    seed = f"{facts.start.isoformat()}{facts.camera}".encode("utf-8", "replace")
    return Shape(zlib.crc32(seed) % len(Shape))


def _when(facts: SceneFacts, book: Phrases) -> str:
    shown = one_per_surface(facts.main_labels)
    if not shown or facts.duration_s < _SHORT_CLIP_S:
        return ""
    lead = shown[0]
    if lead.different is not None and lead.different > lead.count:
        return book.total(lead)
    together = [fact for fact in shown[:2] if _times_of(fact) == _times_of(lead)]
    apart = [fact for fact in shown[:2] if fact not in together]
    return book.when(together, apart[0] if apart else None)


def _times_of(fact: LabelFact) -> object:
    return "throughout" if fact.is_throughout else span(fact)


def _people(facts: SceneFacts, book: Phrases) -> str:
    names = _shown_names(facts.main_names)
    if names:
        return book.named(names, len(_shown_names(facts.names)) - len(names))
    if facts.face is None or facts.face in facts.main_labels:
        return ""
    return book.faces(facts.face, unrecognised=facts.recognition)


def _shown_names(facts: Iterable[NameFact]) -> list[str]:
    """Return names as they are written, each once."""
    return list(dict.fromkeys(str(display_person(fact.name)) for fact in facts))
