"""Deliberately wrong texts about a scene: what a check that deserves the name must reject, all of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from summarize_scene.facts import SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.rules_text import Written, write_rules_text
from summarize_scene.surfaces import counted_fact, surface_key
from summarize_scene.times import clock_text, duration_text
from summarize_scene.vocabulary import load_vocabulary

_STRANGER = "Osvaldo Quintanilha"
_MINUTE = 60
_UNSEEN = ("elephant", "toaster", "zebra", "kite", "sink")
_SENTENCES: dict[str, dict[Language, str]] = {
    "invented event": {"pt-BR": "Um ladrão fugiu pela rua.", "en": "A thief ran down the road."},
    "denied": {"pt-BR": "Não há pessoas na cena.", "en": "There are no people in the scene."},
    "invented person": {
        "pt-BR": f"O rosto de {_STRANGER} foi reconhecido.",
        "en": f"The face of {_STRANGER} was recognised.",
    },
}


@dataclass(frozen=True)
class WrongText:
    """A text with one fault in it."""

    fault: str
    title: str
    text: str


def wrong_texts(facts: SceneFacts, language: Language) -> Iterator[WrongText]:
    """Yield a scene's rule-based text with one fault at a time.

    Every fault is one by construction: the word, number, name or time put in is none of the scene's,
    or something that the text must state is taken out.
    """
    right = write_rules_text(facts, language)
    for fault, sentences in _SENTENCES.items():
        yield _longer(fault, right, sentences[language])
    yield _longer("unseen label", right, _unseen_label(facts, language))
    yield _longer("wrong time", right, _wrong_time(facts, language))
    yield _longer("wrong length", right, _wrong_length(facts, language))
    yield WrongText("repeat", right.title, f"{right.text} {right.text}")
    yield WrongText("cut off", right.title, right.text[:-1].rsplit(" ", 1)[0] + " com")
    other = write_rules_text(facts, "en" if language == "pt-BR" else "pt-BR")
    yield WrongText("other language", other.title, other.text)
    yield from _wrong_count(facts, language, right)
    yield from _left_out(facts, language)


def _longer(fault: str, right: Written, sentence: str) -> WrongText:
    return WrongText(fault, right.title, f"{right.text} {sentence}")


def _unseen_label(facts: SceneFacts, language: Language) -> str:
    seen = {surface_key(fact) for fact in facts.labels}
    label = next(label for label in _UNSEEN if label not in seen)
    form = load_vocabulary(language).labels[label][0]
    if language == "pt-BR":
        return f"{'Uma' if form.gender == 'f' else 'Um'} {form.one} aparece na cena."
    return f"{form.article.capitalize()} {form.one} appears in the scene."


def _wrong_time(facts: SceneFacts, language: Language) -> str:
    text = clock_text(_strange_moment(facts), language)
    if language == "pt-BR":
        return f"A gravação mostra a cena às {text}."
    return f"The recording shows the scene at {text}."


def _strange_moment(facts: SceneFacts) -> datetime:
    """Return a time of day at which nothing of the recording is; nor is it a place in it, as m:ss."""
    moments = [0.0, facts.duration_s]
    for fact in facts.labels:
        moments += [fact.first_seen, fact.last_seen, fact.peak_at]
    for name in facts.names:
        moments += [name.first_seen, name.last_seen]
    places = {round(moment) + slack for moment in moments for slack in (-1, 0, 1)}
    moment = facts.start + timedelta(seconds=facts.duration_s, hours=1, minutes=37)
    while moment.hour * _MINUTE + moment.minute in places:
        moment += timedelta(minutes=1)
    return moment


def _wrong_length(facts: SceneFacts, language: Language) -> str:
    length = duration_text(3 * facts.duration_s + 17, language)
    if language == "pt-BR":
        return f"A cena aparece em um vídeo de {length}."
    return f"The scene appears in a video of {length}."


def _wrong_count(facts: SceneFacts, language: Language, right: Written) -> Iterator[WrongText]:
    for fact in facts.main_labels[:1]:
        true = counted_fact(fact, language)
        false = counted_fact(fact, language, fact.count + 1)
        if true != false and true in right.text:
            yield WrongText("wrong count", right.title, right.text.replace(true, false))


def _left_out(facts: SceneFacts, language: Language) -> Iterator[WrongText]:
    """Yield texts that are true of a poorer scene."""
    if facts.main_labels:
        lost = surface_key(facts.main_labels[0])
        labels = tuple(fact for fact in facts.labels if surface_key(fact) != lost)
        yield _text_of("missing label", replace(facts, labels=labels), language)
        yield _text_of("nothing seen", replace(facts, labels=(), names=(), alerts=()), language)
    if facts.names:
        yield _text_of("missing name", replace(facts, names=facts.names[1:]), language)
    if facts.alerts:
        yield _text_of("missing warning", replace(facts, alerts=()), language)


def _text_of(fault: str, facts: SceneFacts, language: Language) -> WrongText:
    written = write_rules_text(facts, language)
    return WrongText(fault, written.title, written.text)
