"""Reading the rules of the TVs; every error names file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tv_scheduler.rules import DAY_MINUTES, DEFAULT_VALID_S, DayHours, Order, Pick, Priority, TvRule
from vv_core.yaml_file import YamlFile

SCHEMA = "vv.tv-rules/1"
SHIPPED = Path(__file__).with_name("config.yaml")
STATUSES = ("confirmado", "curado", "alerta", "experimental")
LANGUAGES = ("pt-BR", "en")
ALL = "all"
"""What the playlist of all TVs together is called."""
RESERVED = (ALL, "playlist")
MAX_HOURS = 720
MAX_LENGTH_MINUTES = 24 * 60
MAX_ITEMS = 5000
MAX_REPEATS = 10
MAX_LEVEL = 9
MAX_PRIORITY_MINUTES = 24 * 60
MIN_VALID_S = 10
MAX_VALID_S = 7 * 24 * 3600
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HOURS = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})")
_NEEDED = ("name", "statuses", "order", "window_hours")
_LIMITS = ("max_age_hours", "max_length_minutes", "max_items")
_OPTIONAL = ("cameras", "labels", "hours", *_LIMITS, "repeats", "priority", "valid_s", "language")
_PICKING = ("statuses", "cameras", "labels")
_FILE = YamlFile(
    "the rules of the TVs",
    "Correct that line; tv_scheduler/config.yaml explains the format. "
    "Without VV_PLAYLIST_RULES_FILE the shipped rules hold.",
)


def load_rules(path: Path | None) -> tuple[TvRule, ...]:
    """Read a file of rules, or the shipped one.

    Raises:
        ConfigError: the file cannot be read or is wrong.
    """
    return _rules(_FILE.read(path or SHIPPED))


def read_rules(path: Path) -> bytes:
    """Return the content of a file of rules, which may be wrong.

    Raises:
        ConfigError: it cannot be read.
    """
    return _FILE.read_bytes(path)


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
    fields = _FILE.mapping(node, "tvs", _NEEDED, _OPTIONAL)

    def count(key: str, low: int, high: int) -> int | None:
        return _count(fields[key], key, low, high) if key in fields else None

    return TvRule(
        _name(fields["name"]),
        _pick(fields),
        _order(fields["order"]),
        _count(fields["window_hours"], "window_hours", 1, MAX_HOURS),
        hours=_hours(fields["hours"]) if "hours" in fields else (),
        max_age_hours=count("max_age_hours", 1, MAX_HOURS),
        max_length_minutes=count("max_length_minutes", 1, MAX_LENGTH_MINUTES),
        max_items=count("max_items", 1, MAX_ITEMS),
        repeats=count("repeats", 1, MAX_REPEATS) or 1,
        priority=_priorities(fields["priority"]) if "priority" in fields else (),
        valid_s=count("valid_s", MIN_VALID_S, MAX_VALID_S) or DEFAULT_VALID_S,
        language=_one_of(fields["language"], "language", LANGUAGES)
        if "language" in fields
        else None,
    )


def _name(node: yaml.Node) -> str:
    name = _FILE.text(node, "name")
    if not _NAME.fullmatch(name):
        raise _FILE.wrong(node, "name", "may have letters, digits, - and _, at most 64")
    if name.lower() in RESERVED:
        raise _FILE.wrong(node, "name", f"{name!r} is the playlist of all TVs; choose another")
    return name


def _pick(fields: dict[str, yaml.Node]) -> Pick:
    def texts(key: str) -> frozenset[str]:
        entries = _FILE.sequence(fields[key], key) if key in fields else []
        return frozenset(_FILE.text(entry, key) for entry in entries)

    statuses = _FILE.sequence(fields["statuses"], "statuses") if "statuses" in fields else []
    return Pick(
        frozenset(_one_of(entry, "statuses", STATUSES) for entry in statuses),
        texts("cameras"),
        texts("labels"),
    )


def _order(node: yaml.Node) -> Order:
    return Order(_one_of(node, "order", tuple(Order)))


def _one_of(node: yaml.Node, key: str, known: tuple[str, ...]) -> str:
    text = _FILE.text(node, key)
    if text not in known:
        raise _FILE.wrong(node, key, f"{text!r} is none of {', '.join(known)}")
    return text


def _count(node: yaml.Node, key: str, low: int, high: int) -> int:
    number = _FILE.count(node, key)
    if not low <= number <= high:
        raise _FILE.wrong(node, key, f"must be from {low} to {high}")
    return number


def _hours(node: yaml.Node) -> tuple[DayHours, ...]:
    return tuple(_day_hours(entry) for entry in _FILE.sequence(node, "hours"))


def _day_hours(node: yaml.Node) -> DayHours:
    found = _HOURS.fullmatch(_FILE.text(node, "hours"))
    if found is None:
        raise _FILE.wrong(node, "hours", 'must be as "18:00-06:00", in quotes')
    first, first_minute, last, last_minute = (int(part) for part in found.groups())
    start, end = first * 60 + first_minute, last * 60 + last_minute
    if max(first_minute, last_minute) > 59 or start >= DAY_MINUTES or end > DAY_MINUTES:  # noqa: PLR2004
        raise _FILE.wrong(node, "hours", "must be from 00:00 to 24:00")
    if start == end:
        raise _FILE.wrong(node, "hours", "begins and ends at once; leave hours out for all day")
    return DayHours(start, end)


def _priorities(node: yaml.Node) -> tuple[Priority, ...]:
    return tuple(_priority(entry) for entry in _FILE.sequence(node, "priority"))


def _priority(node: yaml.Node) -> Priority:
    fields = _FILE.mapping(node, "priority", ("level", "minutes"), _PICKING)
    if not any(key in fields for key in _PICKING):
        raise _FILE.wrong(node, "priority", f"must name {', '.join(_PICKING)}, or some of them")
    return Priority(
        _pick(fields),
        _count(fields["level"], "level", 1, MAX_LEVEL),
        _count(fields["minutes"], "minutes", 1, MAX_PRIORITY_MINUTES),
    )
