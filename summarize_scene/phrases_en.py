"""English sentences of the rule-based text."""

from __future__ import annotations

from collections.abc import Sequence

from summarize_scene.display import display_camera
from summarize_scene.facts import LabelFact, SceneFacts
from summarize_scene.number_words import Language
from summarize_scene.phrases import Shape, capitalise, join_items, span
from summarize_scene.surfaces import counted_fact, form_and_suffix
from summarize_scene.times import at_clock, duration_text
from summarize_scene.vocabulary import load_vocabulary


class EnglishPhrases:
    """Sentences in English; see `phrases.Phrases`."""

    language: Language = "en"

    def place(self, facts: SceneFacts) -> str:
        camera = display_camera(facts.camera)
        return f"on camera {camera}" if camera.text else "in the recording"

    def at(self, facts: SceneFacts) -> str:
        return at_clock(facts.start, self.language, is_certain=facts.start_is_certain)

    def title_quiet(self) -> str:
        return "nothing detected"

    def hedge(self, text: str) -> str:
        return f"possibly {text}"

    def warning(self, text: str) -> str:
        return f"Attention: {text}"

    def opening(self, facts: SceneFacts, seen: str, shape: Shape) -> str:
        at = self.at(facts)
        if facts.embedded_default:
            return f"{capitalise(at)}, the basic detector reported {seen} {self.place(facts)}"
        camera = display_camera(facts.camera)
        who, verb = (f"camera {camera}", "recorded") if camera.text else ("the recording", "shows")
        length = duration_text(facts.duration_s, self.language)
        if shape == Shape.LENGTH_FIRST and length:
            return f"In a video of {length}, {who} {verb} {seen} {at}"
        if shape == Shape.LENGTH_LAST and length and camera.text:
            return f"{capitalise(who)} shows {seen} in a video of {length} recorded {at}"
        return f"{capitalise(at)}, {who} {verb} {seen}"

    def quiet(self, facts: SceneFacts) -> str:
        verb = "reported by the basic detector" if facts.embedded_default else "detected"
        text = f"Nothing was {verb} {self.place(facts)} {self.at(facts)}"
        length = duration_text(facts.duration_s, self.language)
        return f"{text}, in a video of {length}" if length else text

    def total(self, fact: LabelFact) -> str:
        whole = counted_fact(fact, self.language, fact.different or fact.count)
        return f"In total there are {whole}, seen {self._during(fact)}"

    def when(self, first: Sequence[LabelFact], second: LabelFact | None) -> str:
        subject = join_items([self._definite(fact) for fact in first], "and")
        verb = "are" if len(first) > 1 or not self._is_singular(first[0]) else "is"
        text = f"{capitalise(subject)} {verb} visible {self._during(first[0])}"
        if second is None:
            return text
        return f"{text}, and {self._definite(second)} {self._during(second, with_noun=False)}"

    def named(self, names: Sequence[str], more: int) -> str:
        if len(names) == 1 and not more:
            return f"The face of {names[0]} was recognised"
        known = "one more known name" if more == 1 else f"{more} more known names"
        people = [*names, known] if more else list(names)
        return f"The faces of {join_items(people, 'and')} were recognised"

    def faces(self, fact: LabelFact, *, unrecognised: bool) -> str:
        faces = counted_fact(fact, self.language)
        subject = f"{faces} is" if fact.count == 1 else f"{self.up_to(faces)} are"
        text = f"{capitalise(subject)} visible"
        return f"{text}, without identification" if unrecognised else text

    def incomplete(self) -> str:
        return "The video is incomplete"

    def others(self, number: int) -> str:
        return "one other kind of object" if number == 1 else f"{number} other kinds of object"

    def up_to(self, text: str) -> str:
        return f"up to {text}"

    def at_once(self, text: str) -> str:
        return f"{text} at the same time"

    def join(self, items: Sequence[str]) -> str:
        return join_items(items, "and")

    def _is_singular(self, fact: LabelFact) -> bool:
        form, _ = form_and_suffix(fact, load_vocabulary(self.language))
        return fact.count == 1 or form.is_mass

    def _definite(self, fact: LabelFact) -> str:
        form, suffix = form_and_suffix(fact, load_vocabulary(self.language))
        return f"the {form.one if self._is_singular(fact) else form.many}{suffix}"

    def _during(self, fact: LabelFact, *, with_noun: bool = True) -> str:
        if fact.is_throughout:
            return "throughout the video"
        start, end = span(fact)
        noun = " of the video" if with_noun else ""
        return f"at {start}{noun}" if start == end else f"between {start} and {end}{noun}"
