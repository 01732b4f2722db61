"""Models from a file or a USB folder."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from tests.models.conftest import Install, MakeEntry, registry_of, sha256_of
from vv_core.clock import SystemClock
from vv_core.errors import InputDataError, InputMissingError, TemporaryError, UsageError
from vv_core.models.offline import Imported, import_models
from vv_core.models.registry import Registry
from vv_core.models.store import check_installed, list_installed

ONE, TWO = b"GGUF one", b"GGUF two"


@pytest.fixture
def usb(tmp_path: Path) -> Path:
    """Return the folder of a USB stick."""
    folder = tmp_path / "usb"
    (folder / "deep" / "er").mkdir(parents=True)
    return folder


def bring(source: Path, models: Path, registry: Registry, name: str | None = None) -> Imported:
    """Import with the machine's clock."""
    return import_models(source, registry, models, SystemClock(), name=name)


def test_a_file_is_recognised_by_its_hash(usb: Path, models: Path, make_entry: MakeEntry) -> None:
    (usb / "renamed.gguf").write_bytes(ONE)
    entry = make_entry("a", sha256=sha256_of(ONE))
    imported = bring(usb / "renamed.gguf", models, registry_of(entry))
    (record,) = imported.records
    assert (record.name, record.version, record.file) == ("a", "1", "a.gguf")
    assert (record.origin, record.source) == ("published", "renamed.gguf")
    assert check_installed(models, record).state == "ok"


def test_a_file_is_recognised_by_its_name(usb: Path, models: Path, make_entry: MakeEntry) -> None:
    (usb / "A.gguf").write_bytes(ONE)
    (record,) = bring(usb / "A.gguf", models, registry_of(make_entry("a"))).records
    assert (record.name, record.origin) == ("a", "import")


def test_a_folder_is_searched(usb: Path, models: Path, make_entry: MakeEntry) -> None:
    (usb / "deep" / "er" / "a.gguf").write_bytes(ONE)
    (usb / "b.gguf").write_bytes(TWO)
    (usb / "unknown.gguf").write_bytes(b"GGUF three")
    (usb / "letter.txt").write_bytes(b"hello")
    (usb / "link.gguf").symlink_to(usb / "b.gguf")
    imported = bring(usb, models, registry_of(make_entry("a"), make_entry("b")))
    assert {record.name for record in imported.records} == {"a", "b"}
    assert [path.name for path in imported.unknown] == ["unknown.gguf"]


def test_an_unknown_file_needs_a_name(usb: Path, models: Path, make_entry: MakeEntry) -> None:
    (usb / "mine.gguf").write_bytes(ONE)
    registry = registry_of(make_entry("a"))
    with pytest.raises(InputDataError, match="knows none") as caught:
        bring(usb / "mine.gguf", models, registry)
    assert "--name" in caught.value.advice
    (record,) = bring(usb / "mine.gguf", models, registry, "mine").records
    assert (record.name, record.version) == ("mine", sha256_of(ONE)[:12])


@pytest.mark.parametrize("name", ["../out", "UPPER", "", "a/b", "-a"])
def test_a_name_that_cannot_be_one_is_refused(usb: Path, models: Path, name: str) -> None:
    (usb / "mine.gguf").write_bytes(ONE)
    with pytest.raises(UsageError):
        bring(usb / "mine.gguf", models, registry_of(), name)


def test_a_name_for_a_folder_is_refused(usb: Path, models: Path) -> None:
    with pytest.raises(UsageError):
        bring(usb, models, registry_of(), "mine")


def test_a_file_named_like_a_model_with_another_hash_is_refused(
    usb: Path, models: Path, make_entry: MakeEntry
) -> None:
    (usb / "a.gguf").write_bytes(TWO)
    registry = registry_of(make_entry("a", sha256=sha256_of(ONE)))
    with pytest.raises(InputDataError, match="but has the hash"):
        bring(usb, models, registry)
    assert list_installed(models) == []


def test_a_hash_recorded_here_holds_for_imports_too(
    usb: Path, models: Path, install: Install, make_entry: MakeEntry
) -> None:
    install("a", ONE)
    (usb / "a.gguf").write_bytes(TWO)
    with pytest.raises(InputDataError, match="but has the hash"):
        bring(usb, models, registry_of(make_entry("a")))


def test_a_file_that_is_no_gguf_is_refused(usb: Path, models: Path, make_entry: MakeEntry) -> None:
    (usb / "a.gguf").write_bytes(b"<html>404</html>")
    with pytest.raises(InputDataError, match="not a GGUF"):
        bring(usb, models, registry_of(make_entry("a")))
    assert list_installed(models) == []


@pytest.mark.parametrize("there", [False, True])
def test_nothing_to_import_is_told(tmp_path: Path, models: Path, there: bool) -> None:
    source = tmp_path / "nothing"
    if there:
        source.mkdir()
    with pytest.raises(InputMissingError):
        bring(source, models, registry_of())


def test_a_full_disk_leaves_nothing_behind(
    usb: Path, models: Path, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (usb / "a.gguf").write_bytes(ONE)

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(TemporaryError, match="import the model"):
        bring(usb, models, registry_of(make_entry("a")))
    assert [path.name for path in (models / "a" / "1").iterdir()] == []
