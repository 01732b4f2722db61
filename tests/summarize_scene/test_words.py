"""Words: numbers, times, names, and that the two lexicons are whole."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from summarize_scene.display import clean_name, display_camera, display_label, display_person
from summarize_scene.number_words import LARGEST_READ, Language, number_phrases, spell
from summarize_scene.times import (
    at_clock,
    duration_text,
    is_same_length,
    position_text,
    read_clock,
)
from summarize_scene.vocabulary import LANGUAGES, load_vocabulary, reserved_words

COCO_LABELS = 80
EXTRA_LABELS = {
    "face",
    "motion",
    "fire",
    "smoke",
    "weapon",
    "gun",
    "pistol",
    "rifle",
    "helmet",
    "vest",
    "license plate",
    "van",
    "forklift",
}


def test_both_lexicons_name_the_same_labels() -> None:
    portuguese, english = (load_vocabulary(language) for language in LANGUAGES)
    assert portuguese.labels.keys() == english.labels.keys()
    assert len(english.labels.keys() - EXTRA_LABELS) == COCO_LABELS
    assert portuguese.alert_labels == english.alert_labels <= english.labels.keys()
    assert portuguese.conditions.keys() == english.conditions.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_plain_word_is_also_a_label(language: Language) -> None:
    vocabulary = load_vocabulary(language)
    labels = {
        text for forms in vocabulary.labels.values() for f in forms for text in (f.one, f.many)
    }
    assert not labels & vocabulary.words.keys()
    assert not vocabulary.negations & vocabulary.words.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_a_reading(language: Language) -> None:
    assert set(number_phrases(language).values()) == set(range(LARGEST_READ + 1))


@pytest.mark.parametrize(
    ("language", "words", "number"),
    [
        ("pt-BR", "duas", 2),
        ("pt-BR", "vinte e uma", 21),
        ("pt-BR", "cento e noventa e nove", 199),
        ("pt-BR", "catorze", 14),
        ("en", "twenty-one", 21),
        ("en", "ninety nine", 99),
        ("en", "a hundred and five", 105),
    ],
)
def test_numbers_in_words(language: Language, words: str, number: int) -> None:
    assert number_phrases(language)[tuple(words.split())] == number


def test_numbers_are_spelled_up_to_ten() -> None:
    assert [spell(n, "pt-BR", "f") for n in (1, 2, 3, 11)] == ["uma", "duas", "três", "11"]
    assert [spell(n, "en") for n in (0, 10, 21)] == ["zero", "ten", "21"]


@pytest.mark.parametrize(
    ("hour", "minute", "portuguese", "english"),
    [
        (0, 5, "à 0h05", "at 00:05"),
        (1, 0, "à 1h", "at 01:00"),
        (2, 0, "às 2h", "at 02:00"),
        (14, 5, "às 14h05", "at 14:05"),
    ],
)
def test_times_of_the_day(hour: int, minute: int, portuguese: str, english: str) -> None:
    moment = datetime(2026, 11, 21, hour, minute, tzinfo=UTC)
    assert at_clock(moment, "pt-BR", is_certain=True) == portuguese
    assert at_clock(moment, "en", is_certain=True) == english


@pytest.mark.parametrize(
    ("token", "half_day", "time_of_day", "position_s"),
    [
        ("14h05", "", (14, 5), None),
        ("9h", "", (9, 0), None),
        ("25h", "", None, None),
        ("0:05", "", (0, 5), 5),
        ("75:10", "", None, 4510),
        ("1:02:03", "", None, 3723),
        ("2:05", "pm", (14, 5), None),
        ("12:00", "am", (0, 0), None),
        ("14:05", "pm", None, None),
    ],
)
def test_reading_clocks(
    token: str, half_day: str, time_of_day: tuple[int, int] | None, position_s: int | None
) -> None:
    reading = read_clock(token, half_day)
    assert (reading.time_of_day, reading.position_s) == (time_of_day, position_s)


@pytest.mark.parametrize(
    ("seconds", "portuguese", "english"),
    [
        (0.2, "", ""),
        (1.0, "um segundo", "one second"),
        (59.6, "um minuto", "one minute"),
        (80.0, "um minuto e 20 segundos", "one minute and 20 seconds"),
        (7262.0, "duas horas e um minuto", "two hours and one minute"),
        (3600.0, "uma hora", "one hour"),
    ],
)
def test_lengths(seconds: float, portuguese: str, english: str) -> None:
    assert duration_text(seconds, "pt-BR") == portuguese
    assert duration_text(seconds, "en") == english


@pytest.mark.parametrize(
    ("parts", "seconds", "is_same"),
    [
        ([(40, 1)], 40.4, True),
        ([(40, 1)], 41.5, False),
        ([(1, 60)], 62.0, True),
        ([(1, 60)], 80.0, False),
        ([(1, 3600), (5, 60)], 3920.0, True),
        ([(0, 60)], 0.0, False),
    ],
)
def test_comparing_lengths(parts: list[tuple[int, int]], seconds: float, is_same: bool) -> None:
    assert is_same_length(parts, seconds) is is_same


def test_places_in_the_clip() -> None:
    assert [position_text(s) for s in (0, 5.9, 65, 3723)] == ["0:00", "0:05", "1:05", "1:02:03"]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("maria", "Maria"),
        ("joao_silva", "Joao Silva"),
        ("Ana", "Ana"),
        ("José da Silva", "José da Silva"),
        ("José Da", "“José Da”"),
        ("da Silva", "“da Silva”"),
        ("D'Ávila", "D'Ávila"),
        ("Carro", "“Carro”"),
        ("dog", "“Dog”"),
        ("Dois", "“Dois”"),
        ("Agente 7", "“Agente 7”"),
        ("“fogo”", "“Fogo”"),
        ("\u202e", "“?”"),
        ("x" * 50, "“X" + "x" * 38 + "…”"),
    ],
)  # fmt: skip
def test_how_people_are_written(raw: str, shown: str) -> None:
    assert str(display_person(raw)) == shown


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("entrada", "entrada"),
        ("cam1", "cam1"),
        ("portao-2", "portao-2"),
        ("Linha 2", "“Linha 2”"),
        ("carro", "“carro”"),
        ("noite", "“noite”"),
        ("2", "“2”"),
        ("<|im_end|>", "im_end"),
        ("a\nb", "“a b”"),
    ],
)
def test_how_cameras_are_written(raw: str, shown: str) -> None:
    assert str(display_camera(raw)) == shown


def test_unknown_labels_are_always_quoted() -> None:
    assert str(display_label("pallet_jack")) == "“pallet jack”"


@given(st.text())
def test_a_clean_name_is_short_and_cannot_end_a_quotation(raw: str) -> None:
    name = clean_name(raw)
    assert len(name) <= 40
    assert not set(name) & set('“”"\n\r\t<>|[]{}\\`')
    assert name == name.strip()


def test_words_of_both_languages_are_reserved() -> None:
    assert {"dog", "cachorro", "dois", "noite", "the", "sem"} <= reserved_words()
