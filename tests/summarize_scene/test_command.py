"""The real command in a process of its own, as the orchestrator runs it."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.summarize_scene.scenes import analytic, detection
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from tests.summarize_scene.workers import worker_of
from vv_core.errors import ExitCode
from vv_core.utils import validate_schema
from vv_schemas import schema_path

pytestmark = pytest.mark.integration

OWN = {"VV_LOG_DIR": "logs", "VV_SUMMARY_MODEL": "none"}
PEOPLE = [detection(at, "person", 0.9) for at in (3.0, 4.0)]


def run(
    folder: Path,
    *arguments: object,
    variables: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    not_inherited = ("VV_", "SCAN_", "COVERAGE") if before else ("VV_", "SCAN_")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(not_inherited)}
    return subprocess.run(
        [sys.executable, "-m", "summarize_scene.summarize_scene", *map(str, arguments)],
        env=inherited | OWN | {"VV_HOME": str(folder)} | (variables or {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        preexec_fn=before,
        check=False,
    )


@pytest.fixture
def item(tmp_path: Path) -> tuple[Path, Path]:
    source = tmp_path / "clip.analytic.json"
    source.write_text(json.dumps(analytic(*PEOPLE)), "utf-8")
    return source, tmp_path / "clip.summary.json"


def summary_of(path: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads(path.read_text("utf-8"))
    validate_schema(summary, schema_path("summary"))
    return summary


def test_one_item_and_again(tmp_path: Path, item: tuple[Path, Path]) -> None:
    done = run(tmp_path, *item)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert summary_of(item[1])["text"].endswith(".")
    before = item[1].stat()
    assert run(tmp_path, *item, variables={"VV_LANGUAGE": "en"}).returncode == 0
    assert item[1].stat() == before


def test_a_batch_goes_on_after_a_bad_item(tmp_path: Path, item: tuple[Path, Path]) -> None:
    bad = tmp_path / "bad.analytic.json"
    bad.write_text("{", "utf-8")
    second = tmp_path / "zwei ☕.summary.json"
    rows = [(bad, tmp_path / "bad.summary.json"), item, (item[0], second)]
    listing = tmp_path / "batch.jsonl"
    listing.write_text(
        "\n".join(json.dumps({"input": str(i), "output": str(o)}) for i, o in rows), "utf-8"
    )
    done = run(tmp_path, "--batch", listing)
    assert done.returncode == ExitCode.DATAERR
    assert "bad.analytic.json" in done.stderr
    assert summary_of(item[1])["analytic_hash"] == summary_of(second)["analytic_hash"]
    assert not (tmp_path / "bad.summary.json").exists()


def test_bad_input_and_missing_input(tmp_path: Path, item: tuple[Path, Path]) -> None:
    item[0].write_text('{"schema": "vv.analytic/1"}', "utf-8")
    bad = run(tmp_path, *item)
    assert bad.returncode == ExitCode.DATAERR
    assert "Traceback" not in bad.stderr
    assert "→" in bad.stderr
    item[0].unlink()
    assert run(tmp_path, *item).returncode == ExitCode.NOINPUT


@pytest.mark.parametrize(
    "variables",
    [
        {"VV_LANGUAGE": "fr"},
        {"VV_TIME_ZONE": "Mars/Olympus"},
        {"VV_PROMPT_FILE": "absent.prompt"},
        {"VV_SUMMARY_MODEL": "absent.gguf"},
        {"VV_SUMMARY_CONTEXT": "12"},
        {"VV_SUMMARY_MEMORY_MB": "255"},
    ],
)
def test_wrong_settings(tmp_path: Path, item: tuple[Path, Path], variables: dict[str, str]) -> None:
    done = run(tmp_path, *item, variables=variables)
    assert done.returncode == ExitCode.CONFIG
    assert "Traceback" not in done.stderr
    assert not item[1].exists()


@pytest.mark.parametrize("arguments", [[], ["only-one"], ["a", "b", "c"], ["--nonsense"]])
def test_wrong_usage(tmp_path: Path, arguments: list[str]) -> None:
    assert run(tmp_path, *arguments).returncode == ExitCode.USAGE


def test_help_and_version(tmp_path: Path) -> None:
    assert "title and a few sentences" in run(tmp_path, "--help").stdout
    assert run(tmp_path, "--version").stdout.startswith("summarize_scene ")


def test_a_full_disk_is_tried_again_later(tmp_path: Path, item: tuple[Path, Path]) -> None:
    def allow_no_bytes() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    done = run(tmp_path, *item, before=allow_no_bytes)
    assert done.returncode == ExitCode.TEMPFAIL
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [item[0].name]


def test_with_a_real_model_the_path_taken_is_recorded(
    tmp_path: Path, item: tuple[Path, Path]
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    write_tiny_gguf(tmp_path / "tiny.gguf")
    variables = {"VV_SUMMARY_MODEL": "tiny.gguf", "VV_SUMMARY_CONTEXT": "4096"}
    done = run(tmp_path, *item, variables=variables)
    assert done.returncode == 0
    summary = summary_of(item[1])
    assert summary["grounding"]["path"] == "rules"
    assert summary["grounding"]["fallback_reason"]
    assert summary["grounding"]["rejected_text"].startswith('{"title":"')
    assert [attempt["seed"] for attempt in summary["grounding"]["attempts"]] == [7, 8]
    assert all(attempt["reason"] for attempt in summary["grounding"]["attempts"])
    engine = summary["engine"]
    assert (engine["kind"], engine["model"], engine["quantization"]) == (
        "rules",
        "tiny.gguf",
        "F32",
    )
    assert (engine["device"], engine["seed"]) == ("cpu", 8)
    assert engine["prompt_version"] == "1.0.0"
    assert engine["tokens"] > 0
    log = (tmp_path / "logs" / "app.log").read_text("utf-8").splitlines()
    (entry,) = [json.loads(line) for line in log if "text was not kept" in line]
    reasons = [attempt["reason"] for attempt in summary["grounding"]["attempts"]]
    assert entry["fields"] == {
        "output": str(item[1]),
        "path": "rules",
        "attempts": 2,
        "reasons": reasons,
    }


def test_a_model_that_is_killed_costs_one_text_and_no_video(
    tmp_path: Path, item: tuple[Path, Path]
) -> None:
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    model = write_tiny_gguf(tmp_path / "tiny.gguf")
    outputs = [tmp_path / f"{number}.summary.json" for number in range(30)]
    rows = [json.dumps({"input": str(item[0]), "output": str(output)}) for output in outputs]
    (tmp_path / "list").write_text("\n".join(rows), "utf-8")
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("VV_", "SCAN_"))}
    own = {"VV_SUMMARY_MODEL": str(model), "VV_SUMMARY_CONTEXT": "4096", "VV_LOG_DIR": "logs"}
    command = [sys.executable, "-m", "summarize_scene.summarize_scene", "--batch", "list"]
    with subprocess.Popen(command, cwd=tmp_path, env=inherited | own) as stage:
        while not outputs[0].exists():
            assert stage.poll() is None
            time.sleep(0.01)
        os.kill(worker_of(stage.pid), signal.SIGKILL)
        assert stage.wait(timeout=120) == 0
    reasons = [summary_of(path)["grounding"]["fallback_reason"] or "" for path in outputs]
    assert sum("was ended by SIGKILL" in reason for reason in reasons) == 1
