"""Reading the rules of the TVs; every error names file, line and key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import yaml

from vv_core.yaml_file import YamlFile

SCHEMA = "vv.tv-rules/1"
SHIPPED = Path(__file__).with_name("config.yaml")
STATUSES = ("confirmado", "curado", "alerta", "experimental")
ALL = "all"
"""What the playlist of all TVs together is called."""
RESERVED = (ALL, "playlist")
MAX_WINDOW_HOURS = 720
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_FILE = YamlFile(
    "the rules of the TVs",
    "Correct that line; tv_scheduler/config.yaml explains the format. "
    "Without VV_PLAYLIST_RULES_FILE the shipped rules hold.",
)


class Order(StrEnum):
    """In which order a TV shows its items."""

    TIME = "time"
    SHUFFLE = "shuffle"


@dataclass(frozen=True)
class TvRule:
    """What one TV shows.

    Attributes:
        name: of the TV, and of its file.
        statuses: of the LogLines that it shows.
        order: of its items.
        window_hours: how far it looks back.
    """

    name: str
    statuses: frozenset[str]
    order: Order
    window_hours: int


def load_rules(path: Path | None) -> tuple[TvRule, ...]:
    """Read a file of rules, or the shipped one.

    Raises:
        ConfigError: the file cannot be read or is wrong.
    """
    return _rules(_FILE.read(path or SHIPPED))


def parse_rules(data: bytes, name: str) -> tuple[TvRule, ...]:
    """Return the rules in the content of a file; `name` is what messages call it.

    Raises:
        ConfigError: the content is wrong.
    """
    return _rules(_FILE.parse(data, name))


def _rules(root: yaml.Node) -> tuple[TvRule, ...]:
    fields = _FILE.mapping(root, "", required=("schema", "tvs"))
    if _FILE.text(fields["schema"], "schema") != SCHEMA:
        raise _FILE.wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    nodes = _FILE.sequence(fields["tvs"], "tvs")
    rules = tuple(_rule(node) for node in nodes)
    names = [rule.name.lower() for rule in rules]
    for index, node in enumerate(nodes):
        if names[index] in names[:index]:
            raise _FILE.wrong(node, "name", f"two TVs are called {rules[index].name!r}")
    return rules


def _rule(node: yaml.Node) -> TvRule:
    fields = _FILE.mapping(node, "tvs", ("name", "statuses", "order", "window_hours"))
    return TvRule(
        _name(fields["name"]),
        _statuses(fields["statuses"]),
        _order(fields["order"]),
        _window(fields["window_hours"]),
    )


def _name(node: yaml.Node) -> str:
    name = _FILE.text(node, "name")
    if not _NAME.fullmatch(name):
        raise _FILE.wrong(node, "name", "may have letters, digits, - and _, at most 64")
    if name.lower() in RESERVED:
        raise _FILE.wrong(node, "name", f"{name!r} is the playlist of all TVs; choose another")
    return name


def _statuses(node: yaml.Node) -> frozenset[str]:
    found: set[str] = set()
    for entry in _FILE.sequence(node, "statuses"):
        status = _FILE.text(entry, "statuses")
        if status not in STATUSES:
            raise _FILE.wrong(entry, "statuses", f"{status!r} is none of {', '.join(STATUSES)}")
        found.add(status)
    return frozenset(found)


def _order(node: yaml.Node) -> Order:
    text = _FILE.text(node, "order")
    if text not in set(Order):
        raise _FILE.wrong(node, "order", f"{text!r} is none of {', '.join(Order)}")
    return Order(text)


def _window(node: yaml.Node) -> int:
    hours = _FILE.count(node, "window_hours")
    if hours > MAX_WINDOW_HOURS:
        raise _FILE.wrong(node, "window_hours", f"must be from 1 to {MAX_WINDOW_HOURS}")
    return hours
