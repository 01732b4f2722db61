"""One regular expression for the canonical form of all documents of a closed schema.

Nearly every line that an audit reads is in order. For those, one match of the text shows what otherwise takes
writing the document again and walking through the schema: that it is JSON, that it is written in the one
canonical way, and that it follows the schema. What does not match may still be in order (a text with a quote in
it, a very large number, a kind of schema that is not known here); the longer way decides about it.

So a match must never say more than `canonical.load_canonical` and `closed_schema` together would. Keys have one
order in the canonical form, and of a closed schema all are known; texts are taken without any escape; and a
pattern becomes part of the expression only when no character that it admits means something in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from vv_core.audit.closed_schema import LoadSchema, compile_schema, resolve_pointer, without_notes
from vv_core.audit.schema_checks import Check, UnsupportedSchemaError, text_check

_MOST_DIGITS = 15
"""An integer of so many digits is within ±(2^53-1)."""
_PLAIN = r'[^"\\\x00-\x1f]'
"""A character of a text that is written as it is."""
_WORD = re.compile(r"[A-Za-z0-9_]+")
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:-]*")
# Of a pattern only what admits characters that stand for themselves in JSON: letters, digits, few signs, classes.
_SIMPLE_PATTERN = re.compile(
    r"\^((?:[A-Za-z0-9:_/ -]|\\\.|\[(?:0-9|1-9|a-f|a-z|A-F|A-Z|[A-Za-z0-9_.:/])+-?\]"
    r"|\{[0-9]+(?:,[0-9]+)?\}|[?*+()])*)\$"
)


class CanonicalForm:
    """Tells whether a text is the canonical form of a document of one schema."""

    def __init__(self, name: str, load: LoadSchema) -> None:
        """Make the expression.

        Args:
            name: the schema document's file name.
            load: gives the documents, this one and those it refers to.

        Raises:
            UnsupportedSchemaError: the schema is of a kind that is not known here.
        """
        node = without_notes(load(name))
        # What one part of the document demands of another is looked at afterwards.
        conditions: dict[str, Any] = {
            key: node.pop(key) for key in ("if", "then", "else") if key in node
        }
        maker = _ExpressionMaker(load)
        self._match = re.compile(maker.make(name, node)).fullmatch
        self._guards = tuple(maker.guards.items())
        self._find_unmet = compile_schema(
            name, lambda other: conditions if other == name else load(other)
        )

    def is_form(self, text: str) -> bool:
        """Tell whether a text is such a form, but for conditions; False where only the longer way can tell."""
        match = self._match(text)
        return match is not None and all(
            match[group] is None or find_problem(match[group]) is None
            for group, find_problem in self._guards
        )

    def keeps_conditions(self, document: Any) -> bool:
        """Tell whether the document of such a text keeps what one part of it demands of another."""
        return self._find_unmet(document) is None


class _ExpressionMaker:
    """Turns schemas into expressions; `guards` are the checks of groups that the expression alone lets pass."""

    def __init__(self, load: LoadSchema) -> None:
        self._load = load
        self._depth_of_lists = 0
        self._takers = {
            "object": self._object,
            "array": self._array,
            "string": self._text,
            "integer": _integer,
        }
        self.guards: dict[str, Check] = {}

    def make(self, document: str, node: Mapping[str, Any]) -> str:
        """Return the expression of one schema.

        Args:
            document: the file that references without a name lead into.
            node: the schema.

        Raises:
            UnsupportedSchemaError: it has something that is not known here.
        """
        rest = without_notes(node)
        expression = self._take(document, rest)
        if rest:
            raise UnsupportedSchemaError(f"no expression for: {', '.join(sorted(rest))}")
        return expression

    def _take(self, document: str, rest: dict[str, Any]) -> str:
        if "$ref" in rest:
            name, _, pointer = rest.pop("$ref").partition("#")
            name = name or document
            return self.make(name, resolve_pointer(self._load(name), pointer))
        if "anyOf" in rest:
            return self._null_or(document, rest.pop("anyOf"))
        if "const" in rest:
            return _words([rest.pop("const")])
        if "enum" in rest:
            return _words(rest.pop("enum"))
        take = self._takers.get(rest.pop("type", ""))
        if take is None:
            raise UnsupportedSchemaError("a schema of no single known type")
        return take(document, rest)

    def _null_or(self, document: str, options: list[dict[str, Any]]) -> str:
        others = [option for option in options if option != {"type": "null"}]
        if len(options) != len(others) + 1 or len(others) != 1:
            raise UnsupportedSchemaError("alternatives other than null")
        return f"(?:null|{self.make(document, others[0])})"

    def _object(self, document: str, rest: dict[str, Any]) -> str:
        if rest.pop("additionalProperties", True) is not False:
            raise UnsupportedSchemaError("an object that is not closed")
        properties, required = rest.pop("properties", {}), set(rest.pop("required", ()))
        # So that every comma belongs to what follows it.
        if not required <= properties.keys() or min(properties, default="") not in required:
            raise UnsupportedSchemaError("an object whose first property may be missing")
        return f"\\{{{''.join(self._members(document, properties, required))}\\}}"

    def _members(
        self, document: str, properties: Mapping[str, Any], required: set[str]
    ) -> Iterator[str]:
        for number, name in enumerate(sorted(properties)):
            if not _WORD.fullmatch(name):
                raise UnsupportedSchemaError(f"a name that is no word: {name}")
            value = self.make(document, properties[name])
            member = f'{"," if number else ""}"{name}":{value}'
            yield member if name in required else f"(?:{member})?"

    def _array(self, document: str, rest: dict[str, Any]) -> str:
        least, most = rest.pop("minItems", 0), rest.pop("maxItems", None)
        if "items" not in rest or most == 0:
            raise UnsupportedSchemaError("a list of nothing, or of anything")
        self._depth_of_lists += 1
        item = self.make(document, rest.pop("items"))
        self._depth_of_lists -= 1
        more = f"{{{max(least - 1, 0)},{'' if most is None else most - 1}}}"
        filled = f"{item}(?:,{item}){more}"
        return f"\\[{filled}\\]" if least else f"\\[(?:{filled})?\\]"

    def _text(self, _document: str, rest: dict[str, Any]) -> str:
        least, most = rest.pop("minLength", 0), rest.pop("maxLength", None)
        pattern = rest.pop("pattern", None)
        if pattern is None:
            return f'"{_PLAIN}{{{least},{"" if most is None else most}}}"'
        simple = _SIMPLE_PATTERN.fullmatch(pattern)
        if simple is not None and least == 0 and most is None:
            return f'"(?:{simple[1]})"'
        if self._depth_of_lists:
            raise UnsupportedSchemaError(f"a pattern within a list: {pattern}")
        group = f"guarded{len(self.guards)}"
        self.guards[group] = text_check(pattern, least, most, None)
        return f'"(?P<{group}>{_PLAIN}*)"'


def _words(values: list[Any]) -> str:
    if not all(isinstance(value, str) and _PLAIN_WORD.fullmatch(value) for value in values):
        raise UnsupportedSchemaError("const and enum with more than plain words")
    return f"(?:{'|'.join(re.escape(json.dumps(value)) for value in values)})"


def _integer(_document: str, rest: dict[str, Any]) -> str:
    """Return the expression of the integers with fewer digits than the largest that is allowed."""
    least = rest.pop("minimum", None)
    digits = min(len(str(rest.pop("maximum", 10**_MOST_DIGITS))) - 1, _MOST_DIGITS)
    if least not in {0, 1} or digits < 1:
        raise UnsupportedSchemaError("integers from other than 0 or 1 on, or very small ones")
    positive = f"[1-9][0-9]{{0,{digits - 1}}}"
    return positive if least == 1 else f"(?:0|{positive})"
