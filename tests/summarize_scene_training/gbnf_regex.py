"""A scene's GBNF as a regular expression of Python's: another reader of the same rules."""

from __future__ import annotations

import re

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|([a-z-]+)|(\{\d+,\d+\})|([()|?])|( +)')


def grammar_regex(grammar: str) -> re.Pattern[str]:
    """Return a pattern that matches what the grammar's root does; its rules are not recursive."""
    rules = dict(line.split(" ::= ", 1) for line in grammar.splitlines())
    return re.compile(_expand(rules["root"], rules))


def _expand(rule: str, rules: dict[str, str]) -> str:
    parts = []
    for literal, name, bounds, sign, _space in _TOKEN.findall(rule):
        if literal:
            parts.append(re.escape(literal.replace('\\"', '"').replace("\\\\", "\\")))
        elif name:
            parts.append(f"(?:{_expand(rules[name], rules)})")
        else:
            parts.append("(?:" if sign == "(" else bounds or sign)
    return "".join(parts)
