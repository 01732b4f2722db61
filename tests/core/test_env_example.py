"""`.env.example` tells the truth about the settings."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

from tests.core.conftest import ROOT
from tests.core.test_settings import write_env
from vv_core.settings import Settings, known_variables, load_settings

EXAMPLE = ROOT / ".env.example"
EXAMPLE_LINE = re.compile(r"#(?P<name>[A-Z_]+)=(?P<value>.*)")


def test_the_example_names_every_setting_once_in_order() -> None:
    names = [match["name"] for match in EXAMPLE_LINE.finditer(EXAMPLE.read_text("utf-8"))]
    # VV_HOME says where .env is, so it cannot stand in it.
    assert sorted(names) == sorted(set(known_variables()) - {"VV_HOME"})
    assert len(names) == len(set(names))


def test_the_example_describes_every_setting_in_the_same_words() -> None:
    lines = EXAMPLE.read_text("utf-8").splitlines()
    for before, line in pairwise(lines):
        if match := EXAMPLE_LINE.fullmatch(line):
            assert before == f"# {known_variables()[match['name']]}"


def test_the_example_shows_the_defaults(tmp_path: Path) -> None:
    text = EXAMPLE_LINE.sub(r"\g<name>=\g<value>", EXAMPLE.read_text("utf-8"))
    write_env(tmp_path, text)
    assert load_settings() == Settings(home=tmp_path)


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    write_env(tmp_path, EXAMPLE.read_text("utf-8"))
    assert load_settings() == Settings(home=tmp_path)


def test_the_example_shows_a_value_wherever_there_is_a_default() -> None:
    empty = {
        match["name"]
        for match in EXAMPLE_LINE.finditer(EXAMPLE.read_text("utf-8"))
        if not match["value"]
    }
    without_default = {
        str(field.validation_alias)
        for field in Settings.model_fields.values()
        if field.default in (None, "")
    }
    assert empty == without_default | {"VV_START_PATTERNS"}  # too long for a line
