"""Numbers in words, both languages: to write them, and to find them in a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import Literal

Language = Literal["pt-BR", "en"]
Gender = Literal["f", "m"]

LARGEST_WRITTEN = 10
"""Numbers above this are written in digits, as style guides of both languages do."""

LARGEST_READ = 199

_PT_UNITS: tuple[tuple[str, ...], ...] = (
    ("zero",),
    ("um", "uma"),
    ("dois", "duas"),
    ("três",),
    ("quatro",),
    ("cinco",),
    ("seis",),
    ("sete",),
    ("oito",),
    ("nove",),
    ("dez",),
    ("onze",),
    ("doze",),
    ("treze",),
    ("quatorze", "catorze"),
    ("quinze",),
    ("dezesseis",),
    ("dezessete",),
    ("dezoito",),
    ("dezenove",),
)
_PT_TENS = ("vinte", "trinta", "quarenta", "cinquenta", "sessenta", "setenta", "oitenta", "noventa")
_EN_UNITS = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_EN_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEN, _TWENTY, _HUNDRED = 10, 20, 100
_FEMININE = {1: "uma", 2: "duas"}


def spell(number: int, language: Language, gender: Gender = "m") -> str:
    """Return a count as a text holds it: in words up to ten, in digits above."""
    if number > LARGEST_WRITTEN:
        return str(number)
    if language == "en":
        return _EN_UNITS[number]
    if gender == "f" and number in _FEMININE:
        return _FEMININE[number]
    return _PT_UNITS[number][0]


@lru_cache(maxsize=2)
def number_phrases(language: Language) -> Mapping[tuple[str, ...], int]:
    """Return every way to write the numbers 0 to `LARGEST_READ` in lower-case words.

    Returns:
        The words of a number, as a tuple, to its value; English compounds with and without hyphen.
    """
    spellings = _pt_spellings if language == "pt-BR" else _en_spellings
    return {
        tuple(phrase.split()): number
        for number in range(LARGEST_READ + 1)
        for phrase in spellings(number)
    }


def number_tokens() -> frozenset[str]:
    """Return every single word of a number, in both languages."""
    return frozenset(
        word
        for language in ("pt-BR", "en")
        for phrase in number_phrases(language)
        for word in phrase
    )


def _pt_spellings(number: int) -> Iterator[str]:
    if number < _TWENTY:
        yield from _PT_UNITS[number]
    elif number < _HUNDRED:
        tens, unit = divmod(number, _TEN)
        head = _PT_TENS[tens - 2]
        yield from [head] if unit == 0 else [f"{head} e {word}" for word in _PT_UNITS[unit]]
    elif number == _HUNDRED:
        yield "cem"
    else:
        yield from (f"cento e {rest}" for rest in _pt_spellings(number - _HUNDRED))


def _en_spellings(number: int) -> Iterator[str]:
    if number < _TWENTY:
        yield _EN_UNITS[number]
    elif number < _HUNDRED:
        tens, unit = divmod(number, _TEN)
        head = _EN_TENS[tens - 2]
        yield from [head] if unit == 0 else (f"{head}{sep}{_EN_UNITS[unit]}" for sep in "- ")
    elif number == _HUNDRED:
        yield from ("one hundred", "a hundred")
    else:
        joints = product(("one hundred", "a hundred"), (" ", " and "))
        for (head, joint), rest in product(joints, list(_en_spellings(number - _HUNDRED))):
            yield f"{head}{joint}{rest}"
