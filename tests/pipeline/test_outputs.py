"""What the stages left on disk: whose it is, whether it can be believed, what to call the next."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.documents import make_analytic
from vv_core.paths import MAX_STEM_BYTES, Storage
from vv_core.pipeline.outputs import choose_stem, output_problem, owner_of
from vv_core.pipeline.stages import StageSpec, pipeline_stages
from vv_core.settings import load_settings

A, B = "a" * 64, "b" * 64
SCAN, SUMMARIZE, LOGLINE = pipeline_stages(load_settings())

# Few digits and few letters, so that names and first digits meet often.
hashes = st.text("ab", min_size=3, max_size=9).map(lambda digits: (digits * 64)[:64])
stems = st.one_of(
    st.text("ab-", min_size=1, max_size=4),
    st.sampled_from(["x" * 180, "x" * 250, "-", ".x", "x\n", "x\udcff", "🎥" * 60]),
    st.builds("{}-{}".format, st.sampled_from(["a", "b"]), hashes.map(lambda sha: sha[:8])),
)


@given(st.lists(st.tuples(stems, hashes), max_size=30))
def test_no_two_videos_share_a_stem_and_each_finds_its_own(videos: list[tuple[str, str]]) -> None:
    owners: dict[str, str] = {}
    chosen: dict[tuple[str, str], str] = {}
    for raw_stem, sha256 in videos:
        stem = choose_stem(raw_stem, sha256, owners.get)
        assert owners.setdefault(stem, sha256) == sha256
        assert chosen.setdefault((raw_stem, sha256), stem) == stem
        assert 0 < len(os.fsencode(stem)) <= MAX_STEM_BYTES
        assert stem.isprintable()
        assert stem[0] not in "-."


def test_the_usual_names() -> None:
    owners = {"a": B}
    assert choose_stem("a", B, owners.get) == "a"
    assert choose_stem("a", A, owners.get) == "a-aaaaaaaa"
    owners["a-aaaaaaaa"] = "c" * 64
    assert choose_stem("a", A, owners.get) == "a-aaaaaaaa-aaaaaaaa"


def test_a_name_is_kept_when_the_one_who_had_the_plain_one_has_gone() -> None:
    assert choose_stem("a", A, {"a-aaaaaaaa": A}.get) == "a-aaaaaaaa"


def write(storage: Storage, spec: StageSpec, stem: str, document: object) -> Path:
    path = spec.output(storage, stem)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def test_the_last_stage_says_whose_a_stem_is(storage: Storage) -> None:
    owner = owner_of(storage, (SCAN, SUMMARIZE, LOGLINE))
    assert owner("x") is None
    write(storage, SCAN, "x", {"source_hash": A})
    assert owner("x") == A
    write(storage, LOGLINE, "x", {"evidence": {"video_sha256": B}})
    assert owner("x") == B


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "1", '{"source_hash": 5}', '{"source_hash": {"a": 1}}', "{}"]
)
def test_a_file_that_says_nothing_is_somebodys(storage: Storage, content: str) -> None:
    write(storage, SCAN, "x", content)
    assert owner_of(storage, (SCAN, SUMMARIZE, LOGLINE))("x") == "unreadable"


def test_a_good_output_has_no_problem(storage: Storage) -> None:
    path = write(storage, SCAN, "x", make_analytic(A))
    assert output_problem(SCAN, path, A) is None
    assert output_problem(SCAN, path, B) == "'x.analytic.json' belongs to another video"


Damage = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda document: "{", "not a usable JSON document"),
        (lambda document: {**document, "extra": 1}, "does not follow analytic.schema.json"),
        (lambda document: {**document, "source_hash": "A"}, "does not follow analytic.schema.json"),
        (lambda document: [document], "does not follow analytic.schema.json"),
    ],
)
def test_what_is_wrong_with_an_output_is_said(
    storage: Storage, damage: Damage, expected: str
) -> None:
    path = write(storage, SCAN, "x", damage(make_analytic(A)))
    problem = output_problem(SCAN, path, A)
    assert problem is not None
    assert expected in problem


def test_a_missing_output_is_a_problem(storage: Storage) -> None:
    problem = output_problem(SCAN, SCAN.output(storage, "x"), A)
    assert problem is not None
    assert "No such file" in problem
