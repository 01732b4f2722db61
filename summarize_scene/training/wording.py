"""Texts about scenes as people write them, in many shapes, each one checked before it is used.

A text is composed of sentences, a sentence of clauses, each with several shapes; which ones fit depends
on the scene. Everything passes `grounding.check` and can be written by the scene's grammar.
"""

from __future__ import annotations

import json
from random import Random
from typing import Protocol

from summarize_scene.facts import SceneFacts
from summarize_scene.grounding import check
from summarize_scene.number_words import Language
from summarize_scene.rules_text import Written
from summarize_scene.training.grammar_match import is_writable
from summarize_scene.training.scene_words import SceneWords, word_scene
from summarize_scene.training.wording_en import EnglishWriter
from summarize_scene.training.wording_pt import PortugueseWriter

MAX_TRIES = 12
MAX_TITLE_CHARS = 100


class Writer(Protocol):
    """Writes about scenes in one language."""

    def title(self, words: SceneWords, random: Random) -> str:
        """Return a title."""

    def sentences(self, words: SceneWords, random: Random) -> list[str]:
        """Return one to three sentences, without their full stops."""


WRITERS: dict[Language, Writer] = {"pt-BR": PortugueseWriter(), "en": EnglishWriter()}


def compose(facts: SceneFacts, language: Language, random: Random) -> Written | None:
    """Return a title and a text about a scene; None when none of several drafts is right."""
    words = word_scene(facts, language)
    writer = WRITERS[language]
    for _ in range(MAX_TRIES):
        draft = draft_text(writer, words, random)
        if len(draft.title) > MAX_TITLE_CHARS or not is_writable(draft, facts, language):
            continue
        if not check(draft.title, draft.text, facts, language):
            return draft
    return None


def draft_text(writer: Writer, words: SceneWords, random: Random) -> Written:
    """Return a title and a text that nobody has checked."""
    sentences = writer.sentences(words, random)
    text = " ".join(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in sentences)
    title = writer.title(words, random)
    return Written(title[:1].upper() + title[1:], text)


def answer_text(written: Written) -> str:
    """Return an answer as the grammar writes it."""
    document = {"title": written.title, "text": written.text}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
