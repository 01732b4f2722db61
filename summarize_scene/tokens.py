"""A text cut into tokens and sentences, as the check reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

TokenKind = Literal["word", "number", "clock", "quoted", "mark", "stop", "bad"]

_PATTERN = re.compile(
    r"""
    (?P<space>[ ]+)
  | (?P<quoted>“[^“”"]*”|"[^“”"]*")
  | (?P<clock>\d{1,2}:\d{2}(?::\d{2})?(?!\w)|\d{1,2}h(?:\d{2})?(?!\w))
  | (?P<number>\d+(?:[.,]\d+)*(?!\w))
  | (?P<word>[^\W\d_]\w*(?:['’-]\w+)*)
  | (?P<stop>[.!?])
  | (?P<mark>[,;:()–—-])
  | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """One piece of a text.

    Attributes:
        kind: "stop" ends a sentence, "bad" is a character that a text does not hold.
        text: as written; without the marks for a quoted name.
        key: case-folded text with its quotation marks, so that a quoted name is no word.
    """

    kind: TokenKind
    text: str
    key: str


def split_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a text, spaces left out."""
    for match in _PATTERN.finditer(text):
        kind = match.lastgroup
        if kind == "space" or kind is None:
            continue
        raw = match.group()
        content = raw[1:-1] if kind == "quoted" else raw
        yield Token(kind, content, raw.casefold())  # type: ignore[arg-type]


def split_sentences(text: str) -> list[list[Token]]:
    """Return the sentences of a text, each with its stop, if it has one."""
    sentences: list[list[Token]] = [[]]
    for token in split_tokens(text):
        sentences[-1].append(token)
        if token.kind == "stop":
            sentences.append([])
    return [sentence for sentence in sentences if sentence]
