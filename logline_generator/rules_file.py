"""Reading the operator's rule file; every error names file, line and key.

The YAML is walked as nodes, not loaded as data, since nodes know their line, keep both of two equal
keys, and cannot be turned into anything else.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path
from typing import Any, Final

import yaml

from logline_generator.rules import STATUSES, Conditions, Hours, Rule, RuleSet
from vv_core.errors import ConfigError, from_oserror

SCHEMA = "vv.status-rules/1"
MAX_BYTES = 256 * 1024
MAX_TEXT = 120
MAX_ENTRIES = 500
SHIPPED_RULES = Path(__file__).with_name("status_rules.yaml")

_STR = "tag:yaml.org,2002:str"
_INT = "tag:yaml.org,2002:int"
_BOOL = "tag:yaml.org,2002:bool"
_HOURS = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DIAS: Final = ("seg", "ter", "qua", "qui", "sex", "sab", "dom")


def load_rules(path: Path | None) -> RuleSet:
    """Read a rule file, or the shipped one.

    Raises:
        ConfigError: the file cannot be read or is wrong.
    """
    path = path or SHIPPED_RULES
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as exc:
        raise ConfigError(
            from_oserror(exc, "read the status rules", path).message,
            advice="Correct VV_STATUS_RULES_FILE, or remove it to use the shipped rules.",
        ) from exc
    return parse_rules(data, str(path))


def parse_rules(data: bytes, name: str) -> RuleSet:
    """Return the rules in the content of a rule file.

    Args:
        data: the file's content.
        name: what to call the file in messages.

    Raises:
        ConfigError: it is not a rule file; the message names the line and the key.
    """
    root = _compose(data, name)
    fields = _mapping(root, "", required=("schema", "rules"))
    if _text(fields["schema"], "schema") != SCHEMA:
        raise _wrong(fields["schema"], "schema", f"must be {SCHEMA}")
    nodes = _sequence(fields["rules"], "rules")
    rules = tuple(_rule(node, node is nodes[-1]) for node in nodes)
    names = [rule.name for rule in rules]
    for index, node in enumerate(nodes):
        if names[index] in names[:index]:
            raise _wrong(node, "name", f"two rules are called {names[index]!r}")
    return RuleSet(rules, hashlib.sha256(data).hexdigest())


def _compose(data: bytes, name: str) -> yaml.Node:
    if len(data) > MAX_BYTES:
        raise _unreadable(name, f"it is larger than {MAX_BYTES} bytes")
    try:
        loader = yaml.SafeLoader(data.decode("utf-8"))
        loader.name = name
        root = loader.get_single_node()
    except UnicodeDecodeError:
        raise _unreadable(name, "it is not UTF-8 text") from None
    except yaml.MarkedYAMLError as exc:
        line = f"line {exc.problem_mark.line + 1}: " if exc.problem_mark else ""
        raise _unreadable(name, f"{line}{exc.problem}") from None
    except (yaml.YAMLError, RecursionError) as exc:
        raise _unreadable(name, f"not YAML ({type(exc).__name__})") from None
    if root is None:
        raise _unreadable(name, "it is empty")
    return root


def _wrong(node: yaml.Node, key: str, problem: str) -> ConfigError:
    """Return the error for one place of the file."""
    mark = node.start_mark
    where = f"{mark.name!r}, line {mark.line + 1}{f', key {key!r}' if key else ''}"
    return ConfigError(
        f"the status rules are wrong: {where}: {problem}",
        advice="Correct that line; logline_generator/status_rules.yaml explains the format.",
    )


def _unreadable(name: str, problem: str) -> ConfigError:
    return ConfigError(
        f"the status rules {name!r} cannot be read: {problem}",
        advice="Correct the file, or remove VV_STATUS_RULES_FILE to use the shipped rules.",
    )


def _rule(node: yaml.Node, is_last: bool) -> Rule:
    fields = _mapping(node, "rules", required=("name", "status"), optional=("when",))
    name, raw_status = _text(fields["name"], "name"), _text(fields["status"], "status")
    status = next((status for status in STATUSES if status == raw_status), None)
    if status is None:
        raise _wrong(fields["status"], "status", f"must be one of {', '.join(STATUSES)}")
    when = _conditions(fields["when"]) if "when" in fields else None
    if is_last and when is not None:
        raise _wrong(node, "when", "the last rule takes the rest and has no conditions")
    if not is_last and when is None:
        raise _wrong(node, "when", "without it the rules below are never reached")
    return Rule(name, status, when)


def _conditions(node: yaml.Node) -> Conditions:
    fields = _mapping(node, "when", optional=tuple(_PARSERS))
    if not fields:
        raise _wrong(node, "when", "it needs at least one condition")
    values: dict[str, Any] = {key: _PARSERS[key](child, key) for key, child in fields.items()}
    return Conditions(**values)


def _mapping(
    node: yaml.Node, key: str, required: tuple[str, ...] = (), optional: tuple[str, ...] = ()
) -> dict[str, yaml.Node]:
    """Return the values of a mapping node by key; unknown, missing and double keys are errors."""
    fields = _any_mapping(node, key)
    known = (*required, *optional)
    for name in fields:
        if name not in known:
            raise _wrong(fields[name], name, f"is not known here; known: {', '.join(known)}")
    missing = [name for name in required if name not in fields]
    if missing:
        raise _wrong(node, missing[0], "is missing")
    return fields


def _any_mapping(node: yaml.Node, key: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _wrong(node, key, "must be a mapping (key: value)")
    fields: dict[str, yaml.Node] = {}
    for key_node, value_node in node.value:
        name = _text(key_node, key)
        if name in fields:
            raise _wrong(key_node, name, "stands twice")
        fields[name] = value_node
    return fields


def _sequence(node: yaml.Node, key: str) -> list[yaml.Node]:
    if not isinstance(node, yaml.SequenceNode) or not node.value:
        raise _wrong(node, key, "must be a list with at least one entry")
    if len(node.value) > MAX_ENTRIES:
        raise _wrong(node, key, f"has more than {MAX_ENTRIES} entries")
    entries: list[yaml.Node] = node.value
    return entries


def _text(node: yaml.Node, key: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or node.tag != _STR:
        raise _wrong(node, key, "must be text; put it in quotes")
    value: str = node.value
    if not value.strip() or len(value) > MAX_TEXT or not value.isprintable():
        raise _wrong(node, key, f"must be printable text of 1 to {MAX_TEXT} characters")
    return value


def _texts(node: yaml.Node, key: str) -> tuple[str, ...]:
    return tuple(_text(entry, key) for entry in _sequence(node, key))


def _flag(node: yaml.Node, key: str) -> bool:
    if not isinstance(node, yaml.ScalarNode) or node.tag != _BOOL:
        raise _wrong(node, key, "must be true or false")
    return str(node.value).lower() in {"true", "yes", "on"}


def _counts(node: yaml.Node, key: str) -> Mapping[str, int]:
    fields = _any_mapping(node, key)
    if not fields:
        raise _wrong(node, key, "needs at least one label")
    return {label: _count(value, label) for label, value in fields.items()}


def _count(node: yaml.Node, key: str) -> int:
    is_count = isinstance(node, yaml.ScalarNode) and node.tag == _INT
    if not is_count or not _COUNT.fullmatch(node.value):
        raise _wrong(node, key, "must be a whole number from 1")
    return int(node.value)


def _hours(node: yaml.Node, key: str) -> Hours:
    match = _HOURS.fullmatch(_text(node, key))
    if match is None:
        raise _wrong(node, key, 'must look like "22:00-06:00"')
    begin_hour, begin_minute, end_hour, end_minute = match.groups(default="00")
    hours = Hours(time(int(begin_hour), int(begin_minute)), time(int(end_hour), int(end_minute)))
    if hours.begin == hours.end and match[3] is not None:
        raise _wrong(node, key, "begin and end are the same; leave it out for all day")
    return hours


def _weekdays(node: yaml.Node, key: str) -> tuple[int, ...]:
    return tuple(_weekday(entry, key) for entry in _sequence(node, key))


def _weekday(node: yaml.Node, key: str) -> int:
    day = _text(node, key).lower()
    for names in (_DAYS, _DIAS):
        if day in names:
            return names.index(day)
    raise _wrong(node, key, f"must be of {', '.join(_DAYS)} or {', '.join(_DIAS)}")


def _one_of(*choices: str) -> Callable[[yaml.Node, str], str]:
    def parse(node: yaml.Node, key: str) -> str:
        value = _text(node, key)
        if value not in choices:
            raise _wrong(node, key, f"must be one of {', '.join(choices)}")
        return value

    return parse


_PARSERS: Final[Mapping[str, Callable[[yaml.Node, str], Any]]] = {
    "labels_any": _texts,
    "labels_all": _texts,
    "labels_none": _texts,
    "min_count": _counts,
    "nothing_seen": _flag,
    "names_any": _texts,
    "names_none": _texts,
    "cameras": _texts,
    "hours": _hours,
    "weekdays": _weekdays,
    "detector": _one_of("embedded", "yolo"),
    "text_by": _one_of("model", "rules"),
}
