"""The rules of the TVs: what is shipped, and what each mistake is told as."""

from __future__ import annotations

from pathlib import Path

import pytest

from tv_scheduler.config import Order, TvRule, load_rules, parse_rules
from vv_core.errors import ConfigError

TV = "  - {name: tv1, statuses: [curado], order: time, window_hours: 24}\n"
GOOD = f"schema: vv.tv-rules/1\ntvs:\n{TV}"


def test_the_shipped_rules_are_those_of_the_product() -> None:
    assert load_rules(None) == (
        TvRule("tv1", frozenset({"confirmado", "curado"}), Order.TIME, 24),
        TvRule("tv2", frozenset({"alerta"}), Order.TIME, 24),
        TvRule("tv3", frozenset({"experimental", "curado"}), Order.SHUFFLE, 24),
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
