from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logline_generator.rules import (
    Conditions,
    Hours,
    Rule,
    RuleSet,
    Scene,
    choose_rule,
    matches,
)
from logline_generator.rules_file import load_rules, parse_rules

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
# A Saturday, 14:00 local.
SCENE = Scene(
    counts={"person": 2, "car": 1},
    names=("Ana Souza",),
    camera="Portaria",
    start=datetime(2026, 11, 21, 17, 0, tzinfo=UTC).astimezone(SAO_PAULO),
    detector="yolo",
    text_by="rules",
)


def conditions(text: str) -> Conditions:
    """Return conditions as an operator writes them."""
    data = (
        "schema: vv.status-rules/1\nrules:\n"
        f"- {{name: a, when: {{{text}}}, status: alerta}}\n- {{name: b, status: confirmado}}\n"
    )
    when = parse_rules(data.encode(), "rules.yaml").rules[0].when
    assert when is not None
    return when


MATCHING = [
    "labels_any: [dog, person]",
    "labels_all: [person, car]",
    "labels_none: [dog]",
    "min_count: {person: 2, car: 1}",
    "nothing_seen: false",
    'names_any: ["ana*"]',
    'names_any: ["*"]',
    'names_none: ["Bia*"]',
    "cameras: [portaria]",
    'cameras: [loja, "port?ria"]',
    'hours: "14:00-14:01"',
    'hours: "22:00-15:00"',
    'hours: "00:00-24:00"',
    'hours: "13:59-24:00"',
    "weekdays: [sat]",
    "weekdays: [dom, SAB]",
    "detector: yolo",
    "text_by: rules",
    'labels_any: [person], hours: "08:00-18:00", cameras: [portaria]',
]
NOT_MATCHING = [
    "labels_any: [dog]",
    "labels_all: [person, dog]",
    "labels_none: [dog, car]",
    "min_count: {person: 3}",
    "min_count: {dog: 1}",
    "nothing_seen: true",
    "names_any: [Ana]",
    'names_none: ["*Souza"]',
    "cameras: [port]",
    'hours: "13:00-14:00"',
    'hours: "22:00-14:00"',
    'hours: "15:00-24:00"',
    "weekdays: [fri, seg]",
    "detector: embedded",
    "text_by: model",
    'labels_any: [person], hours: "18:00-08:00"',
]


@pytest.mark.parametrize("text", MATCHING)
def test_a_condition_that_holds(text: str) -> None:
    assert matches(conditions(text), SCENE)


@pytest.mark.parametrize("text", NOT_MATCHING)
def test_a_condition_that_does_not_hold(text: str) -> None:
    assert not matches(conditions(text), SCENE)


def test_nothing_seen() -> None:
    empty = replace(SCENE, counts={}, names=())
    assert matches(conditions("nothing_seen: true"), empty)
    assert not matches(conditions("nothing_seen: false"), empty)
    assert not matches(conditions('names_any: ["*"]'), empty)


@given(st.times(), st.times(), st.times())
def test_hours_and_their_complement_divide_the_day(begin: Any, end: Any, moment: Any) -> None:
    if begin != end:
        assert Hours(begin, end).holds(moment) != Hours(end, begin).holds(moment)


NIGHT = Hours(datetime(2026, 1, 1, 22).time(), datetime(2026, 1, 1, 6).time())  # noqa: DTZ001


@pytest.mark.parametrize(
    ("utc", "is_night"),
    [
        ("2026-11-21T00:59:59", False),  # 21:59:59 local
        ("2026-11-21T01:00:00", True),  # 22:00:00
        ("2026-11-21T08:59:59", True),  # 05:59:59
        ("2026-11-21T09:00:00", False),  # 06:00:00
        # In the last summer of daylight saving the same UTC hour was one local hour later.
        ("2018-12-21T00:30:00", True),  # 22:30 at UTC-2
        ("2019-12-21T00:30:00", False),  # 21:30 at UTC-3
    ],
)
def test_hours_are_local(utc: str, is_night: bool) -> None:
    local = datetime.fromisoformat(f"{utc}+00:00").astimezone(SAO_PAULO)
    assert NIGHT.holds(local.time()) == is_night


def test_the_first_rule_that_matches_wins() -> None:
    rules = RuleSet(
        (
            Rule("no", "alerta", Conditions(labels_any=("dog",))),
            Rule("yes", "curado", Conditions(labels_any=("person",))),
            Rule("also", "experimental", Conditions(labels_any=("person",))),
            Rule("rest", "confirmado"),
        ),
        "0" * 64,
    )
    assert choose_rule(rules, SCENE).name == "yes"
    assert choose_rule(rules, replace(SCENE, counts={})).name == "rest"


NIGHT_START = datetime(2026, 11, 21, 5, 3, tzinfo=UTC).astimezone(SAO_PAULO)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, "confirmado"),
        ({"start": NIGHT_START}, "alerta"),
        ({"start": NIGHT_START, "counts": {"car": 1}}, "confirmado"),
        ({"start": NIGHT_START, "detector": "embedded"}, "experimental"),
        ({"detector": "embedded"}, "experimental"),
        ({"counts": {}}, "experimental"),
        ({"text_by": "model"}, "confirmado"),
    ],
)
def test_the_shipped_rules(changes: dict[str, Any], status: str) -> None:
    assert choose_rule(load_rules(None), replace(SCENE, **changes)).status == status
