"""The rules of retention, and reading them from the operator's file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from vv_core.yaml_file import YamlFile

SCHEMA: Final = "vv.retention/1"
SHIPPED_POLICY: Final = Path(__file__).with_name("policy.yaml")
CLIPS: Final = "tv_clips"
"""Clips in ``tv_curado/`` that were made of videos, named by their hash: they can be made again."""
CLEANABLE: Final = (
    "processed",
    "analytic",
    "summaries",
    "corrupted",
    "tv_curado",
    CLIPS,
    "exports",
    "logs",
)
"""Folders that may be cleaned at all. ``logs`` is that of app.log, the others lie below the storage root."""
OUTSIDE: Final = "outside"
"""What is none of the box's own folders."""
MAX_DAYS: Final = 36500
MAX_HOURS: Final = 24 * 366

_FILE = YamlFile(
    "the retention rules",
    "Correct the file that VV_RETENTION_FILE names, or unset it to use the shipped rules.",
)


@dataclass(frozen=True)
class FolderRule:
    """How long the files of one folder are kept.

    Attributes:
        days: age from which a file goes.
        exclude: shell patterns of names that stay.
    """

    days: int
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class RetentionPolicy:
    """How long files are kept.

    Attributes:
        folders: rules by folder; one without a rule is never cleaned.
        temporary_hours: age from which a left-over of a killed writer goes.
    """

    folders: dict[str, FolderRule]
    temporary_hours: int


def load_policy(path: Path | None) -> RetentionPolicy:
    """Read a rule file, or the shipped one.

    Raises:
        ConfigError: it cannot be read or is wrong; the message names line and key.
    """
    return _policy_of(_FILE.read(path or SHIPPED_POLICY))


def parse_policy(data: bytes, name: str) -> RetentionPolicy:
    """Return the rules in the content of a file that messages call ``name``.

    Raises:
        ConfigError: it is wrong; the message names line and key.
    """
    return _policy_of(_FILE.parse(data, name))


def _policy_of(root: yaml.Node) -> RetentionPolicy:
    fields = _FILE.mapping(root, "", ("schema", "folders"), ("temporary_hours",))
    if _FILE.text(fields["schema"], "schema") != SCHEMA:
        raise _FILE.wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    hours = fields.get("temporary_hours")
    folders: dict[str, FolderRule] = {}
    for node in _FILE.sequence(fields["folders"], "folders"):
        entry = _FILE.mapping(node, "folders", ("folder", "days"), ("exclude",))
        name = _FILE.text(entry["folder"], "folder")
        if name not in CLEANABLE:
            raise _FILE.wrong(entry["folder"], "folder", f"must be one of {', '.join(CLEANABLE)}")
        if name in folders:
            raise _FILE.wrong(entry["folder"], "folder", f"{name} stands twice")
        folders[name] = FolderRule(_number(entry["days"], "days", MAX_DAYS), _patterns(entry))
    return RetentionPolicy(
        folders, 24 if hours is None else _number(hours, "temporary_hours", MAX_HOURS)
    )


def _patterns(entry: dict[str, yaml.Node]) -> tuple[str, ...]:
    node = entry.get("exclude")
    if node is None:
        return ()
    return tuple(_FILE.text(each, "exclude") for each in _FILE.sequence(node, "exclude"))


def _number(node: yaml.Node, key: str, most: int) -> int:
    number = _FILE.count(node, key)
    if number > most:
        raise _FILE.wrong(node, key, f"must be at most {most}")
    return number
