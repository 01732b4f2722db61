"""Times in words: of the day, within the clip, and lengths; to write them and to read them.

Portuguese writes times of the day as ``14h05`` and English as ``14:05``; a place in the clip is
``m:ss`` or ``h:mm:ss`` in both, so that a reader can find it in a player.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from summarize_scene.number_words import Language, spell
from summarize_scene.vocabulary import load_vocabulary

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?|(\d{1,2})h(\d{2})?")
_MINUTE, _HOUR = 60, 3600
_HALF_DAY, _DAY_HOURS = 12, 24
_LENGTH_TOLERANCE = 0.05


@dataclass(frozen=True)
class ClockReading:
    """What a token such as ``14h05`` or ``0:05`` may mean.

    Attributes:
        time_of_day: hour and minute; None when it cannot be one.
        position_s: seconds from the first picture; None when it cannot be that.
    """

    time_of_day: tuple[int, int] | None
    position_s: int | None


def clock_text(moment: datetime, language: Language) -> str:
    """Return a local time of day, to the minute."""
    if language == "en":
        return f"{moment:%H:%M}"
    return f"{moment.hour}h{moment:%M}" if moment.minute else f"{moment.hour}h"


def at_clock(moment: datetime, language: Language, *, is_certain: bool) -> str:
    """Return "às 14h05", "at 14:05"; "por volta das 14h05", "around 14:05" when uncertain."""
    text = clock_text(moment, language)
    if language == "en":
        return f"{'at' if is_certain else 'around'} {text}"
    plural = "s" if moment.hour > 1 else ""
    return f"à{plural} {text}" if is_certain else f"por volta da{plural} {text}"


def position_text(seconds: float) -> str:
    """Return a place in the clip as ``m:ss``, from an hour on as ``h:mm:ss``."""
    whole = int(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, seconds_left = divmod(rest, _MINUTE)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds_left:02d}"
    return f"{minutes}:{seconds_left:02d}"


def duration_text(seconds: float, language: Language) -> str:
    """Return a length such as "40 segundos" or "1 hora e 5 minutos"; empty below half a second."""
    whole = round(seconds)
    if whole < _HOUR:
        parts = [(whole // _MINUTE, _MINUTE), (whole % _MINUTE, 1)]
    else:
        minutes = round(seconds / _MINUTE)
        parts = [(minutes // _MINUTE, _HOUR), (minutes % _MINUTE, _MINUTE)]
    joint = " e " if language == "pt-BR" else " and "
    return joint.join(_amount(number, unit, language) for number, unit in parts if number)


def _amount(number: int, unit: int, language: Language) -> str:
    vocabulary = load_vocabulary(language)
    one, many = vocabulary.units[unit]
    return f"{spell(number, language, vocabulary.unit_gender[unit])} {one if number == 1 else many}"


def read_clock(token: str, half_day: str = "") -> ClockReading:
    """Return what a clock token may mean.

    Args:
        token: such as ``14h05``, ``14:05``, ``0:05`` or ``1:02:03``.
        half_day: "am" or "pm" when that follows.
    """
    match = _CLOCK.fullmatch(token)
    if match is None:
        return ClockReading(None, None)
    first, second, third, hour, minute = match.groups()
    if hour is not None:
        return ClockReading(_time_of_day(int(hour), int(minute or 0), half_day), None)
    if third is not None:
        return ClockReading(None, int(first) * _HOUR + int(second) * _MINUTE + int(third))
    position = None if half_day else int(first) * _MINUTE + int(second)
    return ClockReading(_time_of_day(int(first), int(second), half_day), position)


def _time_of_day(hour: int, minute: int, half_day: str) -> tuple[int, int] | None:
    if half_day and not 1 <= hour <= _HALF_DAY:
        return None
    if half_day:
        hour = hour % _HALF_DAY + (_HALF_DAY if half_day == "pm" else 0)
    return (hour, minute) if hour < _DAY_HOURS and minute < _MINUTE else None


def is_same_length(stated: Iterable[tuple[int, int]], seconds: float) -> bool:
    """Tell whether a stated length is that of the clip: to half of its smallest unit, and to 5 %.

    Args:
        stated: numbers with the length of their unit in seconds, as ((1, 60), (20, 1)).
        seconds: the clip's length.
    """
    parts = list(stated)
    total = sum(number * unit for number, unit in parts)
    smallest = min(unit for _, unit in parts)
    tolerance = min(smallest / 2, _LENGTH_TOLERANCE * seconds)
    return total > 0 and abs(total - seconds) <= max(tolerance, 1)
