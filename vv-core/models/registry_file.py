"""Reading ``models.yaml``, strictly: an error names file, line and key."""

from __future__ import annotations

import importlib.metadata
import re
from pathlib import Path, PurePosixPath
from typing import TypeVar
from urllib.parse import urlsplit

import yaml

from vv_core.errors import ConfigError
from vv_core.models.registry import (
    CHATS,
    KINDS,
    NAME,
    PACKAGES,
    SUFFIXES,
    Entry,
    Registry,
    is_trustworthy,
)
from vv_core.settings import Settings
from vv_core.yaml_file import YamlFile

SCHEMA = "vv.models/1"
FILE_NAME = "models.yaml"
DISTRIBUTION = "vv-video-ai-system"
LANGUAGES = ("pt-BR", "en")

_REQUIRED = ("name", "kind", "version", "licence", "licence_link", "notes")
_OPTIONAL = ("path", "url", "sha256", "size", "context", "chat", "prompt", "min_kept_percent")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SPDX = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+ ()-]{0,99}")
_PROMPT = re.compile(r"[a-z][a-z0-9_]{0,59}")
_Choice = TypeVar("_Choice", bound=str)
_HUNDRED = 100

_YAML = YamlFile(
    "the model registry", "Correct that line; docs/models.md explains the format (VV_MODELS_FILE)."
)


def load_registry(settings: Settings) -> Registry:
    """Read the list that the settings name, or the product's own.

    Raises:
        ConfigError: it is absent or wrong; the message names file, line and key.
    """
    path = find_registry_file(settings)
    return parse_registry(_YAML.read(path), path)


def find_registry_file(settings: Settings) -> Path:
    """Return where the list is: ``VV_MODELS_FILE``, else beside the packages, else as installed.

    Raises:
        ConfigError: the product was installed without it.
    """
    if settings.models_file is not None:
        return settings.resolve(settings.models_file)
    candidates = [PACKAGES / FILE_NAME, *_installed_files()]
    for path in candidates:
        if path.is_file():
            return path
    raise ConfigError(
        f"{FILE_NAME} is not installed",
        advice="Install the product again, or set VV_MODELS_FILE to a copy of it.",
    )


def _installed_files() -> list[Path]:
    """Return where a wheel put the list."""
    try:
        files = importlib.metadata.files(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return []
    return [Path(str(file.locate())).resolve() for file in files if file.name == FILE_NAME]


def parse_registry(root: yaml.Node, source: Path) -> Registry:
    """Return the registry that a YAML document holds.

    Raises:
        ConfigError: it is none.
    """
    fields = _YAML.mapping(root, "", required=("schema", "models"))
    if _YAML.text(fields["schema"], "schema") != SCHEMA:
        raise _YAML.wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    nodes = _YAML.sequence(fields["models"], "models")
    entries: list[Entry] = []
    for node in nodes:
        entry = _parse_entry(node)
        if any(entry.name == other.name for other in entries):
            raise _YAML.wrong(node, "name", f"two models are called {entry.name!r}")
        entries.append(entry)
    return Registry(tuple(entries), source)


def _parse_entry(node: yaml.Node) -> Entry:
    fields = _YAML.mapping(node, "models", _REQUIRED, _OPTIONAL)
    kind = _one_of(fields["kind"], "kind", KINDS)
    entry = Entry(
        name=_matching(fields["name"], "name", NAME, "a-z, 0-9, dot, dash, underscore"),
        kind=kind,
        version=_matching(fields["version"], "version", _VERSION, "letters, digits, dot, dash"),
        licence=_matching(fields["licence"], "licence", _SPDX, "an SPDX expression"),
        licence_link=_link(fields["licence_link"], "licence_link"),
        notes=_notes(fields["notes"]),
        path=_path(fields["path"]) if "path" in fields else None,
        url=_link(fields["url"], "url") if "url" in fields else None,
        sha256=_sha256(fields.get("sha256")),
        size=_YAML.count(fields["size"], "size") if "size" in fields else None,
        context=_YAML.count(fields["context"], "context") if "context" in fields else None,
        chat=_one_of(fields["chat"], "chat", CHATS) if "chat" in fields else "auto",
        prompt=_prompt(fields.get("prompt")),
        min_kept_percent=_percent(fields.get("min_kept_percent")),
    )
    _check_source(node, fields, entry)
    return entry


def _check_source(node: yaml.Node, fields: dict[str, yaml.Node], entry: Entry) -> None:
    if (entry.path is None) == (entry.url is None):
        raise _YAML.wrong(node, "url", "either path or url is needed")
    place = fields["path" if entry.is_shipped else "url"]
    key = "path" if entry.is_shipped else "url"
    if not _FILE.fullmatch(entry.file_name):
        raise _YAML.wrong(place, key, "must end in a file name of letters, digits, dot and dash")
    if not entry.file_name.endswith(SUFFIXES[entry.kind]):
        ends = " or ".join(SUFFIXES[entry.kind])
        raise _YAML.wrong(place, key, f"the file of a {entry.kind} must end in {ends}")
    if entry.url is not None and entry.sha256 is None and not is_trustworthy(entry.url):
        raise _YAML.wrong(place, key, "must be https where no sha256 is given")


def _one_of(node: yaml.Node, key: str, choices: tuple[_Choice, ...]) -> _Choice:
    value = _YAML.text(node, key)
    for choice in choices:
        if choice == value:
            return choice
    raise _YAML.wrong(node, key, f"must be one of {', '.join(choices)}")


def _matching(node: yaml.Node, key: str, pattern: re.Pattern[str], described: str) -> str:
    value = _YAML.text(node, key)
    if not pattern.fullmatch(value):
        raise _YAML.wrong(node, key, f"must be {described}")
    return value


def _sha256(node: yaml.Node | None) -> str | None:
    if node is None:
        return None
    return _matching(node, "sha256", _SHA256, "64 lower-case hexadecimal digits")


def _prompt(node: yaml.Node | None) -> str | None:
    return None if node is None else _matching(node, "prompt", _PROMPT, "the name of a prompt")


def _percent(node: yaml.Node | None) -> int:
    value = 1 if node is None else _YAML.count(node, "min_kept_percent")
    if node is not None and value > _HUNDRED:
        raise _YAML.wrong(node, "min_kept_percent", "must be from 1 to 100")
    return value


def _link(node: yaml.Node, key: str) -> str:
    value = _YAML.text(node, key)
    try:
        parts = urlsplit(value)
        is_link = parts.scheme in {"http", "https"} and bool(parts.hostname)
        is_plain = parts.username is None and not parts.fragment and parts.port != 0
    except ValueError:
        is_link = is_plain = False
    if not is_link or not is_plain or " " in value or not value.isascii():
        raise _YAML.wrong(node, key, "must be an http(s) address, without user or fragment")
    return value


def _path(node: yaml.Node) -> PurePosixPath:
    value = PurePosixPath(_YAML.text(node, "path"))
    if value.is_absolute() or ".." in value.parts or len(value.parts) < 2:  # noqa: PLR2004 - folder and file
        raise _YAML.wrong(node, "path", "must be like summarize_scene/model/NAME.gguf")
    return value


def _notes(node: yaml.Node) -> dict[str, str]:
    fields = _YAML.mapping(node, "notes", required=LANGUAGES)
    return {language: _YAML.text(text, language) for language, text in fields.items()}
