"""Brazilian Portuguese sentences of the rule-based text."""

from __future__ import annotations

from collections.abc import Sequence

from summarize_scene.display import display_camera
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.phrases import Shape, capitalise, join_items, span
from summarize_scene.surfaces import counted_fact, form_and_suffix
from summarize_scene.times import at_clock, duration_text
from summarize_scene.vocabulary import load_vocabulary


class PortuguesePhrases:
    """Sentences in Brazilian Portuguese; see `phrases.Phrases`."""

    language: Language = "pt-BR"

    def place(self, facts: SceneFacts) -> str:
        camera = display_camera(facts.camera)
        return f"na câmera {camera}" if camera.text else "na gravação"

    def at(self, facts: SceneFacts) -> str:
        return at_clock(facts.start, self.language, is_certain=facts.start_is_certain)

    def title_quiet(self) -> str:
        return "nada detectado"

    def hedge(self, text: str) -> str:
        return f"possivelmente {text}"

    def warning(self, text: str) -> str:
        return f"Atenção: {text}"

    def opening(self, facts: SceneFacts, seen: str, shape: Shape) -> str:
        at = self.at(facts)
        if facts.embedded_default:
            return f"{capitalise(at)}, o detector básico indicou {seen} {self.place(facts)}"
        camera = display_camera(facts.camera)
        who, verb = (f"a câmera {camera}", "registrou") if camera.text else ("a gravação", "mostra")
        length = duration_text(facts.duration_s, self.language)
        if shape == Shape.LENGTH_FIRST and length:
            return f"Em um vídeo de {length}, {who} {verb} {seen} {at}"
        if shape == Shape.LENGTH_LAST and length and camera.text:
            return f"{capitalise(who)} mostra {seen} em um vídeo de {length} gravado {at}"
        return f"{capitalise(at)}, {who} {verb} {seen}"

    def quiet(self, facts: SceneFacts) -> str:
        verb = "indicado pelo detector básico" if facts.embedded_default else "detectado"
        text = f"Nada foi {verb} {self.place(facts)} {self.at(facts)}"
        length = duration_text(facts.duration_s, self.language)
        return f"{text}, em um vídeo de {length}" if length else text

    def total(self, fact: LabelFact) -> str:
        number = fact.different or fact.count
        form, _ = form_and_suffix(fact, load_vocabulary(self.language))
        seen = "vistas" if form.gender == "f" else "vistos"
        whole = counted_fact(fact, self.language, number)
        return f"Ao todo são {whole}, {seen} {self._during(fact)}"

    def when(self, first: Sequence[LabelFact], second: LabelFact | None) -> str:
        subject = join_items([self._definite(fact) for fact in first], "e")
        is_plural = len(first) > 1 or not self._is_singular(first[0])
        verb = "aparecem" if is_plural else "aparece"
        text = f"{capitalise(subject)} {verb} {self._during(first[0])}"
        if second is None:
            return text
        return f"{text} e {self._definite(second)}, {self._during(second, with_noun=False)}"

    def named(self, names: Sequence[str], more: int) -> str:
        if len(names) == 1 and not more:
            return f"O rosto de {names[0]} foi reconhecido"
        extra = f", além de mais {self._other_names(more)}" if more else ""
        return f"Os rostos de {join_items(names, 'e')}{extra} foram reconhecidos"

    def faces(self, fact: LabelFact, *, unrecognised: bool) -> str:
        verb = "fica visível" if fact.count == 1 else "ficam visíveis"
        faces = counted_fact(fact, self.language)
        text = capitalise(f"{faces if fact.count == 1 else self.up_to(faces)} {verb}")
        return f"{text}, sem identificação" if unrecognised else text

    def incomplete(self) -> str:
        return "O vídeo está incompleto"

    def others(self, number: int) -> str:
        vocabulary = load_vocabulary(self.language)
        kind = "tipo de objeto" if number == 1 else "tipos de objeto"
        return f"{vocabulary.and_more} {number if number > 1 else 'um'} {kind}"

    def up_to(self, text: str) -> str:
        return f"até {text}"

    def at_once(self, text: str) -> str:
        return f"{text} ao mesmo tempo"

    def join(self, items: Sequence[str]) -> str:
        return join_items(items, "e")

    def _other_names(self, more: int) -> str:
        return "um nome conhecido" if more == 1 else f"{more} nomes conhecidos"

    def _is_singular(self, fact: LabelFact) -> bool:
        form, _ = form_and_suffix(fact, load_vocabulary(self.language))
        return fact.count == 1 or form.is_mass

    def _definite(self, fact: LabelFact) -> str:
        form, suffix = form_and_suffix(fact, load_vocabulary(self.language))
        article = "a" if form.gender == "f" else "o"
        if self._is_singular(fact):
            return f"{article} {form.one}{suffix}"
        return f"{article}s {form.many}{suffix}"

    def _during(self, fact: LabelFact, *, with_noun: bool = True) -> str:
        if fact.is_throughout:
            return "durante todo o vídeo"
        start, end = span(fact)
        noun = " do vídeo" if with_noun else ""
        return f"no instante {start}{noun}" if start == end else f"entre {start} e {end}{noun}"
