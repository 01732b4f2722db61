"""Names that somebody else chose (cameras, people, labels), made fit to stand in a text.

A camera is a folder that anybody with access to the recorder may name, and a person is a folder of
the operator's: both are data. What cannot be printed, what ends a quotation and what chat formats use
for control is taken out, and the rest is cut. A name that could be read as something else (a label,
a number, a word of the language) stands in quotation marks, so that neither a reader nor the check
of the text takes the person “Dog” for a dog.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from summarize_scene.vocabulary import reserved_words

MAX_NAME_CHARS = 40
OPENING, CLOSING = "“", "”"

_KEPT_PUNCTUATION = frozenset("-_.'&#/+,@°ºª")
_KEPT_CATEGORIES = frozenset({"Lu", "Ll", "Lt", "Lo", "Lm", "Mn", "Mc", "Nd", "Nl", "No", "So"})
_PLAIN_NAME = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*(?: [^\W\d_]+(?:['-][^\W\d_]+)*){0,3}")
_PLAIN_CAMERA = re.compile(r"[^\W\d_]\w*(?:-\w+)*")
_MIN_PLAIN_CHARS = 2
_PARTICLES = frozenset({"da", "das", "de", "do", "dos", "e"})
"""Small words inside Portuguese names ("Maria da Silva")."""
_MAX_PARTICLES = 2


@dataclass(frozen=True)
class Display:
    """How a name stands in a text.

    Attributes:
        text: the name without quotation marks; empty when nothing of it could be kept.
        is_plain: whether it needs none.
    """

    text: str
    is_plain: bool

    def __str__(self) -> str:
        """Return the name as it is written."""
        return self.text if self.is_plain else f"{OPENING}{self.text}{CLOSING}"


# Each check of a text asks for each name of its scene again and again, and a name may be long.
@lru_cache(maxsize=256)
def clean_name(raw_name: str, max_chars: int = MAX_NAME_CHARS) -> str:
    """Return a name without what cannot be printed or could steer a reader, cut to a length.

    Letters, marks, digits, symbols such as emoji and a little punctuation stay; everything else
    (control and format characters, quotes, brackets, ``<|…|>``) becomes a space.
    """
    text = unicodedata.normalize("NFC", raw_name)
    kept = " ".join("".join(char if _is_kept(char) else " " for char in text).split())
    return kept if len(kept) <= max_chars else kept[: max_chars - 1].rstrip() + "…"


def _is_kept(char: str) -> bool:
    return char in _KEPT_PUNCTUATION or unicodedata.category(char) in _KEPT_CATEGORIES


def display_person(raw_name: str) -> Display:
    """Return how an enrolled person's name is written.

    Folder names such as ``maria_silva`` become "Maria Silva".
    """
    text = clean_name(raw_name)
    if text.islower():
        text = " ".join(part[:1].upper() + part[1:] for part in text.replace("_", " ").split())
    words = text.split()
    own = [word for word in words if word not in _PARTICLES or word in {words[0], words[-1]}]
    capital = all(word[:1].isupper() for word in own)
    is_plain = capital and _is_plain(" ".join(own), _PLAIN_NAME)
    return Display(text or "?", is_plain and len(words) - len(own) <= _MAX_PARTICLES)


def display_camera(raw_name: str) -> Display:
    """Return how a camera's name is written; its text is empty when there is none."""
    text = clean_name(raw_name)
    return Display(text, _is_plain(text, _PLAIN_CAMERA))


def display_label(raw_label: str) -> Display:
    """Return how a label is written that the lexicon does not name: always quoted."""
    return Display(clean_name(raw_label.replace("_", " ")) or "?", is_plain=False)


def _is_plain(text: str, pattern: re.Pattern[str]) -> bool:
    if len(text) < _MIN_PLAIN_CHARS or not pattern.fullmatch(text):
        return False
    words = re.split(r"[ '_-]", text.casefold())
    return not reserved_words().intersection([text.casefold(), *words])
