"""Batches: one start for many items, which fail one by one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.core.sample_stage import main
from tests.core.test_stage import FAILURES, write_input
from vv_core.stage import JOURNAL_SUFFIX


def write_list(folder: Path, words: list[str]) -> Path:
    lines = []
    for index, word in enumerate(words):
        source = write_input(folder, word, f"in{index}.txt")
        lines.append(json.dumps({"input": str(source), "output": str(folder / f"out{index}.txt")}))
    path = folder / "list.jsonl"
    path.write_text("\n".join(lines))
    return path


def run_batch(folder: Path, *words: str) -> int:
    return main(["--batch", str(write_list(folder, list(words)))])


def journal(folder: Path) -> list[dict[str, Any]]:
    path = folder / f"list.jsonl{JOURNAL_SUFFIX}"
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_batch_does_all_items_and_keeps_a_journal(tmp_path: Path) -> None:
    assert run_batch(tmp_path, "ok", "ok") == 0
    assert journal(tmp_path) == [
        {"event": "start", "index": 0},
        {"event": "end", "index": 0, "exit_code": 0},
        {"event": "start", "index": 1},
        {"event": "end", "index": 1, "exit_code": 0},
    ]
    assert (tmp_path / "out0.txt").exists()
    assert (tmp_path / "out1.txt").exists()


def test_an_empty_batch_is_done(tmp_path: Path) -> None:
    assert run_batch(tmp_path) == 0
    assert journal(tmp_path) == []


@pytest.mark.parametrize("word", ["bad", "busy", "full", "fault"])
def test_one_bad_item_never_stops_the_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    code, message = FAILURES[word]
    assert run_batch(tmp_path, "ok", word, "ok") == code
    ends = [entry for entry in journal(tmp_path) if entry["event"] == "end"]
    assert [entry["exit_code"] for entry in ends] == [0, code, 0]
    assert message.split("\\n", maxsplit=1)[0] in ends[1]["message"]
    assert ends[1]["advice"]
    assert (tmp_path / "out2.txt").exists()
    assert capsys.readouterr().err.count("→") == 1


@pytest.mark.parametrize("word", ["config", "nokey", "unavailable"])
def test_what_concerns_all_items_stops_the_batch(tmp_path: Path, word: str) -> None:
    code, message = FAILURES[word]
    assert run_batch(tmp_path, "ok", word, "ok") == code
    assert journal(tmp_path)[-1] == {
        "event": "end",
        "index": 1,
        "exit_code": code,
        "message": message,
        "advice": "Change the word.",
    }
    assert not (tmp_path / "out2.txt").exists()


def test_the_first_failure_gives_the_exit_code(tmp_path: Path) -> None:
    assert run_batch(tmp_path, "busy", "bad") == 75


def test_a_batch_names_videos_that_are_gone(tmp_path: Path) -> None:
    path = write_list(tmp_path, ["ok", "ok"])
    (tmp_path / "in0.txt").unlink()
    assert main(["--batch", str(path)]) == 66
    assert [entry.get("exit_code") for entry in journal(tmp_path)] == [None, 66, None, 0]


@pytest.mark.parametrize(("content", "code"), [(None, 66), ("nonsense", 65)])
def test_a_list_that_cannot_be_used_begins_nothing(
    tmp_path: Path, content: str | None, code: int
) -> None:
    path = tmp_path / "list.jsonl"
    if content is not None:
        path.write_text(content)
    assert main(["--batch", str(path)]) == code
    assert not path.with_name(f"list.jsonl{JOURNAL_SUFFIX}").exists()


def test_a_journal_that_cannot_be_written_ends_the_batch(
    tmp_path: Path, small_disk: Path, fill_up: Callable[[Path], Path]
) -> None:
    path = small_disk / "list.jsonl"
    path.write_bytes(write_list(tmp_path, ["ok", "ok"]).read_bytes())
    fill_up(small_disk)
    assert main(["--batch", str(path)]) == 75
    assert not (tmp_path / "out0.txt").exists()
