"""The steps of docs/prompts.md, done as the page says."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from summarize_scene.prompt import PromptHead
from summarize_scene.training.evaluate import main as evaluate_main
from tests.summarize_scene.scenes import analytic, detection
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from vv_core.errors import ExitCode

pytestmark = pytest.mark.integration
pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "prompts.md").read_text("utf-8")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Return a folder with what step 4 needs, and the prompt of step 1."""
    write_tiny_gguf(tmp_path / "tiny.gguf")
    rows = [detection(at, "person", 0.9) for at in (3.0, 4.0)]
    (tmp_path / "c.analytic.json").write_text(json.dumps(analytic(*rows)), "utf-8")
    found = re.search(r"`cp (\S+) own\.prompt`", PAGE)
    assert found
    shutil.copy(ROOT / found[1], tmp_path / "own.prompt")
    lines = "VV_SUMMARY_MODEL=tiny.gguf\nVV_SUMMARY_CONTEXT=4096\n"
    (tmp_path / ".env").write_text(lines, "utf-8")
    return tmp_path


def summarize(box: Path) -> subprocess.CompletedProcess[str]:
    found = re.search(r"python -m (summarize_scene\.\S+) ", PAGE)
    assert found
    return subprocess.run(
        [sys.executable, "-m", found[1], "c.analytic.json", "c.summary.json"],
        env={k: v for k, v in os.environ.items() if not k.startswith(("VV_", "SCAN_"))},
        cwd=box,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def engine_of(box: Path) -> dict[str, Any]:
    done = summarize(box)
    assert done.returncode == 0, done.stderr
    path = box / "c.summary.json"
    engine: dict[str, Any] = json.loads(path.read_text("utf-8"))["engine"]
    path.unlink()
    return engine


def use_own_prompt(box: Path, text: str) -> None:
    (box / "own.prompt").write_text(text, "utf-8")
    with (box / ".env").open("a", encoding="utf-8") as stream:
        stream.write("VV_PROMPT_FILE=own.prompt\n")


def test_an_own_prompt_is_named_in_the_summary(box: Path) -> None:
    shipped = engine_of(box)
    copy = (box / "own.prompt").read_text("utf-8")
    assert shipped["prompt_hash"] == hashlib.sha256(copy.encode("utf-8")).hexdigest()
    own = re.sub('version = ".*"', 'version = "own"', copy).replace("Fatos:", "Dados:")
    use_own_prompt(box, own)
    engine = engine_of(box)
    assert engine["prompt_version"] == "own"
    assert engine["prompt_hash"] == hashlib.sha256(own.encode("utf-8")).hexdigest()
    assert engine["prompt_hash"] != shipped["prompt_hash"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("{{facts}}", "", "lacks {{facts}}"),
        ("temperature", "temprature", "temprature"),
        ("@@ user en", "@@ user fr", "'@@ user en' is missing"),
    ],
)
def test_a_broken_prompt_says_what_is_wrong_and_what_to_do(
    box: Path, old: str, new: str, reason: str
) -> None:
    use_own_prompt(box, (box / "own.prompt").read_text("utf-8").replace(old, new))
    done = summarize(box)
    assert done.returncode == ExitCode.CONFIG
    assert reason in done.stderr
    assert "→ Correct the file named in VV_PROMPT_FILE" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (box / "c.summary.json").exists()


def test_the_evaluation_takes_an_own_prompt(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--prompt own.prompt" in PAGE
    model = ["--model", str(box / "tiny.gguf"), "--prompt", str(box / "own.prompt")]
    evaluate_main([*model, "--scenes", "1", "--context", "4096"])
    report = json.loads(capsys.readouterr().out)
    assert report["texts"] == 2
    assert report["prompt"] == hashlib.sha256((box / "own.prompt").read_bytes()).hexdigest()


def test_the_page_names_every_key_of_the_front_matter() -> None:
    for key in PromptHead.model_fields:
        assert f"`{key}`" in PAGE
