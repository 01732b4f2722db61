"""The facts of a scene as our own small model reads them: one short line, already in the text's words.

``pt | câmera Entrada | às 14h05 | 40 segundos | tarde | + duas pessoas 0:03 0:31 @ 0:12``. No name can
hold the bar that parts the fields: `display` takes it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from summarize_scene.display import display_camera, display_person
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.grounding import is_condition_true
from summarize_scene.number_words import Language
from summarize_scene.phrases import span
from summarize_scene.surfaces import (
    counted_different,
    counted_fact,
    form_and_suffix,
    one_per_surface,
)
from summarize_scene.times import at_clock, duration_text, position_text
from summarize_scene.vocabulary import PARTS_OF_THE_DAY, load_vocabulary

FIELD = " | "
_LANGUAGE_MARKS: dict[Language, str] = {"pt-BR": "pt", "en": "en"}


def render_compact(facts: SceneFacts, language: Language) -> str:
    """Return what the text about a scene must and may say, without its longest tail.

    Returns:
        Language, camera, time, length and parts of the day; then ``+`` for each main label and
        ``~`` for faces that are no main label, with the span seen or ``*`` for throughout, ``@`` and
        the moment of the peak, ``#`` and the different ones; ``&`` for each main name; ``!`` for an
        alert; and signs for the basic detector, faces nobody knows and a video cut off.
    """
    return FIELD.join(_fields(facts, language))


def _fields(facts: SceneFacts, language: Language) -> Iterator[str]:
    yield _LANGUAGE_MARKS[language]
    camera = display_camera(facts.camera)
    yield f"c {camera}" if camera.text else "c -"
    yield at_clock(facts.start, language, is_certain=facts.start_is_certain)
    yield duration_text(facts.duration_s, language) or "-"
    yield " ".join(["d", *parts_of_the_day(facts, language)])
    if facts.alerts:
        yield "!"
    if facts.embedded_default:
        yield "basic"
    main = one_per_surface(facts.main_labels)
    for fact in main:
        yield f"+ {_label(fact, language)}"
    if facts.face is not None and facts.face not in main:
        yield f"~ {_label(facts.face, language)}"
    if is_condition_true("unrecognised", facts, language):
        yield "?"
    for name in dict.fromkeys(str(display_person(fact.name)) for fact in facts.main_names):
        yield f"& {name}"
    if not facts.is_complete:
        yield "cut"


def parts_of_the_day(facts: SceneFacts, language: Language) -> list[str]:
    """Return the words for the part of the day that hold when a recording starts."""
    vocabulary = load_vocabulary(language)
    return [
        " ".join(phrase)
        for part in PARTS_OF_THE_DAY
        if any(start <= facts.start.hour < end for start, end in vocabulary.hours[part])
        for phrase in vocabulary.conditions[part]
    ]


def _label(fact: LabelFact, language: Language) -> str:
    start, end = span(fact)
    parts = [counted_fact(fact, language)]
    if fact.is_throughout:
        parts.append("*")
    else:
        parts.append(start if start == end else f"{start} {end}")
    peak = position_text(fact.peak_at)
    if fact.count > 1 and peak not in {start, end}:
        parts.append(f"@ {peak}")
    form, suffix = form_and_suffix(fact, load_vocabulary(language))
    is_countable = not form.is_mass and not suffix
    if is_countable and fact.different is not None and fact.different > fact.count:
        parts.append(f"# {counted_different(fact.different, form, language)}")
    return " ".join(parts)
