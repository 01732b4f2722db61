"""The operator's rules of retention: each mistake is named by line and key."""

from __future__ import annotations

import pytest

from vv_core.errors import ConfigError
from vv_core.retention.policy import (
    CLEANABLE,
    SHIPPED_POLICY,
    FolderRule,
    load_policy,
    parse_policy,
)


def test_the_shipped_rules() -> None:
    policy = load_policy(None)
    assert policy.folders == {
        "processed": FolderRule(30),
        "analytic": FolderRule(90),
        "summaries": FolderRule(365),
        "corrupted": FolderRule(180),
        "tv_clips": FolderRule(8),
        "logs": FolderRule(30),
    }
    assert policy.temporary_hours == 24
    text = SHIPPED_POLICY.read_text("utf-8")
    assert all(name in text for name in CLEANABLE)


def rules(entry: str) -> str:
    return f"schema: vv.retention/1\nfolders:\n  - {entry}\n"


WRONG = {
    "empty": ("", "empty"),
    "another schema": ("schema: x\nfolders: [{folder: logs, days: 1}]\n", "line 1, key 'schema'"),
    "no folders": ("schema: vv.retention/1\n", "key 'folders': is missing"),
    "none": ("schema: vv.retention/1\nfolders: []\n", "at least one"),
    "unknown key": (rules("{folder: logs, days: 1, hours: 2}"), "line 3, key 'hours'"),
    "input": (rules("{folder: input, days: 1}"), "line 3, key 'folder': must be one of"),
    "the log": (rules("{folder: loglines, days: 1}"), "must be one of"),
    "no days": (rules("{folder: logs}"), "line 3, key 'days': is missing"),
    "zero days": (rules("{folder: logs, days: 0}"), "line 3, key 'days'"),
    "negative": (rules("{folder: logs, days: -1}"), "line 3, key 'days'"),
    "half a day": (rules("{folder: logs, days: 1.5}"), "line 3, key 'days'"),
    "for ever": (rules("{folder: logs, days: 99999}"), "must be at most 36500"),
    "twice": (
        rules("{folder: logs, days: 1}\n  - {folder: logs, days: 2}"),
        "line 4, key 'folder'",
    ),
    "exclude is text": (rules("{folder: logs, days: 1, exclude: x}"), "line 3, key 'exclude'"),
    "hours": ("temporary_hours: x\n" + rules("{folder: logs, days: 1}"), "temporary_hours"),
}


@pytest.mark.parametrize("name", sorted(WRONG))
def test_a_mistake_is_named(name: str) -> None:
    text, message = WRONG[name]
    with pytest.raises(ConfigError) as caught:
        parse_policy(text.encode(), "rules.yaml")
    assert message in caught.value.message
    assert "VV_RETENTION_FILE" in caught.value.advice


def test_all_that_can_be_said() -> None:
    text = rules("{folder: exports, days: 7, exclude: ['*.keep', 'x']}") + "temporary_hours: 2\n"
    policy = parse_policy(text.encode(), "rules.yaml")
    assert policy.folders == {"exports": FolderRule(7, ("*.keep", "x"))}
    assert policy.temporary_hours == 2
