"""Numbers as people of each language write them."""

from __future__ import annotations

import pytest

from vv_core.number_text import decimal_text, size_text


@pytest.mark.parametrize(
    ("value", "digits", "portuguese", "english"),
    [
        (1.5, 1, "1,5", "1.5"),
        (0, 2, "0,00", "0.00"),
        (1234.567, 2, "1234,57", "1234.57"),
        (7, 0, "7", "7"),
    ],
)
def test_decimal_marks(value: float, digits: int, portuguese: str, english: str) -> None:
    assert decimal_text(value, digits, "pt-BR") == portuguese
    assert decimal_text(value, digits, "en") == english


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (64_874_086_400, "64.9 GB"),
        (10**19, "10000.0 PB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size, "en") == text
    assert size_text(size, "pt-BR") == text.replace(".", ",")
