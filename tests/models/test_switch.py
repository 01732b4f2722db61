"""Activation, rollback, and what a kill leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from tests.models.conftest import Install, MakeEntry, registry_of
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from vv_core.atomic import TEMP_PREFIX, write_json_atomic
from vv_core.clock import SystemClock
from vv_core.errors import InputDataError, InputMissingError, UsageError
from vv_core.models.active import (
    Choice,
    Switch,
    active_detector,
    active_document,
    active_summary_model,
    read_active,
)
from vv_core.models.bench import FILE_NAME as BENCH_FILE
from vv_core.models.bench import bench_model
from vv_core.models.registry import Registry
from vv_core.models.registry_file import load_registry
from vv_core.models.store import Installed
from vv_core.models.switch import EMBEDDED, Switched, activate, rollback
from vv_core.settings import Settings
from vv_core.utils import compute_sha256


def choice_of(record: Installed) -> Choice:
    """Return the choice for a record."""
    file = f"{record.name}/{record.version}/{record.file}"
    return Choice(record.name, record.version, file, record.sha256, "2026-11-20T12:00:00Z")


def switch_to(models: Path, current: Installed | None, previous: Installed | None) -> None:
    """Write a switch without a test of the models."""
    choices = (choice_of(it) if it is not None else None for it in (current, previous))
    write_json_atomic(models / "active.json", active_document({"summary": Switch(*choices)}))


def turn_on(settings: Settings, registry: Registry, name: str) -> Switched:
    """Activate with the machine's clock."""
    return activate(settings, registry, name, SystemClock())


def test_rollback_goes_back_and_forth(settings: Settings, models: Path, install: Install) -> None:
    old, new = install("old", b"GGUF old"), install("new", b"GGUF new")
    switch_to(models, new, old)
    rollback(settings, None)
    assert active_summary_model(settings) == models / "old/1/old.gguf"
    rollback(settings, "summary")
    assert active_summary_model(settings) == models / "new/1/new.gguf"


def test_rollback_to_the_default_needs_no_file(
    settings: Settings, models: Path, install: Install
) -> None:
    switch_to(models, install("new", b"GGUF new"), None)
    assert rollback(settings, "summary").switch.current is None
    assert read_active(models)["summary"].previous is not None


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_rollback_never_lands_on_a_damaged_model(
    settings: Settings, models: Path, install: Install, damage: str
) -> None:
    old, new = install("old", b"GGUF old"), install("new", b"GGUF new")
    switch_to(models, new, old)
    path = models / "old/1/old.gguf"
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(b"rot")
    with pytest.raises(InputDataError, match="gone or changed"):
        rollback(settings, "summary")
    assert active_summary_model(settings) == models / "new/1/new.gguf"


def test_rollback_without_a_switch_is_a_usage_error(settings: Settings) -> None:
    with pytest.raises(UsageError, match="nothing was switched"):
        rollback(settings, None)
    with pytest.raises(UsageError, match="no earlier detector"):
        rollback(settings, "detector")


def test_with_two_kinds_rollback_asks_which(
    settings: Settings, models: Path, install: Install
) -> None:
    switch = Switch(choice_of(install("m", b"GGUF")))
    write_json_atomic(
        models / "active.json", active_document({"summary": switch, "detector": switch})
    )
    with pytest.raises(UsageError, match="name what to roll back"):
        rollback(settings, None)


def test_a_model_that_is_not_here_is_not_activated(
    settings: Settings, make_entry: MakeEntry
) -> None:
    with pytest.raises(InputMissingError, match="not on this box") as caught:
        turn_on(settings, registry_of(make_entry("a")), "a")
    assert caught.value.advice == "Bring it first: vv-models fetch a"
    with pytest.raises(InputMissingError, match="no model is called"):
        turn_on(settings, registry_of(make_entry("a")), "b")


def test_another_version_than_listed_is_not_activated(
    settings: Settings, install: Install, make_entry: MakeEntry
) -> None:
    install("a", b"GGUF", version="0")
    with pytest.raises(InputMissingError, match="not on this box"):
        turn_on(settings, registry_of(make_entry("a", version="1")), "a")


def test_a_changed_file_is_not_activated(
    settings: Settings, models: Path, install: Install
) -> None:
    install("a", b"GGUF one")
    (models / "a/1/a.gguf").write_bytes(b"GGUF two")
    with pytest.raises(InputDataError, match="not what was recorded"):
        turn_on(settings, registry_of(), "a")
    assert read_active(models) == {}


def test_the_embedded_detector_needs_no_test(settings: Settings, models: Path) -> None:
    switched = turn_on(settings, registry_of(), EMBEDDED)
    assert (switched.kind, switched.test) == ("detector", None)
    assert active_detector(settings) is None


