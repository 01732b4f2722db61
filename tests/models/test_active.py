"""Which model stages load: settings, then the switch, then the shipped one."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.models.conftest import ENTRY_LINES, Install
from vv_core.atomic import write_json_atomic
from vv_core.errors import ConfigError, InputDataError, InputMissingError
from vv_core.models.active import (
    Choice,
    Switch,
    active_detector,
    active_diagnosis_model,
    active_document,
    active_summary_model,
    parse_active,
    read_active,
)
from vv_core.models.registry import Kind
from vv_core.models.registry_file import load_registry
from vv_core.models.shipped import check_shipped
from vv_core.settings import Settings
from vv_core.utils import compute_sha256

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=20)
CHOICES = st.none() | st.builds(
    Choice,
    name=TEXT,
    version=TEXT,
    file=TEXT.filter(lambda text: text != ".."),
    sha256=TEXT,
    since=TEXT,
)
SWITCHES: st.SearchStrategy[dict[Kind, Switch]] = st.dictionaries(
    st.sampled_from(["summary", "detector"]), st.builds(Switch, CHOICES, CHOICES)
)


def choose(models: Path, kind: Kind, file: str) -> None:
    """Activate a file without asking whether it is one."""
    choice = Choice("m", "1", file, "0" * 64, "2026-11-20T12:00:00Z")
    write_json_atomic(models / "active.json", active_document({kind: Switch(choice, None)}))


def test_a_setting_wins_over_everything(models: Path, install: Install, tmp_path: Path) -> None:
    install("m", b"GGUF one")
    choose(models, "summary", "m/1/m.gguf")
    choose(models, "detector", "m/1/m.gguf")
    settings = Settings(
        home=tmp_path, summary_model=Path("own.gguf"), yolo_model=Path("/weights.onnx")
    )
    assert active_summary_model(settings) == tmp_path / "own.gguf"
    assert active_detector(settings) == Path("/weights.onnx")


@pytest.mark.parametrize("word", ["none", "None", "NONE"])
def test_none_switches_the_model_off(models: Path, tmp_path: Path, word: str) -> None:
    choose(models, "summary", "gone.gguf")
    settings = Settings(home=tmp_path, summary_model=Path(word), yolo_model=Path(word))
    assert active_summary_model(settings) is None
    assert active_detector(settings) is None


def test_what_was_activated_is_used(settings: Settings, models: Path, install: Install) -> None:
    install("m", b"GGUF one")
    choose(models, "summary", "m/1/m.gguf")
    assert active_summary_model(settings) == models / "m/1/m.gguf"
    assert active_detector(settings) is None


@pytest.mark.parametrize("kind", ["summary", "detector"])
def test_an_activated_model_that_is_gone_is_an_error(
    settings: Settings, models: Path, kind: Kind
) -> None:
    choose(models, kind, "m/1/m.gguf")
    resolve = active_summary_model if kind == "summary" else active_detector
    with pytest.raises(ConfigError, match="is gone") as caught:
        resolve(settings)
    assert f"vv-models rollback {kind}" in caught.value.advice


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="no llama-cpp-python")
def test_without_a_choice_the_shipped_model_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own_package" / "model"
    folder.mkdir(parents=True)
    (tmp_path / "own_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = ENTRY_LINES.format(name="own", kind="summary", version="1", url="X")
    listed = tmp_path / "list.yaml"
    listed.write_text(
        f"schema: vv.models/1\nmodels:{entry.replace('url: X', 'path: own_package/model/m.gguf')}"
    )
    settings = Settings(home=tmp_path, models_file=listed)
    assert active_summary_model(settings) is None, "the file is not there"
    (folder / "m.gguf").write_bytes(b"GGUF")
    assert active_summary_model(settings) == folder / "m.gguf"


def test_the_shipped_model_is_the_default(shipped_model: Path, settings: Settings) -> None:
    assert active_summary_model(settings) == shipped_model


def test_the_shipped_model_has_its_published_hash(shipped_model: Path, settings: Settings) -> None:
    entry = load_registry(settings).shipped("summary")
    assert entry is not None
    assert check_shipped(entry) == compute_sha256(shipped_model)
    assert entry.size in {None, shipped_model.stat().st_size}


def test_an_empty_box_has_no_choice(settings: Settings) -> None:
    assert read_active(settings.storage.models) == {}
    assert active_detector(settings) is None


@given(SWITCHES)
def test_what_is_written_is_read_back(switches: dict[Kind, Switch]) -> None:
    document = json.loads(json.dumps(active_document(switches)))
    assert parse_active(document) == switches


GOOD = active_document(
    {"summary": Switch(Choice("m", "1", "m/1/m.gguf", "0" * 64, "2026-11-20T12:00:00Z"))}
)
CHOICE = GOOD["kinds"]["summary"]["current"]


def with_choice(**changes: object) -> Any:
    """Return the document with a changed choice."""
    return {**GOOD, "kinds": {"summary": {"current": {**CHOICE, **changes}, "previous": None}}}


DAMAGED = {
    "a list": [],
    "another schema": {**GOOD, "schema": "vv.models.active/9"},
    "an unknown key": {**GOOD, "more": 1},
    "an unknown kind": {**GOOD, "kinds": {"voice": {"current": None, "previous": None}}},
    "no previous": {**GOOD, "kinds": {"summary": {"current": None}}},
    "an absolute file": with_choice(file="/etc/passwd"),
    "a file that leads out": with_choice(file="m/../../x"),
    "a number": with_choice(sha256=1),
    "an empty text": with_choice(name=""),
    "an unknown field": with_choice(colour="red"),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_an_error_with_advice(
    settings: Settings, models: Path, case: str
) -> None:
    (models / "active.json").write_text(json.dumps(DAMAGED[case]), "utf-8")
    with pytest.raises(ConfigError, match="does not say which models are active") as caught:
        active_summary_model(settings)
    assert "Remove it" in caught.value.advice


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b'{"a": 1, "a": 2}'])
def test_a_torn_file_is_an_error_with_advice(settings: Settings, models: Path, data: bytes) -> None:
    (models / "active.json").write_bytes(data)
    with pytest.raises(ConfigError, match="does not say which models are active"):
        active_detector(settings)


@pytest.fixture
def with_llama(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let llama-cpp-python seem installed: nothing here loads it."""
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: find_spec("json") if name == "llama_cpp" else find_spec(name, *rest),
    )


