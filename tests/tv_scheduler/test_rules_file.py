"""The rules that hold: the operator's, or the last ones that were right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tv_scheduler.rules_file import RulesFile
from vv_core.errors import ConfigError

TV = (
    "schema: vv.tv-rules/1\ntvs: [{name: NAME, statuses: [alerta], order: time, window_hours: 1}]\n"
)


def names(file: RulesFile) -> list[str]:
    return [rule.name for rule in file.read()]


def test_without_a_file_the_shipped_rules_hold(tmp_path: Path) -> None:
    file = RulesFile(None, tmp_path / "copy")
    assert names(file) == ["tv1", "tv2", "tv3"]
    assert file.read() is file.read()
    assert file.problem is None


def test_what_is_wrong_leaves_the_last_right_rules(tmp_path: Path) -> None:
    path, copy = tmp_path / "tvs.yaml", tmp_path / "copy"
    path.write_text(TV.replace("NAME", "hall"))
    file = RulesFile(path, copy)
    assert names(file) == ["hall"]
    path.write_text(TV.replace("alerta", "alarm"))
    assert names(file) == ["hall"]
    assert file.problem is not None
    assert "line 2, key 'statuses'" in file.problem.message
    again = RulesFile(path, copy)
    assert names(again) == ["hall"], "also after a start"
    assert again.problem is not None
    path.unlink()
    assert names(file) == ["hall"]
    assert "tvs.yaml" in file.problem.message
    path.write_text(TV.replace("NAME", "gate"))
    assert names(file) == ["gate"]
    assert file.problem is None


def test_without_any_right_rules_the_problem_is_raised(tmp_path: Path) -> None:
    path, copy = tmp_path / "tvs.yaml", tmp_path / "copy"
    path.write_text("wrong")
    for content in (None, b"also wrong"):
        if content is not None:
            copy.write_bytes(content)
        with pytest.raises(ConfigError, match=r"tvs\.yaml"):
            RulesFile(path, copy).read()


def test_rules_hold_though_no_copy_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "tvs.yaml"
    path.write_text(TV.replace("NAME", "hall"))
    assert names(RulesFile(path, tmp_path / "none" / "copy")) == ["hall"]
