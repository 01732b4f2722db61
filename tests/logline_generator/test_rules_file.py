from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logline_generator.rules import Conditions
from logline_generator.rules_file import MAX_BYTES, SHIPPED_RULES, load_rules, parse_rules
from vv_core.errors import ConfigError, ExitCode


def test_the_shipped_rules_load() -> None:
    rules = load_rules(None)
    assert rules == load_rules(SHIPPED_RULES)
    assert rules.sha256 == hashlib.sha256(SHIPPED_RULES.read_bytes()).hexdigest()
    assert [rule.status for rule in rules.rules] == [
        "experimental",
        "alerta",
        "experimental",
        "confirmado",
    ]


def test_every_condition_is_explained_in_the_shipped_file() -> None:
    text = SHIPPED_RULES.read_text("utf-8")
    for name in Conditions.__dataclass_fields__:
        assert f"#   {name}:" in text, name


def rule_file(rule: str) -> str:
    """Return a rule file whose first rule, on line 3, is the given one."""
    default = "\n  - {name: rest, status: confirmado}\n"
    return f"schema: vv.status-rules/1\nrules:\n  - {rule}{default}"


def when(text: str) -> str:
    return rule_file(f"{{name: a, status: alerta, when: {{{text}}}}}")


WRONG = {
    "unknown key at the top": ("schema: vv.status-rules/1\nrule: []\n", 2, "rule", "not known"),
    "no rules": ("schema: vv.status-rules/1\n", 1, "rules", "is missing"),
    "no schema": ("rules: []\n", 1, "schema", "is missing"),
    "another schema": ("schema: x\nrules: []\n", 1, "schema", "must be vv.status-rules/1"),
    "schema is a number": ("schema: 1\nrules: []\n", 1, "schema", "must be text"),
    "a list at the top": ("- a\n", 1, "", "must be a mapping"),
    "rules is a mapping": ("schema: vv.status-rules/1\nrules: {}\n", 2, "rules", "must be a list"),
    "rules is empty": ("schema: vv.status-rules/1\nrules: []\n", 2, "rules", "at least one"),
    "rule is text": (rule_file("alerta"), 3, "rules", "must be a mapping"),
    "rule without name": (rule_file("{status: alerta}"), 3, "name", "is missing"),
    "rule without status": (rule_file("{name: a}"), 3, "status", "is missing"),
    "unknown key in a rule": (rule_file("{name: a, status: alerta, if: {}}"), 3, "if", "not known"),
    "unknown status": (
        rule_file("{name: a, status: ok}"),
        3,
        "status",
        "must be one of confirmado",
    ),
    "status is a list": (rule_file("{name: a, status: [alerta]}"), 3, "status", "must be text"),
    "name is a number": (rule_file("{name: 1, status: alerta}"), 3, "name", "must be text"),
    "name is empty": (rule_file("{name: ' ', status: alerta}"), 3, "name", "printable text"),
    "name with a newline": (rule_file('{name: "a\\nb", status: alerta}'), 3, "name", "printable"),
    "name is long": (rule_file(f"{{name: {'a' * 121}, status: alerta}}"), 3, "name", "1 to 120"),
    "key twice": (rule_file("{name: a, name: b, status: alerta}"), 3, "name", "stands twice"),
    "two rules of one name": (
        rule_file("{name: rest, status: alerta, when: {labels_any: [a]}}"),
        4,
        "name",
        "two rules are called 'rest'",
    ),
    "default before the end": (rule_file("{name: a, status: alerta}"), 3, "when", "never reached"),
    "no default": (
        "schema: vv.status-rules/1\nrules:\n- {name: a, status: alerta, when: {labels_any: [a]}}\n",
        3,
        "when",
        "takes the rest",
    ),
    "when is empty": (when(""), 3, "when", "at least one condition"),
    "when is a list": (
        rule_file("{name: a, status: alerta, when: [a]}"),
        3,
        "when",
        "must be a mapping",
    ),
    "unknown condition": (when("label: [a]"), 3, "label", "known: labels_any"),
    "labels is text": (when("labels_any: person"), 3, "labels_any", "must be a list"),
    "labels is empty": (when("labels_any: []"), 3, "labels_any", "at least one entry"),
    "too many labels": (
        when(f"labels_any: [{', '.join('a' * 501)}]"),
        3,
        "labels_any",
        "more than 500",
    ),
    "the Norway problem": (when("labels_any: [no]"), 3, "labels_any", "put it in quotes"),
    "label is null": (when("labels_any: [~]"), 3, "labels_any", "must be text"),
    "label is a list": (when("labels_any: [[a]]"), 3, "labels_any", "must be text"),
    "count is zero": (when("min_count: {person: 0}"), 3, "person", "whole number from 1"),
    "count is text": (when("min_count: {person: many}"), 3, "person", "whole number"),
    "count is a fraction": (when("min_count: {person: 1.5}"), 3, "person", "whole number"),
    "count is hexadecimal": (when("min_count: {person: 0x10}"), 3, "person", "whole number"),
    "count is a list": (when("min_count: {person: [1]}"), 3, "person", "whole number"),
    "count of nothing": (when("min_count: {}"), 3, "min_count", "at least one label"),
    "count without label": (when("min_count: 3"), 3, "min_count", "must be a mapping"),
    "flag is text": (when("nothing_seen: maybe"), 3, "nothing_seen", "true or false"),
    "flag is a list": (when("nothing_seen: []"), 3, "nothing_seen", "true or false"),
    "hours is a number": (when("hours: 22"), 3, "hours", "must be text"),
    "hours without end": (when("hours: '22:00'"), 3, "hours", "must look like"),
    "hours of 25": (when("hours: '25:00-06:00'"), 3, "hours", "must look like"),
    "hours that begin at 24": (when("hours: '24:00-06:00'"), 3, "hours", "must look like"),
    "hours of no length": (when("hours: '06:00-06:00'"), 3, "hours", "are the same"),
    "unknown weekday": (when("weekdays: [sábado]"), 3, "weekdays", "must be of mon"),
    "unknown detector": (when("detector: hog"), 3, "detector", "must be one of embedded, yolo"),
    "unknown writer": (when("text_by: gpt"), 3, "text_by", "must be one of model, rules"),
    "merge key": (when("<<: {labels_any: [a]}"), 3, "when", "must be text"),
}


