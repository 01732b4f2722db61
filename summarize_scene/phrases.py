"""What the rule-based text needs of a language."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Protocol

from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.surfaces import counted_fact
from summarize_scene.times import position_text


class Shape(IntEnum):
    """Where the opening sentence says how long the video is."""

    NO_LENGTH = 0
    LENGTH_FIRST = 1
    LENGTH_LAST = 2


class Phrases(Protocol):
    """The sentences of one language. Each method returns text without a final full stop."""

    language: Language

    def place(self, facts: SceneFacts) -> str:
        """Return "na câmera Entrada", or words for a recording without a camera."""

    def at(self, facts: SceneFacts) -> str:
        """Return "às 14h05"."""

    def title_quiet(self) -> str:
        """Return the subject of a title when nothing was seen."""

    def hedge(self, text: str) -> str:
        """Return the subject of a title as something that the basic detector only indicates."""

    def warning(self, text: str) -> str:
        """Return the text with a warning before it."""

    def opening(self, facts: SceneFacts, seen: str, shape: Shape) -> str:
        """Return the sentence that says what was seen, where and when."""

    def quiet(self, facts: SceneFacts) -> str:
        """Return the sentence for a clip in which nothing was seen."""

    def total(self, fact: LabelFact) -> str:
        """Return the sentence that tells how many different ones there were, and when."""

    def when(self, first: Sequence[LabelFact], second: LabelFact | None) -> str:
        """Return the sentence that tells when things are seen; ``first`` share their times."""

    def named(self, names: Sequence[str], more: int) -> str:
        """Return the sentence that names recognised people."""

    def faces(self, fact: LabelFact, *, unrecognised: bool) -> str:
        """Return the sentence about faces without names."""

    def incomplete(self) -> str:
        """Return the sentence that tells that the video was cut off."""

    def others(self, number: int) -> str:
        """Return "mais 3 tipos de objeto"."""

    def up_to(self, text: str) -> str:
        """Return a count as the most at one time."""

    def at_once(self, text: str) -> str:
        """Return text with "at the same time"."""

    def join(self, items: Sequence[str]) -> str:
        """Return a list as language joins it."""


def join_items(items: Sequence[str], joint: str) -> str:
    """Return "a, b and c"."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def capitalise(text: str) -> str:
    """Return text with its first letter upper-case and the rest as it is."""
    return text[:1].upper() + text[1:]


def decapitalise(text: str) -> str:
    """Return text with its first letter lower-case and the rest as it is."""
    return text[:1].lower() + text[1:]


def span(fact: LabelFact) -> tuple[str, str]:
    """Return where in the clip something is first and last seen."""
    return position_text(fact.first_seen), position_text(fact.last_seen)


def list_seen(facts: Sequence[LabelFact], others: int, book: Phrases) -> str:
    """Return "até duas pessoas, um carro e mais 3 tipos de objeto".

    Counts are peaks: the first that is above one is marked as such, and holds for the rest.
    """
    items = []
    is_marked = False
    for fact in facts:
        item = counted_fact(fact, book.language)
        if fact.count > 1 and not is_marked and fact.type != "motion":
            item, is_marked = book.up_to(item), True
        items.append(item)
    if others:
        items.append(book.others(others))
    text = book.join(items)
    return book.at_once(text) if is_marked and len(items) == 1 else text
