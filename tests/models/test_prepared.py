"""What the preparation of a box says about the shipped model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.models.conftest import ENTRY_LINES, sha256_of
from vv_core.errors import InputDataError
from vv_core.preparation import check_models
from vv_core.settings import Settings

DATA = b"GGUF shipped"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a package that could ship a model."""
    folder = tmp_path / "prepared_package"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    return folder


def box(tmp_path: Path, sha256: str) -> Settings:
    """Return the settings of a box whose list ships one model."""
    entry = ENTRY_LINES.format(name="own", kind="summary", version="1", url="X")
    source = f"path: prepared_package/m.gguf\n    sha256: {sha256}"
    path = tmp_path / "list.yaml"
    path.write_text(f"schema: vv.models/1\nmodels:{entry.replace('url: X', source)}", "utf-8")
    return Settings(home=tmp_path, models_file=path)


def test_a_whole_model_needs_no_word(tmp_path: Path, package: Path) -> None:
    (package / "m.gguf").write_bytes(DATA)
    assert check_models(box(tmp_path, sha256_of(DATA))) == []


def test_a_missing_model_is_said(tmp_path: Path, package: Path) -> None:
    (line,) = check_models(box(tmp_path, sha256_of(DATA)))
    assert "no shipped model" in line


def test_a_changed_model_is_an_error(tmp_path: Path, package: Path) -> None:
    (package / "m.gguf").write_bytes(b"GGUF else")
    with pytest.raises(InputDataError, match="has the hash") as caught:
        check_models(box(tmp_path, sha256_of(DATA)))
    assert "install the product again" in caught.value.advice
