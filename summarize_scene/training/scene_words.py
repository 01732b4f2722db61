"""A scene as a writer needs it: its facts in words, before any sentence is made of them."""

from __future__ import annotations

from dataclasses import dataclass

from summarize_scene.compact_facts import parts_of_the_day
from summarize_scene.display import display_camera, display_person
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.grounding import is_condition_true
from summarize_scene.number_words import Language
from summarize_scene.phrases import span
from summarize_scene.surfaces import (
    counted,
    counted_different,
    form_and_suffix,
    one_per_surface,
    surface_key,
)
from summarize_scene.times import at_clock, clock_text, duration_text, position_text
from summarize_scene.vocabulary import Form, load_vocabulary


@dataclass(frozen=True)
class Thing:
    """A label in words.

    Attributes:
        counted: "duas pessoas".
        definite: "as pessoas".
        different: "três pessoas diferentes"; None when that is not known or says no more.
        is_plural, is_feminine, is_mass: for agreement.
        span: "entre 0:03 e 0:31 do vídeo" or "durante todo o vídeo"; None in a clip of no length.
        moment: "no instante 0:12 do vídeo" when the count was seen, if that says more.
    """

    counted: str
    definite: str
    different: str | None
    is_plural: bool
    is_feminine: bool
    is_mass: bool
    is_throughout: bool
    span: str
    moment: str | None


@dataclass(frozen=True)
class SceneWords:
    """A scene in words; texts are empty where there is nothing to say.

    Attributes:
        camera: as written after the word camera.
        at: "às 14h05"; ``clock`` without the preposition, where that is certain.
        length: "40 segundos".
        parts: words for the part of the day.
        things: the main labels; ``face`` those of faces when they are no main label.
    """

    camera: str
    at: str
    clock: str
    length: str
    parts: tuple[str, ...]
    things: tuple[Thing, ...]
    face: Thing | None
    names: tuple[str, ...]
    is_quiet: bool
    is_alert: bool
    is_embedded: bool
    is_unrecognised: bool
    is_complete: bool
    hour: int


def word_scene(facts: SceneFacts, language: Language) -> SceneWords:
    """Return the words of a scene."""
    camera = display_camera(facts.camera)
    main = one_per_surface(facts.main_labels)
    face = facts.face if facts.face is not None and facts.face not in main else None
    names = dict.fromkeys(str(display_person(fact.name)) for fact in facts.main_names)
    return SceneWords(
        camera=str(camera) if camera.text else "",
        at=at_clock(facts.start, language, is_certain=facts.start_is_certain),
        clock=clock_text(facts.start, language) if facts.start_is_certain else "",
        length=duration_text(facts.duration_s, language),
        parts=tuple(parts_of_the_day(facts, language)),
        things=tuple(_thing(fact, language) for fact in main),
        face=_thing(face, language) if face is not None else None,
        names=tuple(names),
        is_quiet=facts.is_quiet,
        is_alert=bool(facts.alerts),
        is_embedded=facts.embedded_default,
        is_unrecognised=is_condition_true("unrecognised", facts, language),
        is_complete=facts.is_complete,
        hour=facts.start.hour,
    )


def _thing(fact: LabelFact, language: Language) -> Thing:
    vocabulary = load_vocabulary(language)
    form, suffix = form_and_suffix(fact, vocabulary)
    start, end = span(fact)
    peak = position_text(fact.peak_at)
    is_more = (
        fact.different is not None and fact.different > fact.count and not (form.is_mass or suffix)
    )
    is_plural = fact.count > 1 and not form.is_mass
    return Thing(
        counted=counted(fact.count, form, language) + suffix,
        definite=_definite(form, language, is_plural=is_plural) + suffix,
        different=counted_different(fact.different or 0, form, language) if is_more else None,
        is_plural=is_plural,
        is_feminine=form.gender == "f",
        is_mass=form.is_mass or surface_key(fact) == "motion",
        is_throughout=fact.is_throughout,
        span=_span(start, end, language, is_throughout=fact.is_throughout),
        moment=_moment(peak, language) if is_plural and peak not in {start, end} else None,
    )


def _definite(form: Form, language: Language, *, is_plural: bool) -> str:
    noun = form.many if is_plural else form.one
    if language == "en":
        return f"the {noun}"
    return f"{'a' if form.gender == 'f' else 'o'}{'s' if is_plural else ''} {noun}"


def _span(start: str, end: str, language: Language, *, is_throughout: bool) -> str:
    if is_throughout:
        return ""
    if start == end:
        return _moment(start, language)
    if language == "pt-BR":
        return f"entre {start} e {end} do vídeo"
    return f"between {start} and {end} of the video"


def _moment(position: str, language: Language) -> str:
    return (
        f"no instante {position} do vídeo" if language == "pt-BR" else f"at {position} of the video"
    )
