"""The command line of stages, with a small stage of our own."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.core.sample_stage import main
from vv_core import __version__
from vv_core.utils import compute_sha256


def write_input(folder: Path, word: str, name: str = "in.txt") -> Path:
    path = folder / name
    path.write_text(f"{word} {name}\n")
    return path


def run_one(folder: Path, word: str, *options: str) -> int:
    """Run the stage for one input in this process."""
    source = write_input(folder, word)
    return main([*options, str(source), str(folder / "out.txt")])


def log_entries(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "logs" / "app.log").read_text().splitlines()]


def test_one_item(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run_one(tmp_path, "ok", "--note", str(tmp_path / "note")) == 0
    assert (tmp_path / "out.txt").read_text() == compute_sha256(tmp_path / "in.txt")
    assert (tmp_path / "note").read_text() == "closed"
    assert capfd.readouterr() == ("", "")
    (entry,) = log_entries(tmp_path)
    assert (entry["component"], entry["logger"]) == ("sample_stage", "vv.sample_stage")
    assert entry["message"] == "wrote the output"
    assert entry["fields"]["input"] == str(tmp_path / "in.txt")


def test_paths_count_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_input(tmp_path, "ok")
    monkeypatch.chdir(tmp_path)
    assert main(["in.txt", "out.txt"]) == 0
    assert (tmp_path / "out.txt").exists()


def test_a_valid_output_is_kept(tmp_path: Path) -> None:
    assert run_one(tmp_path, "ok") == 0
    before = (tmp_path / "out.txt").stat()
    assert run_one(tmp_path, "ok") == 0
    assert (tmp_path / "out.txt").stat().st_ino == before.st_ino
    assert log_entries(tmp_path)[-1]["message"] == "kept the existing output"


def test_an_output_of_another_input_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "out.txt").write_text("old")
    assert run_one(tmp_path, "ok") == 0
    assert (tmp_path / "out.txt").read_text() == compute_sha256(tmp_path / "in.txt")


FAILURES = {
    "bad": (65, "told to be bad"),
    "busy": (75, "told to be busy"),
    "config": (78, "told to be config"),
    "nokey": (77, "told to be nokey"),
    "unavailable": (69, "told to be unavailable"),
    "full": (75, "No space left on device"),
    "fault": (70, "RuntimeError('told to have a fault\\nin two lines')"),
}


@pytest.mark.parametrize("word", FAILURES)
def test_failures_have_their_code_and_two_lines_for_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], word: str
) -> None:
    code, message = FAILURES[word]
    assert run_one(tmp_path, word, "--note", str(tmp_path / "note")) == code
    first, advice = capsys.readouterr().err.splitlines()
    assert first.startswith("sample_stage: ")
    assert message in first
    assert advice.startswith("→ ")
    assert (tmp_path / "note").exists()
    assert not (tmp_path / "out.txt").exists()


def test_the_traceback_of_a_fault_is_in_the_log_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_one(tmp_path, "fault") == 70
    assert "Traceback" not in capsys.readouterr().err
    assert "have_a_fault" in log_entries(tmp_path)[-1]["traceback"]


def test_a_missing_input_and_a_missing_folder_of_the_output_are_told_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "gone"), str(tmp_path / "out.txt")]) == 66
    assert "gone" in capsys.readouterr().err
    source = write_input(tmp_path, "ok")
    assert main([str(source), str(tmp_path / "gone" / "out.txt")]) == 75
    assert "output's folder" in capsys.readouterr().err


@pytest.mark.parametrize("other", ["in.txt", "./in.txt", "link"])
def test_the_input_is_never_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    source = write_input(tmp_path, "ok")
    (tmp_path / "link").symlink_to("in.txt")
    monkeypatch.chdir(tmp_path)
    assert main(["in.txt", other]) == 64
    assert source.read_text() == "ok in.txt\n"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["in"],
        ["in", "out", "more"],
        ["--batch"],
        ["--batch", "list", "in"],
        ["--batch", "list", "in", "out"],
        ["--nothing", "in", "out"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_64(capsys: pytest.CaptureFixture[str], argv: list[str]) -> None:
    try:
        code = main(argv)
    except SystemExit as exc:
        code = int(exc.code or 0)
    assert code == 64
    assert "--help" in capsys.readouterr().err


def test_wrong_settings_exit_78(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    os.environ["VV_LANGAGE"] = "en"
    assert run_one(tmp_path, "ok") == 78
    assert "Did you mean VV_LANGUAGE?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "expected"),
    [("--help", "A stage for tests."), ("--version", f"sample_stage {__version__}\n")],
)
def test_help_and_version(capsys: pytest.CaptureFixture[str], option: str, expected: str) -> None:
    with pytest.raises(SystemExit) as caught:
        main([option])
    assert caught.value.code == 0
    output = capsys.readouterr().out
    assert expected in output
    if option == "--help":
        assert all(word in output for word in ("--batch", "--note", "sysexits", "docs/errors.md"))


def test_progress_is_told_with_v(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_one(tmp_path, "ok", "-v") == 0
    assert capsys.readouterr().err == "info: wrote the output\n"
