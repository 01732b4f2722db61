"""Whether the times that a sentence states are those of what it names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from summarize_scene.display import display_person
from summarize_scene.facts import LabelFact, SceneFacts, shift
from summarize_scene.mentions import (
    ClockMention,
    ConditionMention,
    LabelMention,
    LengthMention,
    Mention,
    NameMention,
    PlainWord,
)
from summarize_scene.problems import Problem
from summarize_scene.surfaces import surface_key
from summarize_scene.times import is_same_length

_RANGE_OPENERS = frozenset(["entre", "de", "da", "das", "do", "dos", "desde", "between", "from"])
_RANGE_JOINTS = frozenset(["e", "a", "à", "às", "ao", "aos", "até", "and", "to", "until"])


@dataclass(frozen=True)
class Span:
    """When something is seen, in seconds from the first picture.

    Attributes:
        moments: instants at which it certainly is.
        is_throughout: from the clip's start to its end.
    """

    first: float
    last: float
    moments: tuple[float, ...]
    is_throughout: bool = False


class TimeCheck:
    """Compares stated times with the facts of a scene.

    A time belongs to the labels and names that stand before it in its sentence, back to the time
    before; where none do, to those that follow. The start, the end and the length of the recording
    may be stated anywhere.
    """

    def __init__(self, facts: SceneFacts) -> None:
        self._facts = facts
        self._scene = Span(0.0, facts.duration_s, (0.0, facts.duration_s))

    def check(self, sentence: Sequence[Mention]) -> Iterator[Problem]:
        """Yield a problem for each time that is not that of what it belongs to."""
        for place, mention in enumerate(sentence):
            spans = self._spans_near(sentence, place)
            if isinstance(mention, ConditionMention) and mention.condition == "throughout":
                if not any(span.is_throughout for span in spans):
                    yield Problem("time", mention.words)
            elif isinstance(mention, LengthMention):
                yield from self._check_length(mention, spans)
            elif isinstance(mention, ClockMention):
                yield from self._check_clock(sentence, place, [*spans, self._scene])

    def _check_length(self, mention: LengthMention, spans: Sequence[Span]) -> Iterator[Problem]:
        if not mention.is_position:
            if not is_same_length(mention.parts, self._facts.duration_s):
                yield Problem("duration", mention.words)
        elif not any(
            _is_position(mention.seconds, moment)
            for span in (*spans, self._scene)
            for moment in span.moments
        ):
            yield Problem("time", mention.words)

    def _check_clock(
        self, sentence: Sequence[Mention], place: int, spans: Sequence[Span]
    ) -> Iterator[Problem]:
        mention = sentence[place]
        assert isinstance(mention, ClockMention)
        end = _range_end(sentence, place)
        if end is not None:
            bounds = [(span.first, span.last) for span in spans]
            own = spans[:-1]
            if own:
                bounds.append((min(s.first for s in own), max(s.last for s in own)))
            if not any(self._is(mention, a) and self._is(end, b) for a, b in bounds):
                yield Problem("time", f"{mention.words} - {end.words}")
        elif not any(self._is(mention, moment) for span in spans for moment in span.moments):
            yield Problem("time", mention.words)

    def _is(self, mention: ClockMention, moment: float) -> bool:
        reading = mention.reading
        if reading.position_s is not None and _is_position(reading.position_s, moment):
            return True
        local = shift(self._facts.start, moment)
        return reading.time_of_day == (local.hour, local.minute)

    def _spans_near(self, sentence: Sequence[Mention], place: int) -> list[Span]:
        """Return the spans of what a time at ``place`` belongs to."""
        start = place
        while start > 0 and (
            not _is_time(sentence[start - 1]) or _range_end(sentence, start - 1) is not None
        ):
            start -= 1
        before = [span for mention in sentence[start:place] for span in self._spans_of(mention)]
        if before:
            return before
        after = sentence[place + 1 :]
        return [span for mention in after for span in self._spans_of(mention)]

    def _spans_of(self, mention: Mention) -> list[Span]:
        if isinstance(mention, LabelMention):
            return [
                _span_of(fact) for fact in self._facts.labels if surface_key(fact) in mention.keys
            ]
        if isinstance(mention, NameMention):
            return [
                Span(fact.first_seen, fact.last_seen, (fact.first_seen, fact.last_seen))
                for fact in self._facts.names
                if display_person(fact.name).text == mention.name
            ]
        return []


def _span_of(fact: LabelFact) -> Span:
    moments = (fact.first_seen, fact.last_seen, fact.peak_at)
    return Span(fact.first_seen, fact.last_seen, moments, fact.is_throughout)


def _is_position(stated: int, moment: float) -> bool:
    return stated in {int(moment), round(moment)}


def _is_time(mention: Mention) -> bool:
    if isinstance(mention, ConditionMention):
        return mention.condition == "throughout"
    if isinstance(mention, LengthMention):
        return mention.is_position
    return isinstance(mention, ClockMention)


def _range_end(sentence: Sequence[Mention], place: int) -> ClockMention | None:
    """Return the end of a range "entre A e B" that begins with the time at ``place``."""
    if place == 0 or place + 2 >= len(sentence):
        return None
    opener, joint, end = sentence[place - 1], sentence[place + 1], sentence[place + 2]
    is_range = (
        isinstance(sentence[place], ClockMention)
        and isinstance(opener, PlainWord)
        and opener.word in _RANGE_OPENERS
        and isinstance(joint, PlainWord)
        and joint.word in _RANGE_JOINTS
    )
    return end if is_range and isinstance(end, ClockMention) else None
