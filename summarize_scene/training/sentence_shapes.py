"""The shape of a sentence: what is left of it when its facts are taken out."""

from __future__ import annotations

import re

from summarize_scene.facts import SceneFacts
from summarize_scene.mentions import (
    ClockMention,
    ConditionMention,
    LabelMention,
    LengthMention,
    Mark,
    Mention,
    NameMention,
    PlainWord,
)
from summarize_scene.number_words import Language
from summarize_scene.reading import Reader

_LIST = re.compile(r"(LABEL|NAME)(?: (?:,|e|and|também|also)+ \1)+")


def sentence_shapes(text: str, facts: SceneFacts, language: Language) -> list[str]:
    """Return the shape of each sentence: "a CAMERA registrou LABELS CLOCK", lists as one."""
    camera = facts.camera.casefold()
    return [
        _LIST.sub(r"\1S", " ".join(_slot(mention, camera) for mention in sentence))
        for sentence in Reader(facts, language).read(text)
    ]


def _slot(mention: Mention, camera: str) -> str:
    if isinstance(mention, PlainWord):
        return "CAMERA" if " " in mention.word and camera else mention.word
    if isinstance(mention, Mark):
        return mention.text
    if isinstance(mention, ConditionMention):
        return mention.condition
    names = {
        LabelMention: "LABEL",
        NameMention: "NAME",
        ClockMention: "CLOCK",
        LengthMention: "LENGTH",
    }
    return names.get(type(mention), type(mention).__name__)