@pytest.mark.integration
def test_a_file_that_is_no_model_is_refused(
    settings: Settings, models: Path, install: Install
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    install("a", b"GGUF and nothing that follows")
    with pytest.raises(InputDataError, match="did not pass the test"):
        turn_on(settings, registry_of(), "a")
    assert read_active(models) == {}


@pytest.mark.integration
def test_a_model_of_nonsense_is_refused_and_the_old_one_stays(
    settings: Settings, models: Path, install: Install, tmp_path: Path
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    old = install("old", b"GGUF old")
    switch_to(models, old, None)
    install("tiny", write_tiny_gguf(tmp_path / "tiny.gguf").read_bytes())
    with pytest.raises(InputDataError, match="0 of 12 texts were kept"):
        turn_on(settings, registry_of(), "tiny")
    assert active_summary_model(settings) == models / "old/1/old.gguf"


@pytest.mark.integration
def test_a_model_that_hangs_is_refused(
    settings: Settings, models: Path, install: Install, tmp_path: Path
) -> None:
    """The deadline of a scene is so short that the model never finishes."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    os.environ["VV_SUMMARY_TIMEOUT_SECONDS"] = "0.001"
    install("tiny", write_tiny_gguf(tmp_path / "tiny.gguf").read_bytes())
    with pytest.raises(InputDataError, match="did not pass the test"):
        turn_on(settings, registry_of(), "tiny")
    assert read_active(models) == {}


@pytest.mark.integration
def test_the_shipped_model_passes_and_can_be_measured(
    settings: Settings, models: Path, install: Install, shipped_model: Path
) -> None:
    registry = load_registry(settings)
    shipped = registry.shipped("summary")
    assert shipped is not None
    switched = turn_on(settings, registry, shipped.name)
    assert switched.test is not None
    assert switched.test.is_passed
    assert active_summary_model(settings) == shipped_model
    copy = install("copy", shipped_model.read_bytes())
    assert turn_on(settings, registry, "copy").switch.current is not None
    assert active_summary_model(settings) == models / "copy/1/copy.gguf"
    assert turn_on(settings, registry, "copy").switch.previous is None, "twice is once"
    result = bench_model(settings, "copy", models / "copy/1/copy.gguf", copy.sha256, SystemClock())
    assert 0 < result.kept <= result.texts
    assert result.peak_rss_bytes > 0
    lines = (settings.storage.orchestrator_data / BENCH_FILE).read_text("utf-8").splitlines()
    assert len(lines) == 1
    rollback(settings, "summary")
    assert active_summary_model(settings) == shipped_model


def test_a_shipped_file_with_another_hash_is_refused(
    settings: Settings, tmp_path: Path, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "shipping_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "m.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = make_entry(url=None, path=PurePosixPath("shipping_package/m.gguf"), sha256="a" * 64)
    with pytest.raises(InputDataError, match="has the hash"):
        turn_on(settings, registry_of(entry), "m")
    missing = replace(entry, path=PurePosixPath("shipping_package/n.gguf"))
    with pytest.raises(InputMissingError, match="is not there"):
        turn_on(settings, registry_of(missing), "m")


def test_the_model_of_the_diagnosis_is_not_switched(
    settings: Settings, make_entry: MakeEntry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "asked_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "m.gguf").write_bytes(b"GGUF")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = make_entry(url=None, kind="diagnosis", path=PurePosixPath("asked_package/m.gguf"))
    with pytest.raises(UsageError) as caught:
        turn_on(settings, registry_of(entry), "m")
    assert "VV_MONITOR_MODEL_FILE" in caught.value.advice
    assert read_active(settings.storage.models) == {}


SWITCHING = """
import sys
from pathlib import Path, PurePosixPath
from vv_core.models.switch import rollback
from vv_core.settings import Settings
settings = Settings(home=Path(sys.argv[1]))
print("ready", flush=True)
while True:
    rollback(settings, "summary")
"""


@pytest.mark.integration
def test_a_kill_at_any_moment_leaves_the_old_or_the_new(
    settings: Settings, models: Path, install: Install, tmp_path: Path
) -> None:
    old, new = install("old", b"GGUF old"), install("new", b"GGUF new")
    switch_to(models, new, old)
    pauses = random.Random(1)
    for _ in range(8):
        child = subprocess.Popen(
            [sys.executable, "-c", SWITCHING, str(tmp_path)], stdout=subprocess.PIPE
        )
        assert child.stdout is not None
        with child.stdout as output:
            assert output.readline() == b"ready\n"
            time.sleep(pauses.uniform(0.0, 0.05))
            os.kill(child.pid, signal.SIGKILL)
            child.wait(timeout=30)
        switch = read_active(models)["summary"]
        assert {switch.current, switch.previous} == {choice_of(old), choice_of(new)}
        path = active_summary_model(settings)
        assert path is not None
        assert compute_sha256(path) in {old.sha256, new.sha256}
    left = [path for path in models.iterdir() if path.name.startswith(TEMP_PREFIX)]
    assert len(left) <= 8, "a killed writer leaves at most one temporary file"
