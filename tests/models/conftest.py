"""What these tests share: a clean environment, small registries, and records on disk."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from vv_core.clock import SystemClock
from vv_core.models.registry import Entry, Registry, shipped_path
from vv_core.models.registry_file import load_registry
from vv_core.models.store import Installed, commit_file, model_folder
from vv_core.settings import OWN_PREFIXES, Settings

MakeEntry = Callable[..., Entry]
Install = Callable[..., Installed]

ENTRY_LINES = """
  - name: {name}
    kind: {kind}
    version: "{version}"
    url: {url}
    licence: MIT
    licence_link: https://example.org/licence
    notes: {{pt-BR: "nota", en: "note"}}
"""


@pytest.fixture(autouse=True)
def clean_environment(tmp_path: Path) -> Iterator[None]:
    """Let no setting of the machine into a test, and nothing of a test out of it."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(OWN_PREFIXES)]:
        del os.environ[name]
    os.environ["VV_HOME"] = str(tmp_path)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def clean_logging() -> Iterator[None]:
    """Give the product's logger back as it was."""
    logger = logging.getLogger("vv")
    handlers, level, propagate = list(logger.handlers), logger.level, logger.propagate
    yield
    for handler in [handler for handler in logger.handlers if handler not in handlers]:
        handler.close()
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logger.propagate = propagate


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Return the settings of an empty box."""
    return Settings(home=tmp_path)


@pytest.fixture
def models(settings: Settings) -> Path:
    """Return the folder of models, which exists."""
    settings.storage.ensure()
    return settings.storage.models


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes."""
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def make_entry() -> MakeEntry:
    """Return a function that makes an entry of the registry; what matters is given."""

    def make(name: str = "m", **fields: object) -> Entry:
        values: dict[str, object] = {
            "kind": "summary",
            "version": "1",
            "licence": "MIT",
            "licence_link": "https://example.org/licence",
            "notes": {"pt-BR": "nota", "en": "note"},
            "url": f"https://example.org/{name}.gguf",
            **fields,
        }
        return Entry(name=name, **values)  # type: ignore[arg-type]

    return make


def registry_of(*entries: Entry) -> Registry:
    """Return a registry with some entries."""
    return Registry(entries, Path("models.yaml"))


@pytest.fixture
def install(models: Path) -> Install:
    """Return a function that puts a model with some content on the box."""

    def put(name: str, data: bytes, **fields: object) -> Installed:
        values: dict[str, object] = {
            "kind": "summary",
            "version": "1",
            "file": f"{name}.gguf",
            "sha256": sha256_of(data),
            "size": len(data),
            "origin": "first_fetch",
            "source": f"https://example.org/{name}.gguf",
            "installed": "2026-11-20T12:00:00Z",
            **fields,
        }
        record = Installed(name=name, **values)  # type: ignore[arg-type]
        folder = model_folder(models, record.name, record.version)
        folder.mkdir(parents=True, exist_ok=True)
        complete = folder / "complete"
        complete.write_bytes(data)
        return commit_file(complete, folder, record, known_sha256=None)

    return put


@pytest.fixture
def clock() -> SystemClock:
    """Return the machine's clock."""
    return SystemClock()


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    """Return the model that the product ships, or skip the test."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    entry = load_registry(Settings()).shipped("summary")
    assert entry is not None
    path = shipped_path(entry)
    if not path.is_file():
        pytest.skip(f"not here: {entry.path}")
    return path
