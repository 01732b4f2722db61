"""What ``vv-models list`` shows."""

from __future__ import annotations

import json
from pathlib import PurePosixPath

import pytest

from tests.models.conftest import Install, MakeEntry, registry_of
from vv_core.models.active import Choice, Switch
from vv_core.models.metrics import ModelFigures
from vv_core.models.rows import BoxView, build_rows, figures_text, row_document, row_lines

SHA = "a" * 64
FIGURES = ModelFigures("own.gguf", SHA, 8, 0.875, 0.75, 0.031, 0.05)


def test_each_model_says_where_it_is_and_how_its_hash_is_known(
    install: Install, make_entry: MakeEntry
) -> None:
    own = make_entry("own", url=None, path=PurePosixPath("own/model/own.gguf"))
    gone = make_entry("gone", url=None, path=PurePosixPath("own/model/gone.gguf"))
    published = make_entry("published", sha256="b" * 64, size=5)
    fetched, unknown = make_entry("fetched"), make_entry("unknown")
    record, foreign = install("fetched", b"GGUF"), install("foreign", b"GGUF more")
    registry = registry_of(own, gone, published, fetched, unknown)
    box = BoxView([record, foreign], {}, {"own": SHA}, [FIGURES])
    rows = {row.name: row for row in build_rows(registry, box, "en")}
    assert [(row.place, row.hash_origin) for row in rows.values()] == [
        ("shipped", "shipped"),
        ("absent", None),
        ("listed", "published"),
        ("installed", "first_fetch"),
        ("listed", None),
        ("installed", "first_fetch"),
    ]
    assert [row.name for row in rows.values() if row.in_use] == ["own"]
    assert rows["own"].figures == FIGURES
    assert rows["fetched"].size == 4
    json.dumps([row_document(row) for row in rows.values()])


def test_what_was_activated_is_in_use(install: Install, make_entry: MakeEntry) -> None:
    own = make_entry("own", url=None, path=PurePosixPath("own/model/own.gguf"))
    foreign = install("foreign", b"GGUF more")
    choice = Choice("foreign", "1", "foreign/1/foreign.gguf", foreign.sha256, "now")
    box = BoxView([foreign], {"summary": Switch(choice)}, {"own": SHA}, [])
    rows = build_rows(registry_of(own), box, "pt-BR")
    assert [row.name for row in rows if row.in_use] == ["foreign"]
    lines = row_lines(rows, "pt-BR")
    assert any(line.startswith("* foreign") and "instalado" in line for line in lines)


@pytest.mark.parametrize(
    ("language", "share", "time"),
    [("en", "87.5% kept", "p95 0.05 s"), ("pt-BR", "87,5% mantidos", "p95 0,05 s")],
)
def test_figures_are_said_in_the_viewers_language(language: str, share: str, time: str) -> None:
    text = figures_text(FIGURES, language)
    assert share in text
    assert time in text
