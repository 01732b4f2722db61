"""What a text can say: the pieces that `reading` finds and `grounding` judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from summarize_scene.times import ClockReading

StrayKind = Literal["word", "number", "name", "character", "negation"]


@dataclass(frozen=True)
class LabelMention:
    """A label is named.

    Attributes:
        keys: the surface keys (see `surfaces.surface_key`) that the words may stand for.
        number: the count before it, if any.
        is_plural: None where the words do not tell.
        is_mass: it is never counted.
        is_different: the count is said to be of different ones.
        words: as written, for messages.
    """

    keys: frozenset[str]
    number: int | None
    is_plural: bool | None
    is_mass: bool
    is_different: bool
    words: str


@dataclass(frozen=True)
class NameMention:
    """A recognised person is named, as displayed."""

    name: str


@dataclass(frozen=True)
class ClockMention:
    """A time of day, or a place in the clip."""

    reading: ClockReading
    words: str


@dataclass(frozen=True)
class LengthMention:
    """A number of seconds, minutes, hours.

    Attributes:
        parts: numbers with the seconds of their unit.
        is_position: "aos 12 segundos": a place in the clip, not a length.
    """

    parts: tuple[tuple[int, int], ...]
    is_position: bool
    words: str

    @property
    def seconds(self) -> int:
        """The whole, in seconds."""
        return sum(number * unit for number, unit in self.parts)


@dataclass(frozen=True)
class OthersMention:
    """So many kinds of object, or known names, that are not named."""

    what: Literal["kinds", "names"]
    number: int


@dataclass(frozen=True)
class ConditionMention:
    """Words that hold for some scenes only ("nada", "durante todo o vídeo")."""

    condition: str
    words: str


@dataclass(frozen=True)
class TotalMention:
    """Says that the sentence's counts are of different ones, in the whole clip."""


@dataclass(frozen=True)
class PlainWord:
    """A neutral word of the language, or the camera's name, with its class."""

    word: str
    kind: str


@dataclass(frozen=True)
class Mark:
    """Punctuation inside a sentence or at its end."""

    text: str


@dataclass(frozen=True)
class Stray:
    """Something that no rule allows."""

    kind: StrayKind
    words: str


Mention = (
    LabelMention
    | NameMention
    | ClockMention
    | LengthMention
    | OthersMention
    | ConditionMention
    | TotalMention
    | PlainWord
    | Mark
    | Stray
)