@pytest.mark.parametrize(("text", "line", "key", "problem"), WRONG.values(), ids=WRONG)
def test_an_error_names_file_line_and_key(text: str, line: int, key: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_rules(text.encode(), "my rules.yaml")
    message = caught.value.message
    place = f"'my rules.yaml', line {line}"
    assert (f"{place}, key {key!r}: " if key else f"{place}: ") in message
    assert problem in message
    assert caught.value.exit_code is ExitCode.CONFIG
    assert "status_rules.yaml" in caught.value.advice


UNREADABLE = {
    "empty": (b"", "it is empty"),
    "comments only": (b"# nothing\n", "it is empty"),
    "not UTF-8": (b"schema: \xe9\n", "not UTF-8"),
    "control character": (b"schema: \x01\n", "not YAML"),
    "too large": (b"#" * (MAX_BYTES + 1), "larger than"),
    "tab": (b"rules:\n\t- a\n", "line 2: found character"),
    "unclosed": (b"rules: [\n", "line 2"),
    "two documents": (b"a: 1\n---\nb: 2\n", "line 2: but found another document"),
    "unknown alias": (b"schema: *x\n", "line 1: found undefined alias"),
    "deep": (b"[" * 20_000, "RecursionError"),
}


@pytest.mark.parametrize(("data", "problem"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_that_is_no_yaml(data: bytes, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem) as caught:
        parse_rules(data, "my rules.yaml")
    assert "'my rules.yaml'" in caught.value.message


def test_an_alias_that_holds_itself_is_wrong() -> None:
    with pytest.raises(ConfigError, match="must be text"):
        parse_rules(when("labels_any: &a [*a]").encode(), "rules.yaml")


@given(st.text(st.sampled_from("schema: rules\n-[]{}&*!|>'\"%@`#?,~<1.\t"), max_size=60))
def test_any_text_loads_or_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_rules(text.encode(), "rules.yaml")


def test_a_missing_file_names_the_variable(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        load_rules(tmp_path / "gone.yaml")
    assert "VV_STATUS_RULES_FILE" in caught.value.advice


@pytest.mark.parametrize(("text", "value"), [("true", True), ("no", False), ("On", True)])
def test_flags(text: str, value: bool) -> None:
    first = parse_rules(when(f"nothing_seen: {text}").encode(), "rules.yaml").rules[0]
    assert first.when is not None
    assert first.when.nothing_seen is value
