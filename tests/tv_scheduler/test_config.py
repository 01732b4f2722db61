"""The rules of the TVs: what is shipped, and what each mistake is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from tv_scheduler.config import load_rules, parse_rules
from tv_scheduler.rules import DayHours, Order, Pick, Priority, TvRule
from vv_core.errors import ConfigError

TV = "  - {name: tv1, statuses: [curado], order: time, window_hours: 24}\n"
GOOD = f"schema: vv.tv-rules/1\ntvs:\n{TV}"


def test_the_shipped_rules_are_those_of_the_product() -> None:
    alarms = Pick(frozenset({"alerta"}))
    assert load_rules(None) == (
        TvRule("tv1", Pick(frozenset({"confirmado", "curado"})), Order.TIME, 24),
        TvRule("tv2", alarms, Order.TIME, 24, priority=(Priority(alarms, 5, 15),)),
        TvRule("tv3", Pick(frozenset({"experimental", "curado"})), Order.SHUFFLE, 24),
    )


FULL = """\
schema: vv.tv-rules/1
tvs:
  - name: tv1
    statuses: [curado, alerta]
    order: newest
    window_hours: 48
    cameras: [portaria]
    labels: [person, "carro azul"]
    hours: ["18:00-06:00", "12:00-24:00"]
    max_age_hours: 6
    max_length_minutes: 10
    max_items: 50
    repeats: 2
    valid_s: 60
    language: en
    priority:
      - {statuses: [alerta], cameras: [portaria], level: 9, minutes: 15}
      - {labels: [person], level: 1, minutes: 1}
"""


def test_each_key_is_read() -> None:
    assert parse_rules(FULL.encode(), "my.yaml") == (
        TvRule(
            "tv1",
            Pick(
                frozenset({"curado", "alerta"}),
                frozenset({"portaria"}),
                frozenset({"person", "carro azul"}),
            ),
            Order.NEWEST,
            48,
            hours=(DayHours(18 * 60, 6 * 60), DayHours(12 * 60, 24 * 60)),
            max_age_hours=6,
            max_length_minutes=10,
            max_items=50,
            repeats=2,
            valid_s=60,
            language="en",
            priority=(
                Priority(Pick(frozenset({"alerta"}), frozenset({"portaria"})), 9, 15),
                Priority(Pick(labels=frozenset({"person"})), 1, 1),
            ),
        ),
    )


WRONG = {
    "another schema": (GOOD.replace("/1", "/9"), 1, "schema"),
    "no TV": ("schema: vv.tv-rules/1\ntvs: []\n", 2, "tvs"),
    "an unknown key": (GOOD.replace("order", "ordr"), 3, "ordr"),
    "a key is missing": (GOOD.replace(", window_hours: 24", ""), 3, "window_hours"),
    "an unknown status": (GOOD.replace("curado", "curada"), 3, "statuses"),
    "no status": (GOOD.replace("[curado]", "[]"), 3, "statuses"),
    "a name that climbs": (GOOD.replace("tv1", "../tv1"), 3, "name"),
    "the name of all": (GOOD.replace("tv1", "playlist"), 3, "name"),
    "an unknown order": (GOOD.replace("time", "random"), 3, "order"),
    "too long a window": (GOOD.replace("24", "721"), 3, "window_hours"),
    "no number": (GOOD.replace("24", "1.5"), 3, "window_hours"),
    "a name twice": (GOOD + TV.replace("tv1", "TV1"), 4, "name"),
    "too old": (FULL.replace("max_age_hours: 6", "max_age_hours: 721"), 10, "max_age_hours"),
    "too long": (FULL.replace("minutes: 10", "minutes: 1441"), 11, "max_length_minutes"),
    "too many": (FULL.replace("items: 50", "items: 5001"), 12, "max_items"),
    "too often": (FULL.replace("repeats: 2", "repeats: 11"), 13, "repeats"),
    "never": (FULL.replace("repeats: 2", "repeats: 0"), 13, "repeats"),
    "too short a trust": (FULL.replace("valid_s: 60", "valid_s: 9"), 14, "valid_s"),
    "an unknown language": (FULL.replace("language: en", "language: fr"), 15, "language"),
    "hours without a colon": (FULL.replace("18:00-06:00", "18-6"), 9, "hours"),
    "hours of another planet": (FULL.replace("18:00-06:00", "18:00-24:01"), 9, "hours"),
    "a minute too many": (FULL.replace("18:00-06:00", "18:60-20:00"), 9, "hours"),
    "a start at the end of the day": (FULL.replace("18:00-06:00", "24:00-06:00"), 9, "hours"),
    "no hours at all": (FULL.replace("18:00-06:00", "18:00-18:00"), 9, "hours"),
    "a camera that is a number": (FULL.replace("[portaria]\n", "[1]\n"), 7, "cameras"),
    "a level too high": (FULL.replace("level: 9", "level: 10"), 17, "level"),
    "a priority of nothing": (FULL.replace("{labels: [person], ", "{"), 18, "priority"),
    "a priority without end": (FULL.replace(", minutes: 1}", "}"), 18, "minutes"),
    "a priority of years": (FULL.replace("minutes: 1}", "minutes: 1441}"), 18, "minutes"),
    "a list of texts": ("schema: vv.tv-rules/1\ntvs: [tv1]\n", 2, "tvs"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_names_file_line_and_key(name: str) -> None:
    text, line, key = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        parse_rules(text.encode(), "my.yaml")
    assert f"'my.yaml', line {line}, key {key!r}" in caught.value.message
    assert "config.yaml" in caught.value.advice


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_rules(tmp_path / "none.yaml")
