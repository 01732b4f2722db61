"""Records on disk: read back, checked, and refused where they are damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.conftest import Install, sha256_of
from vv_core.errors import ConfigError, InputDataError, InputMissingError, TemporaryError
from vv_core.models.store import (
    Installed,
    check_installed,
    commit_file,
    list_installed,
    models_lock,
    newest,
    parse_record,
    read_record,
)


def test_a_record_is_read_back(models: Path, install: Install) -> None:
    record = install("m", b"GGUF one")
    assert read_record(models / "m" / "1") == record
    assert list_installed(models) == [record]


def test_a_file_is_found_whole_missing_or_changed(models: Path, install: Install) -> None:
    record = install("m", b"GGUF one")
    assert check_installed(models, record).state == "ok"
    (models / "m/1/m.gguf").write_bytes(b"GGUF two")
    changed = check_installed(models, record)
    assert (changed.state, changed.found) == ("changed", sha256_of(b"GGUF two"))
    (models / "m/1/m.gguf").unlink()
    assert check_installed(models, record).state == "missing"


def test_the_newest_version_of_a_name_wins(install: Install) -> None:
    first = install("m", b"GGUF one", version="1", installed="2026-11-20T12:00:00Z")
    second = install("m", b"GGUF two", version="2", installed="2026-11-21T12:00:00Z")
    install("n", b"GGUF three", installed="2026-11-22T12:00:00Z")
    assert newest([second, first], "m") == second
    assert newest([second, first], "o") is None


def test_a_hash_that_is_known_must_be_met(models: Path, install: Install) -> None:
    record = install("m", b"GGUF one")
    complete = models / "complete"
    complete.write_bytes(b"GGUF two")
    other = replace(record, sha256=sha256_of(b"GGUF two"))
    with pytest.raises(InputDataError, match="not the expected"):
        commit_file(complete, models / "m" / "1", other, known_sha256=record.sha256)
    assert complete.exists()
    assert check_installed(models, record).state == "ok"


def test_only_one_command_changes_models_at_a_time(models: Path) -> None:
    with (
        models_lock(models),
        pytest.raises(TemporaryError, match="another vv-models"),
        models_lock(models),
    ):
        pass
    with models_lock(models):
        pass


def test_a_lock_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputMissingError), models_lock(tmp_path / "file" / "models"):
        pass


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "other"},
        {"file": "../../x"},
        {"loads": "a/b"},
        {"size": "1"},
        {"size": True},
        {"kind": "voice"},
        {"origin": "hearsay"},
        {"sha256": ""},
        {"loads_sha256": 1},
        {"colour": "red"},
    ],
)
def test_a_damaged_record_is_refused(
    models: Path, install: Install, change: dict[str, object]
) -> None:
    install("m", b"GGUF one")
    path = models / "m/1/model.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **change}), "utf-8")
    with pytest.raises(ConfigError, match="not the record of a model"):
        list_installed(models)


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=9)
NAME = TEXT.filter(lambda text: text not in {".", ".."})


@given(
    st.builds(
        Installed,
        name=TEXT,
        kind=st.sampled_from(["summary", "detector"]),
        version=TEXT,
        file=NAME,
        sha256=TEXT,
        size=st.integers(min_value=0, max_value=2**60),
        origin=st.sampled_from(["published", "first_fetch", "import"]),
        source=TEXT,
        installed=TEXT,
        loads=st.none() | NAME,
        loads_sha256=st.none() | TEXT,
    )
)
def test_any_record_survives_its_document(record: Installed) -> None:
    document = {"schema": "vv.models.installed/1", **vars(record)}
    assert parse_record(json.loads(json.dumps(document))) == record
