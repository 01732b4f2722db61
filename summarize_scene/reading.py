"""What a sentence says: its tokens read as mentions of labels, names, times and so on.

The reader goes from left to right and takes the longest thing that it knows at each place. What it
does not know becomes a `Stray`; the check turns every stray into a problem. A label is understood
whether or not it was seen: "gato" is read as the label "cat", and judged later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from summarize_scene.display import display_camera, display_person
from summarize_scene.facts import SceneFacts
from summarize_scene.mentions import (
    ClockMention,
    ConditionMention,
    LabelMention,
    LengthMention,
    Mark,
    Mention,
    NameMention,
    OthersMention,
    PlainWord,
    Stray,
    TotalMention,
)
from summarize_scene.number_words import Language
from summarize_scene.phrase_tables import (
    LabelWords,
    PhraseTable,
    condition_table,
    label_table,
    number_table,
    unit_table,
)
from summarize_scene.surfaces import surface_key
from summarize_scene.times import read_clock
from summarize_scene.tokens import Token, split_sentences
from summarize_scene.vocabulary import Phrase, load_vocabulary

Found = tuple[int, Mention]
"""How many tokens a mention takes, and the mention."""


@dataclass(frozen=True)
class Reader:
    """Reads texts about one scene in one language."""

    facts: SceneFacts
    language: Language

    def read(self, text: str) -> list[list[Mention]]:
        """Return the mentions of each sentence of a text, in order."""
        return [list(_SentenceReader(self, tokens).read()) for tokens in split_sentences(text)]


class _SentenceReader:
    def __init__(self, reader: Reader, tokens: Sequence[Token]) -> None:
        facts = reader.facts
        self._language = reader.language
        self._vocabulary = load_vocabulary(reader.language)
        self._tokens = tokens
        self._keys = [token.key if token.kind == "word" else "" for token in tokens]
        self._camera = display_camera(facts.camera)
        self._names = [display_person(fact.name) for fact in facts.names]
        self._unknown_labels = {surface_key(fact) for fact in facts.objects}
        self._plain_names = PhraseTable(
            (tuple(name.text.split()), name.text) for name in self._names if name.is_plain
        )

    def read(self) -> Iterator[Mention]:
        steps: tuple[Callable[[int], Found | None], ...] = (
            self._mark,
            self._camera_name,
            self._person,
            self._clock,
            self._others,
            self._length,
            self._condition,
            self._total,
            self._label,
            self._plain,
        )
        place = 0
        while place < len(self._tokens):
            found = next((hit for step in steps if (hit := step(place))), None)
            length, mention = found or (1, self._stray(place))
            place += length
            yield mention

    def _mark(self, place: int) -> Found | None:
        token = self._tokens[place]
        return (1, Mark(token.text)) if token.kind in {"mark", "stop"} else None

    def _camera_name(self, place: int) -> Found | None:
        """Read "câmera Entrada", "the Entrada camera": the name counts beside that word only."""
        here, following = self._tokens[place], self._token(place + 1)
        if following is None or not self._camera.text:
            return None
        pair = (here, following) if here.key in self._vocabulary.camera_words else (following, here)
        word, name = pair
        if word.key not in self._vocabulary.camera_words or not self._is_camera(name):
            return None
        return 2, PlainWord(f"{here.text} {following.text}", "nouns")

    def _is_camera(self, token: Token) -> bool:
        if token.kind == "quoted":
            return token.text == self._camera.text
        return self._camera.is_plain and token.key == self._camera.text.casefold()

    def _person(self, place: int) -> Found | None:
        token = self._tokens[place]
        if token.kind == "quoted":
            known = any(name.text == token.text for name in self._names)
            return (1, NameMention(token.text)) if known else None
        words = [following.text for following in self._tokens[place : place + 8]]
        found = self._plain_names.longest(words)
        return found and (found[0], NameMention(found[1]))

    def _clock(self, place: int) -> Found | None:
        token = self._tokens[place]
        if token.kind != "clock":
            return None
        half_day = self._key(place + 1) if self._language == "en" else ""
        if half_day in {"am", "pm"}:
            return 2, ClockMention(read_clock(token.key, half_day), f"{token.text} {half_day}")
        return 1, ClockMention(read_clock(token.key), token.text)

    def _others(self, place: int) -> Found | None:
        """Read "mais 3 tipos de objeto", "3 other kinds of object", "2 more known names"."""
        end = place + (self._key(place) == self._vocabulary.and_more)
        number = self._number(end)
        if number is None:
            return None
        end += number[0]
        end += self._key(end) == self._vocabulary.and_more
        if phrase := self._phrase(end, self._vocabulary.other_kinds):
            return end + len(phrase) - place, OthersMention("kinds", number[1])
        if phrase := self._phrase(end, self._vocabulary.other_names):
            return end + len(phrase) - place, OthersMention("names", number[1])
        return None

    def _length(self, place: int) -> Found | None:
        """Read "40 segundos", "one minute and 20 seconds", "40-second"."""
        parts: list[tuple[int, int]] = []
        end = place
        while part := self._amount(end + bool(parts)):
            if parts and self._key(end) not in {"e", "and"}:
                break
            end += bool(parts) + part[0]
            parts.append(part[1])
        if not parts:
            return None
        before = self._key(place - 1) if place else ""
        is_position = before in self._vocabulary.position_words
        return end - place, LengthMention(tuple(parts), is_position, self._words(place, end))

    def _amount(self, place: int) -> tuple[int, tuple[int, int]] | None:
        number = self._number(place) or self._article(place)
        if number is None:
            return None
        end = place + number[0]
        hyphen = self._token(end)
        end += hyphen is not None and hyphen.text == "-"
        unit = unit_table(self._language).longest(self._keys[end:])
        return unit and (end + unit[0] - place, (number[1], unit[1]))

    def _condition(self, place: int) -> Found | None:
        found = condition_table(self._language).longest(self._keys[place:])
        return found and (
            found[0],
            ConditionMention(found[1], self._words(place, place + found[0])),
        )

    def _total(self, place: int) -> Found | None:
        phrase = self._phrase(place, self._vocabulary.total_markers)
        return (len(phrase), TotalMention()) if phrase else None

    def _label(self, place: int) -> Found | None:
        """Read "duas pessoas diferentes", "um objeto do tipo “x”", "the people"."""
        number = self._number(place) or self._article(place)
        end = place + (number[0] if number else 0)
        is_different = number is not None and self._key(end) in self._vocabulary.different_words
        end += is_different
        noun = self._noun(end)
        if noun is None:
            return None
        label = noun[1]
        is_different |= label.is_different
        end += noun[0]
        if not is_different and self._key(end) in self._vocabulary.different_words:
            is_different, end = True, end + 1
        return end - place, LabelMention(
            keys=label.keys,
            number=number[1] if number else None,
            is_plural=label.is_plural,
            is_mass=label.is_mass,
            is_different=is_different,
            words=self._words(place, end),
        )

    def _noun(self, place: int) -> tuple[int, LabelWords] | None:
        unknown = self._vocabulary.unknown
        if self._key(place) not in {unknown.one, unknown.many}:
            return label_table(self._language).longest(self._keys[place:])
        end = place + 1
        is_different = self._key(end) in self._vocabulary.different_words
        end += is_different
        end += len(self._phrase(end, self._vocabulary.unknown_links) or ())
        token = self._token(end)
        if token is None or token.kind != "quoted" or token.text not in self._unknown_labels:
            return None
        is_plural = self._key(place) == unknown.many
        words = LabelWords(frozenset({token.text}), is_plural, False, is_different)
        return end + 1 - place, words

    def _plain(self, place: int) -> Found | None:
        key = self._key(place)
        kind = self._vocabulary.words.get(key)
        if kind is not None:
            return 1, PlainWord(key, kind)
        number = self._number(place)
        is_article = number is not None and number == (1, 1) and self._tokens[place].kind == "word"
        if is_article and self._key(place + 1) in self._vocabulary.content_words:
            return 1, PlainWord(key, "articles")
        return None

    def _stray(self, place: int) -> Stray:
        token = self._tokens[place]
        if token.kind in {"number", "clock"} or number_table(self._language).longest([token.key]):
            return Stray("number", token.text)
        if token.kind == "quoted":
            return Stray("name", token.text)
        if token.kind == "bad":
            return Stray("character", token.text)
        if token.key in self._vocabulary.negations:
            return Stray("negation", token.text)
        is_name = place > 0 and token.text[:1].isupper()
        return Stray("name" if is_name else "word", token.text)

    def _number(self, place: int) -> tuple[int, int] | None:
        """Return how many tokens a number takes, and its value."""
        token = self._token(place)
        if token is not None and token.kind == "number":
            return (1, int(token.text)) if token.text.isascii() and token.text.isdigit() else None
        return number_table(self._language).longest(self._keys[place:])

    def _article(self, place: int) -> tuple[int, int] | None:
        """Return English "a" and "an" as the number one."""
        is_article = self._language == "en" and self._key(place) in {"a", "an"}
        return (1, 1) if is_article else None

    def _token(self, place: int) -> Token | None:
        return self._tokens[place] if 0 <= place < len(self._tokens) else None

    def _key(self, place: int) -> str:
        return self._keys[place] if 0 <= place < len(self._keys) else ""

    def _phrase(self, place: int, phrases: Sequence[Phrase]) -> Phrase | None:
        keys = tuple(self._keys[place : place + 6])
        fitting = [phrase for phrase in phrases if keys[: len(phrase)] == phrase]
        return max(fitting, key=len, default=None)

    def _words(self, start: int, end: int) -> str:
        return " ".join(token.text for token in self._tokens[start:end])
