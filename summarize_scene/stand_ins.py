"""Stand-ins for names: our own small model never sees a name that somebody chose.

A camera, a person or a label of own weights may be called anything, and a small model copies an unknown
word badly. So the facts reach it with stand-ins ("Xcam", "Xalfa"), the grammar admits only those, and the
names are put in their place afterwards, in code. Nothing that stands in a name can steer the model, and
each name comes out letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from summarize_scene.display import display_camera, display_label, display_person
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.vocabulary import canonical_label, load_vocabulary

CAMERA = "Xcam"
_LETTERS = ("alfa", "beta", "gama", "delta", "eta", "iota", "kapa", "lambda", "mi", "ni")
"""Greek letters as the languages share them; more are made by putting two together."""


@dataclass(frozen=True)
class Disguise:
    """Facts with stand-ins, and what each stands for.

    Attributes:
        facts: for the prompt and the grammar.
        names: what a text holds in the place of each stand-in.
    """

    facts: SceneFacts
    names: Mapping[str, str]

    def restore(self, text: str) -> str:
        """Return a text (or the JSON that holds it) with the names in their places.

        One pass: a name that looks like a stand-in is not replaced again.
        """
        if not self.names:
            return text
        longest_first = sorted(self.names, key=len, reverse=True)
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, longest_first))})\b")
        return pattern.sub(lambda found: self.names[found.group()], text)


def disguise(facts: SceneFacts) -> Disguise:
    """Return a scene's facts with stand-ins for camera, people and labels that the lexicon lacks.

    What a text would write in the same way gets the same stand-in. No name holds a character that JSON
    would escape (see `display`), so that `Disguise.restore` may be used on either.
    """
    stand_ins: dict[str, str] = {}
    names: dict[str, str] = {}
    camera = display_camera(facts.camera)
    if camera.text:
        names[CAMERA] = str(camera)
    letters = _letters()
    for name in facts.names:
        shown = str(display_person(name.name))
        if shown not in stand_ins:
            stand_ins[shown] = f"X{next(letters)}"
            names[stand_ins[shown]] = shown
    labels = _disguise_labels(facts.labels, names)
    return Disguise(
        replace(
            facts,
            camera=CAMERA if camera.text else "",
            names=tuple(
                replace(name, name=stand_ins[str(display_person(name.name))])
                for name in facts.names
            ),
            labels=tuple(
                replace(fact, label=labels.get(fact.label, fact.label)) for fact in facts.labels
            ),
            alerts=tuple(labels.get(label, label) for label in facts.alerts),
        ),
        names,
    )


def _disguise_labels(facts: tuple[LabelFact, ...], names: dict[str, str]) -> dict[str, str]:
    """Return the stand-in of each label that needs one, and note it in ``names``."""
    known = load_vocabulary("en").labels
    by_shown: dict[str, str] = {}
    chosen: dict[str, str] = {}
    letters = _letters()
    for fact in facts:
        if fact.type != "object" or canonical_label(fact.label) in known:
            continue
        shown = display_label(fact.label).text
        if shown not in by_shown:
            by_shown[shown] = f"x{next(letters)}"
            names[by_shown[shown]] = shown
        chosen[fact.label] = by_shown[shown]
    return chosen


def _letters() -> Iterator[str]:
    yield from _LETTERS
    for first in _LETTERS:
        for second in _LETTERS:
            yield first + second
    number = 1
    while True:
        yield f"{_LETTERS[0]}{number}"
        number += 1
