"""A small JSON Schema checker, so that an auditor's machine needs no package for it.

It knows the part of JSON Schema 2020-12 that this product's signed documents use and refuses every other
keyword when a schema is compiled, so that nothing is passed over in silence. Values are those of strict
JSON without fractions. A pattern has to be anchored at both ends and within ASCII.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from vv_core.audit.schema_checks import (
    Check,
    UnsupportedSchemaError,
    array_check,
    condition_check,
    enum_check,
    nullable,
    object_check,
    options_check,
    range_check,
    text_check,
    type_check,
    type_problem,
)

__all__ = ["Check", "UnsupportedSchemaError", "compile_schema"]

LoadSchema = Callable[[str], Mapping[str, Any]]
"""Returns the schema document of a file name, as a ``$ref`` gives it."""

_NOTES = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default"}
_WITH_NULL = 2
"""Options of an anyOf that makes one schema nullable."""


def compile_schema(name: str, load: LoadSchema) -> Check:
    """Return the check of a schema document.

    Args:
        name: its file name.
        load: gives the documents, this one and those it refers to.

    Raises:
        UnsupportedSchemaError: a keyword or its value is not supported.
    """
    return _Compiler(load).compile_ref(name, "#")


class _Compiler:
    """Turns schemas into functions; each place of a document once, so that it may refer to itself."""

    def __init__(self, load: LoadSchema) -> None:
        self._load = load
        self._compiled: dict[str, list[Check]] = {}

    def compile_ref(self, document: str, ref: str) -> Check:
        name, _, pointer = ref.partition("#")
        name = name or document
        place = f"{name}#{pointer}"
        slot = self._compiled.get(place)
        if slot is None:
            slot = self._compiled[place] = []
            slot.append(self.compile(name, resolve_pointer(self._load(name), pointer)))
        if slot:
            return slot[0]

        # A reference to what is being compiled right now: looked up when used.
        def check_later(value: Any) -> str | None:
            return slot[0](value)

        return check_later

    def compile(self, document: str, node: Any) -> Check:
        if not isinstance(node, dict):
            raise UnsupportedSchemaError(f"not a schema object: {node!r}")
        checks: list[Check] = []
        rest = without_notes(node)
        for take in (
            self._take_scalars,
            self._take_object,
            self._take_array,
            self._take_type,
            self._take_combined,
        ):
            checks.extend(take(document, rest))
        if rest:
            raise UnsupportedSchemaError(f"unsupported keywords: {', '.join(sorted(rest))}")
        return _join(checks)

    def _take_scalars(self, document: str, rest: dict[str, Any]) -> Iterable[Check]:
        if {"pattern", "minLength", "maxLength"} & rest.keys():
            low, high = rest.pop("minLength", 0), rest.pop("maxLength", None)
            problem = _take_type(rest, "string")
            yield text_check(rest.pop("pattern", None), low, high, problem)
        if "const" in rest:
            yield enum_check([rest.pop("const")])
        if "enum" in rest:
            yield enum_check(rest.pop("enum"))
        if {"minimum", "maximum"} & rest.keys():
            problem = _take_type(rest, "integer")
            yield range_check(rest.pop("minimum", None), rest.pop("maximum", None), problem)

    def _take_object(self, document: str, rest: dict[str, Any]) -> Iterable[Check]:
        if not {"properties", "required", "additionalProperties"} & rest.keys():
            return
        properties = {
            name: self.compile(document, node) for name, node in rest.pop("properties", {}).items()
        }
        additional = rest.pop("additionalProperties", True)
        if not isinstance(additional, bool):
            raise UnsupportedSchemaError("additionalProperties that is a schema")
        required = frozenset(rest.pop("required", []))
        problem = _take_type(rest, "object")
        yield object_check(properties, required, problem, is_closed=not additional)

    def _take_array(self, document: str, rest: dict[str, Any]) -> Iterable[Check]:
        if not {"items", "minItems", "maxItems", "uniqueItems"} & rest.keys():
            return
        item = self.compile(document, rest.pop("items")) if "items" in rest else None
        low, high = rest.pop("minItems", 0), rest.pop("maxItems", None)
        is_unique = rest.pop("uniqueItems", False) is True
        yield array_check(item, low, high, _take_type(rest, "array"), is_unique=is_unique)

    def _take_type(self, document: str, rest: dict[str, Any]) -> Iterable[Check]:
        # Only what no other check has taken along.
        if "type" in rest:
            yield type_check(rest.pop("type"))

    def _take_combined(self, document: str, rest: dict[str, Any]) -> Iterable[Check]:
        if "$ref" in rest:
            yield self.compile_ref(document, rest.pop("$ref"))
        for node in rest.pop("allOf", []):
            yield self.compile(document, node)
        if len(rest.get("anyOf", ())) == _WITH_NULL and {"type": "null"} in rest["anyOf"]:
            first, second = rest.pop("anyOf")
            yield nullable(self.compile(document, second if first == {"type": "null"} else first))
        for keyword, is_enough in (("anyOf", lambda n: n >= 1), ("oneOf", lambda n: n == 1)):
            if keyword in rest:
                options = [self.compile(document, node) for node in rest.pop(keyword)]
                yield options_check(options, is_enough)
        if "not" in rest:
            yield options_check([self.compile(document, rest.pop("not"))], lambda n: n == 0)
        if "if" in rest:
            condition = self.compile(document, rest.pop("if"))
            then = self.compile(document, rest.pop("then", {}))
            yield condition_check(condition, then, self.compile(document, rest.pop("else", {})))


def without_notes(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without what only tells people about it."""
    return {key: value for key, value in node.items() if key not in _NOTES}


def resolve_pointer(document: Any, pointer: str) -> Any:
    """Return the part of a document that a JSON pointer names.

    Raises:
        UnsupportedSchemaError: there is none.
    """
    for step in pointer.split("/")[1:]:
        try:
            document = document[step.replace("~1", "/").replace("~0", "~")]
        except (KeyError, TypeError):
            raise UnsupportedSchemaError(f"a reference leads nowhere: {pointer}") from None
    return document


def _join(checks: list[Check]) -> Check:
    if not checks:
        return lambda _value: None
    if len(checks) == 1:
        return checks[0]

    def check_all(value: Any) -> str | None:
        for check in checks:
            problem = check(value)
            if problem is not None:
                return problem
        return None

    return check_all


def _take_type(rest: dict[str, Any], name: str) -> str | None:
    """Take the type along into another check, if it is this one; return what to say when it is not kept."""
    if rest.get("type") != name:
        return None
    del rest["type"]
    return type_problem([name])
