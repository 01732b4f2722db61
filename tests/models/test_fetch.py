"""Fetching a model of the registry: its hash decides whether it gets its name."""

from __future__ import annotations

import random
from pathlib import Path, PurePosixPath

import pytest

from tests.models.conftest import MakeEntry, sha256_of
from tests.support.model_server import Behaviour, serve
from vv_core.clock import SystemClock
from vv_core.errors import ConfigError, InputDataError, UnavailableError, UsageError
from vv_core.models.download import Patience
from vv_core.models.fetch import Fetched, can_export, export_detector, fetch_model
from vv_core.models.registry import Entry
from vv_core.models.store import check_installed, list_installed, read_record
from vv_core.settings import Settings

DATA = b"GGUF" + random.Random(1).randbytes(100_000)
QUICK = Patience(answer_s=5.0, attempts=3, first_wait_s=0.01, longest_wait_s=0.02, reserve_bytes=0)


def fetch(entry: Entry, models: Path) -> Fetched:
    """Fetch without patience."""
    return fetch_model(entry, models, SystemClock(), patience=QUICK)


def names(folder: Path) -> set[str]:
    """Return the names in a folder."""
    return {path.name for path in folder.iterdir()}


def test_a_published_hash_is_checked_and_kept(models: Path, make_entry: MakeEntry) -> None:
    with serve(Behaviour(DATA)) as url:
        entry = make_entry(url=url, sha256=sha256_of(DATA), size=len(DATA))
        fetched = fetch(entry, models)
    assert (fetched.was_there, fetched.is_first) == (False, False)
    assert fetched.record.origin == "published"
    assert names(models / "m" / "1") == {"model.gguf", "model.json"}
    assert (models / "m" / "1" / "model.gguf").read_bytes() == DATA


def test_the_first_fetch_without_a_hash_records_it(models: Path, make_entry: MakeEntry) -> None:
    with serve(Behaviour(DATA)) as url:
        fetched = fetch(make_entry(url=url), models)
    assert fetched.is_first
    assert (fetched.record.origin, fetched.record.sha256) == ("first_fetch", sha256_of(DATA))


def test_a_file_that_is_there_is_not_fetched_again(models: Path, make_entry: MakeEntry) -> None:
    told = Behaviour(DATA)
    with serve(told) as url:
        fetch(make_entry(url=url), models)
        assert fetch(make_entry(url=url), models).was_there
    assert len(told.requests) == 1


def test_a_damaged_file_is_fetched_again_and_keeps_its_first_hash(
    models: Path, make_entry: MakeEntry
) -> None:
    with serve(Behaviour(DATA)) as url:
        fetch(make_entry(url=url), models)
        (models / "m/1/model.gguf").write_bytes(b"rot")
        fetched = fetch(make_entry(url=url), models)
    assert (fetched.was_there, fetched.is_first) == (False, False)
    assert check_installed(models, fetched.record).state == "ok"
    assert fetched.record.origin == "first_fetch"


def test_other_bytes_than_the_first_time_are_refused(models: Path, make_entry: MakeEntry) -> None:
    told = Behaviour(DATA)
    with serve(told) as url:
        entry = make_entry(url=url)
        fetch(entry, models)
        (models / "m/1/model.gguf").unlink()
        told.data = DATA[::-1]
        told.etag = '"two"'
        with pytest.raises(InputDataError, match="not the expected") as caught:
            fetch(entry, models)
        assert "the source has changed its file" in caught.value.advice
        assert names(models / "m" / "1") == {"model.json"}
        told.data = DATA
        assert not fetch(entry, models).is_first


def test_wrong_bytes_never_get_the_name(models: Path, make_entry: MakeEntry) -> None:
    with serve(Behaviour(DATA[:-1] + b"X")) as url:
        entry = make_entry(url=url, sha256=sha256_of(DATA))
        with pytest.raises(InputDataError):
            fetch(entry, models)
    assert names(models / "m" / "1") == set()
    assert list_installed(models) == []


def test_a_resumed_file_of_two_halves_starts_anew(models: Path, make_entry: MakeEntry) -> None:
    """The server changes its file under the same ETag between two calls."""
    told = Behaviour(DATA[::-1], cuts=[50_000, 0, 0, 0])
    with serve(told) as url:
        entry = make_entry(url=url, sha256=sha256_of(DATA))
        with pytest.raises(UnavailableError):
            fetch(entry, models)
        told.data = DATA
        assert fetch(entry, models).record.sha256 == sha256_of(DATA)


def test_a_crash_before_the_rename_is_repaired(models: Path, make_entry: MakeEntry) -> None:
    """The record is there, the file still has its temporary name."""
    told = Behaviour(DATA)
    with serve(told) as url:
        fetch(make_entry(url=url), models)
        folder = models / "m" / "1"
        (folder / "model.gguf").rename(folder / "model.gguf.part")
        fetched = fetch(make_entry(url=url), models)
    assert not fetched.is_first
    assert check_installed(models, fetched.record).state == "ok"


def test_a_shipped_model_is_not_fetched(models: Path, make_entry: MakeEntry) -> None:
    entry = make_entry(url=None, path=PurePosixPath("summarize_scene/model/m.gguf"))
    with pytest.raises(UsageError, match="part of the product"):
        fetch(entry, models)


def test_a_damaged_record_is_told_and_kept(models: Path, make_entry: MakeEntry) -> None:
    folder = models / "m" / "1"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    with serve(Behaviour(DATA)) as url, pytest.raises(ConfigError, match="not the record"):
        fetch(make_entry(url=url), models)
    with pytest.raises(ConfigError) as caught:
        read_record(folder)
    assert "Move that folder away" in caught.value.advice


@pytest.mark.skipif(can_export(), reason="ultralytics is installed")
def test_without_ultralytics_the_advice_says_how(
    settings: Settings, models: Path, make_entry: MakeEntry
) -> None:
    with serve(Behaviour(DATA), "m.pt") as url:
        fetched = fetch(make_entry(url=url, kind="detector"), models)
    with pytest.raises(ConfigError, match="ultralytics is not installed"):
        export_detector(settings, fetched.record)


@pytest.mark.integration
@pytest.mark.skipif(not can_export(), reason="ultralytics is not installed")
def test_a_file_that_is_no_detector_is_not_exported(
    settings: Settings, models: Path, make_entry: MakeEntry
) -> None:
    with serve(Behaviour(DATA), "m.pt") as url:
        fetched = fetch(make_entry(url=url, kind="detector"), models)
    with pytest.raises(ConfigError):
        export_detector(settings, fetched.record)
    assert read_record(models / "m" / "1") == fetched.record
