"""Whether a scene's grammar can write a text: its rules, walked over the text in plain Python."""

from __future__ import annotations

import re
from functools import lru_cache

from summarize_scene.facts import SceneFacts
from summarize_scene.grammar import MAX_SENTENCES, scene_units, text_chunks, title_chunks
from summarize_scene.number_words import Language
from summarize_scene.phrases import capitalise
from summarize_scene.rules_text import Written
from summarize_scene.vocabulary import load_vocabulary

MAX_LINKS = 2
_SEPARATOR = re.compile(r"(?:,)? ")


def is_writable(written: Written, facts: SceneFacts, language: Language) -> bool:
    """Tell whether the grammar of a scene has this title and this text among its strings."""
    units = scene_units(facts, language)
    sentences = re.split(r"(?<=\.) (?=[^a-zà-ÿ])", written.text)
    return (
        len(sentences) <= MAX_SENTENCES
        and _fits(written.title, units, language, 0, title_chunks())
        and all(
            sentence.endswith(".") and _fits(sentence[:-1], units, language, 1, text_chunks())
            for sentence in sentences
        )
    )


def _fits(text: str, units: list[str], language: Language, fewest: int, most: int) -> bool:
    """Walk ``start (sep chunk){fewest,most}``, all readings at once."""
    starts = _chunk_ends(text, 0, units, language, is_first=True)
    places = starts
    for number in range(most + 1):
        if len(text) in places and number >= fewest:
            return True
        following: set[int] = set()
        for place in places:
            separator = _SEPARATOR.match(text, place)
            if separator:
                following |= _chunk_ends(text, separator.end(), units, language, is_first=False)
        places = following
    return False


def _chunk_ends(
    text: str, place: int, units: list[str], language: Language, *, is_first: bool
) -> set[int]:
    """Return where ``(link " "){0,2} content`` from a place may end."""
    links, _ = _words(language)
    ends: set[int] = set()
    for number in range(MAX_LINKS + 1):
        cased = is_first and number == 0
        ends |= _content_ends(text, place, units, language, is_first=cased)
        space = text.find(" ", place)
        word = text[place:space] if space >= 0 else ""
        if word not in {capitalise(link) if cased else link for link in links}:
            break
        place = space + 1
    return ends


def _content_ends(
    text: str, place: int, units: list[str], language: Language, *, is_first: bool
) -> set[int]:
    _, content = _words(language)
    cased = capitalise if is_first else str
    ends = {place + len(unit) for unit in units if text.startswith(cased(unit), place)}
    end = re.compile(r"[ ,]|$").search(text, place)
    word = text[place : end.start()] if end else ""
    if word in content or (
        is_first and word[:1].lower() + word[1:] in content and word[:1].isupper()
    ):
        ends.add(place + len(word))
    return ends


@lru_cache(maxsize=2)
def _words(language: Language) -> tuple[frozenset[str], frozenset[str]]:
    vocabulary = load_vocabulary(language)
    return vocabulary.link_words, vocabulary.content_words
