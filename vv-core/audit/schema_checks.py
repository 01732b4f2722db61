"""The single checks of JSON Schema's keywords, as functions of a value; see `closed_schema`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any], str | None]
"""Tells where and how a value breaks the schema, or None when it follows it."""
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int,),
    "boolean": (bool,),
    "null": (type(None),),
}

_NO_LIMIT = 1 << 62


class UnsupportedSchemaError(ValueError):
    """A schema uses something that this checker does not know."""


def type_problem(names: list[str]) -> str:
    return f": is not of type {' or '.join(names)}"


def type_check(raw_names: Any) -> Check:
    names = [raw_names] if isinstance(raw_names, str) else list(raw_names)
    unknown = [name for name in names if name not in _TYPES]
    if unknown:
        raise UnsupportedSchemaError(f"unknown type: {unknown[0]}")
    types = frozenset(kind for name in names for kind in _TYPES[name])
    problem = type_problem(names)
    return lambda value: None if type(value) in types else problem


def enum_check(raw_values: list[Any]) -> Check:
    if any(isinstance(value, dict | list | float) for value in raw_values):
        raise UnsupportedSchemaError(
            "const and enum know text, integers, true, false and null only"
        )
    allowed = frozenset((type(value), value) for value in raw_values)
    texts = frozenset(value for value in raw_values if isinstance(value, str))
    words = ", ".join(json.dumps(value, ensure_ascii=False) for value in raw_values)
    problem = f": is not {words}" if len(raw_values) == 1 else f": is not one of {words}"

    def check(value: Any) -> str | None:
        if type(value) is str:
            return None if value in texts else problem
        is_scalar = not isinstance(value, dict | list)
        return None if is_scalar and (type(value), value) in allowed else problem

    return check


def text_check(pattern: str | None, low: int, high: int | None, otherwise: str | None) -> Check:
    """Return the check of a text; ``otherwise`` is what it says of anything else."""
    matches = _compile_pattern(pattern) if pattern is not None else None
    longest = _NO_LIMIT if high is None else high

    def check_pattern(value: Any) -> str | None:
        if type(value) is not str:
            return otherwise
        return None if matches(value) else f": does not match {pattern}"  # type: ignore[misc]

    def check(value: Any) -> str | None:
        if type(value) is not str:
            return otherwise
        if not low <= len(value) <= longest:
            return f": has {len(value)} characters, not {low} to {longest}"
        if matches is not None and not matches(value):
            return f": does not match {pattern}"
        return None

    is_pattern_alone = matches is not None and low == 0 and high is None
    return check_pattern if is_pattern_alone else check


def _compile_pattern(pattern: str) -> Callable[[str], object]:
    body = pattern[1:-1]
    is_simple = re.search(r"(?<!\\)[$^](?![^\[]*\])|\\[A-Za-z]|\(\?(?!:)", body) is None
    if not (pattern.startswith("^") and pattern.endswith("$") and pattern.isascii() and is_simple):
        raise UnsupportedSchemaError(f"a pattern of the form ^…$ without classes: {pattern}")
    # An alternative at the top level would escape the anchors.
    return re.compile(f"(?:{body})" if "|" not in body else _grouped(body)).fullmatch


def _grouped(body: str) -> str:
    if not (body.startswith("(") and body.endswith(")")):
        raise UnsupportedSchemaError(f"alternatives have to stand in one group: {body}")
    return body


def range_check(low: int | None, high: int | None, otherwise: str | None) -> Check:
    least = -_NO_LIMIT if low is None else low
    most = _NO_LIMIT if high is None else high
    problem = f": is not within {low} to {high}"

    def check(value: Any) -> str | None:
        if type(value) is not int:
            return otherwise
        return None if least <= value <= most else problem

    return check


def object_check(
    properties: dict[str, Check], needed: frozenset[str], otherwise: str | None, *, is_closed: bool
) -> Check:
    allowed = frozenset(properties)
    pairs = tuple(properties.items())

    def check(value: Any) -> str | None:
        if type(value) is not dict:
            return otherwise
        keys = value.keys()
        if not needed <= keys:
            return f": {min(needed - keys)} is missing"
        if is_closed and not keys <= allowed:
            return f": {min(keys - allowed)} is not known"
        for name, check_property in pairs:
            if name in value:
                problem = check_property(value[name])
                if problem is not None:
                    return f"/{name}{problem}"
        return None

    return check


def array_check(
    item: Check | None, low: int, high: int | None, otherwise: str | None, *, is_unique: bool
) -> Check:
    longest = _NO_LIMIT if high is None else high

    def check(value: Any) -> str | None:
        if type(value) is not list:
            return otherwise
        if not low <= len(value) <= longest:
            return f": has {len(value)} items, not {low} to {longest}"
        if item is not None:
            for number, each in enumerate(value):
                problem = item(each)
                if problem is not None:
                    return f"/{number}{problem}"
        if is_unique and len({json.dumps(each, sort_keys=True) for each in value}) < len(value):
            return ": has an item twice"
        return None

    return check


def options_check(options: list[Check], is_enough: Callable[[int], bool]) -> Check:
    def check(value: Any) -> str | None:
        problems = [option(value) for option in options]
        if is_enough(problems.count(None)):
            return None
        return next((problem for problem in problems if problem), ": is not allowed here")

    return check


def nullable(option: Check) -> Check:
    """Return the check of anyOf with null; the same as `options_check`, in less time."""
    return lambda value: None if value is None else option(value)


def condition_check(condition: Check, then: Check, otherwise: Check) -> Check:
    return lambda value: then(value) if condition(value) is None else otherwise(value)