def list_of(path: Path, file: str, sha256: str) -> Settings:
    """Return the settings of a box whose list ships one model for the diagnosis."""
    entry = ENTRY_LINES.format(name="d", kind="diagnosis", version="1", url="U")
    entry = entry.replace("url: U", f"path: diagnosing_package/{file}\n    sha256: {sha256}")
    (path / "models.yaml").write_text(f"schema: vv.models/1\nmodels:{entry}", "utf-8")
    return Settings(home=path, models_file=Path("models.yaml"))


def test_the_monitor_asks_the_file_of_the_setting_else_the_shipped_one_after_its_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_llama: None
) -> None:
    package = tmp_path / "diagnosing_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "d.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    sha256 = compute_sha256(package / "d.gguf")
    settings = list_of(tmp_path, "d.gguf", sha256)
    assert active_diagnosis_model(settings) == package / "d.gguf"
    own = settings.model_copy(update={"monitor_model_file": Path("own.gguf")})
    assert active_diagnosis_model(own) == tmp_path / "own.gguf"
    (package / "d.gguf").write_bytes(b"GGUF, changed")
    with pytest.raises(InputDataError, match="has the hash"):
        active_diagnosis_model(settings)
    with pytest.raises(InputMissingError, match="is not there"):
        active_diagnosis_model(list_of(tmp_path, "gone.gguf", sha256))
    text = (tmp_path / "models.yaml").read_text("utf-8")
    (tmp_path / "models.yaml").write_text(text.replace("kind: diagnosis", "kind: summary"))
    with pytest.raises(ConfigError, match="ships none"):
        active_diagnosis_model(settings)


def test_without_llama_cpp_the_monitor_asks_nobody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda *_: None)
    assert active_diagnosis_model(settings) is None


@pytest.mark.parametrize("document", [active_document({"diagnosis": Switch()})])
def test_the_model_of_the_diagnosis_is_not_switched(document: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown kinds"):
        parse_active(document)
