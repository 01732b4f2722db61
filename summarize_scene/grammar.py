"""The grammar (GBNF, llama.cpp) of one scene: what a model can write about it at all.

It comes from two sources. ``summary.schema.json`` gives the form: a JSON object with a title and a
text, and how long they may grow. The scene gives the words: the neutral words of the language, and as
units the scene's own labels with their counts, names, times and camera. A model that writes by it,
even one with random weights, cannot name a label, a person, a number or a time of another scene.

All strings are put into a trie, so that llama.cpp follows a few branches and not hundreds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from summarize_scene.display import display_camera, display_person
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.grounding import is_condition_true
from summarize_scene.limits import text_limits
from summarize_scene.number_words import Language
from summarize_scene.phrases import capitalise, span
from summarize_scene.surfaces import (
    counted,
    counted_different,
    form_and_suffix,
    one_per_surface,
    surface_key,
)
from summarize_scene.times import at_clock, clock_text, duration_text, position_text
from summarize_scene.vocabulary import Form, load_vocabulary

MAX_LABELS = 12
MAX_SENTENCES = 3
_CHARS_PER_CHUNK = 12
"""What a chunk (a word or unit, a joining word before it) takes on average; the check holds the limit."""

Trie = dict[str, "Trie"]
_END = ""


def build_grammar(facts: SceneFacts, language: Language) -> str:
    """Return the GBNF for one scene; its root is ``{"title":"…","text":"…"}``."""
    vocabulary = load_vocabulary(language)
    links = sorted(vocabulary.link_words)
    content = sorted({*vocabulary.content_words, *scene_units(facts, language)})
    rules = {
        "root": r'"{\"title\":\"" title "\",\"text\":\"" text "\"}"',
        "title": f"start (sep chunk){{0,{title_chunks()}}}",
        "text": f'sentence (" " sentence){{0,{MAX_SENTENCES - 1}}}',
        "sentence": f'start (sep chunk){{1,{text_chunks()}}} "."',
        "sep": '" " | ", "',
        "start": 'first-link " " (link " ")? content | first-content',
        "chunk": '(link " "){0,2} content',
        "link": alternatives(links),
        "first-link": alternatives(map(capitalise, links)),
        "content": alternatives(content),
        "first-content": alternatives(map(capitalise, content)),
    }
    return "".join(f"{name} ::= {rule}\n" for name, rule in rules.items())


def title_chunks() -> int:
    """Return how many chunks may follow the first one of a title."""
    return text_limits().title_max // _CHARS_PER_CHUNK


def text_chunks() -> int:
    """Return how many chunks may follow the first one of a sentence."""
    return text_limits().text_max // _CHARS_PER_CHUNK // MAX_SENTENCES


def scene_units(facts: SceneFacts, language: Language) -> list[str]:
    """Return the phrases that are true of a scene and of its facts, lower case, without repeats."""
    vocabulary = load_vocabulary(language)
    labels = _shown_labels(facts)
    units: list[str] = []
    for fact in labels:
        units += _label_units(fact, language)
        units += _time_units(fact, language)
    units += [str(display_person(name.name)) for name in facts.names[:MAX_LABELS]]
    if facts.names:
        units += [form.one for form in vocabulary.labels["face"]]
    units += _scene_time_units(facts, language)
    for condition, phrases in vocabulary.conditions.items():
        is_there = condition != "throughout" or any(fact.is_throughout for fact in labels)
        if is_there and is_condition_true(condition, facts, language):
            units += [" ".join(phrase) for phrase in phrases]
    if camera := display_camera(facts.camera).text:
        word = "câmera" if language == "pt-BR" else "camera"
        units.append(f"{word} {display_camera(facts.camera)}" if camera else word)
    return list(dict.fromkeys(units))


def _shown_labels(facts: SceneFacts) -> list[LabelFact]:
    chosen = one_per_surface(facts.objects)[:MAX_LABELS]
    keys = {surface_key(fact) for fact in chosen}
    rest = [fact for fact in (facts.face, facts.motion) if fact is not None]
    return chosen + [fact for fact in rest if surface_key(fact) not in keys]


def _label_units(fact: LabelFact, language: Language) -> Iterator[str]:
    """Yield "duas pessoas", "até 2 pessoas", "as pessoas", with every synonym."""
    vocabulary = load_vocabulary(language)
    main, suffix = form_and_suffix(fact, vocabulary)
    label = surface_key(fact)
    up_to = "até" if language == "pt-BR" else "up to"
    for form in vocabulary.labels.get(label, (main,)):
        text = counted(fact.count, form, language) + suffix
        yield text
        if form.is_mass:
            continue
        yield _definite(form, language, is_plural=fact.count > 1) + suffix
        if fact.count > 1:
            digits = f"{fact.count} {form.many}{suffix}"
            yield from (digits, f"{up_to} {text}", f"{up_to} {digits}")
        if fact.different is not None and fact.different > 1:
            yield counted_different(fact.different, form, language) + suffix


def _definite(form: Form, language: Language, *, is_plural: bool) -> str:
    noun = form.many if is_plural else form.one
    if language == "en":
        return f"the {noun}"
    return f"{'a' if form.gender == 'f' else 'o'}{'s' if is_plural else ''} {noun}"


def _time_units(fact: LabelFact, language: Language) -> Iterator[str]:
    start, end = span(fact)
    peak = position_text(fact.peak_at)
    if language == "en":
        yield f"at {peak} of the video"
        yield (
            f"at {start} of the video"
            if start == end
            else f"between {start} and {end} of the video"
        )
        return
    yield f"no instante {peak} do vídeo"
    yield f"no instante {start} do vídeo" if start == end else f"entre {start} e {end} do vídeo"


def _scene_time_units(facts: SceneFacts, language: Language) -> Iterator[str]:
    yield at_clock(facts.start, language, is_certain=facts.start_is_certain)
    if facts.start_is_certain:
        yield clock_text(facts.start, language)
    if length := duration_text(facts.duration_s, language):
        yield f"um vídeo de {length}" if language == "pt-BR" else f"a video of {length}"


def alternatives(texts: Iterable[str]) -> str:
    """Return a GBNF expression that matches exactly the given texts, as a trie."""
    trie: Trie = {}
    for text in texts:
        node = trie
        for char in text:
            node = node.setdefault(char, {})
        node[_END] = {}
    return _expression(trie)


def _expression(node: Trie) -> str:
    return " | ".join(_branch(char, following) for char, following in sorted(node.items()))


def _branch(char: str, following: Trie) -> str:
    """Return what begins with a character; characters without a fork after them form one literal."""
    if char == _END:
        return '""'
    text, node = char, following
    while len(node) == 1 and _END not in node:
        ((char, node),) = node.items()
        text += char
    return literal(text) if list(node) == [_END] else f"{literal(text)} ({_expression(node)})"


def literal(text: str) -> str:
    """Return text as a GBNF literal that matches it inside a JSON string."""
    inside_json = json.dumps(text, ensure_ascii=False)[1:-1]
    return '"' + inside_json.replace("\\", "\\\\").replace('"', '\\"') + '"'
