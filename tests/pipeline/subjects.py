"""Runners with something to run: a stage of a few lines, on this machine and in a container."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.pipeline.box import Box, MakeBox
from tests.support.fork_runner import ForkRunner
from vv_core.pipeline.batch import ItemOutcome, run_batch
from vv_core.pipeline.runners import ComposeRunner, ProcessRunner, StageRunner
from vv_core.pipeline.stage_end import StageEnd
from vv_core.pipeline.stages import StageSpec, pipeline_stages
from vv_core.stage import StageItem

STAGE = '''
"""A stage of a few lines, without anything installed: a batch list in, a journal out."""
import json, os, signal, sys, time

path = sys.argv[sys.argv.index("--batch") + 1]
worst = 0
with open(path + ".journal", "w", buffering=1) as journal:
    for index, line in enumerate(open(path)):
        item = json.loads(line)
        journal.write(json.dumps({"event": "start", "index": index}) + "\\n")
        word = open(item["input"]).readline().strip()
        end = {"event": "end", "index": index, "exit_code": 0}
        if word == "bad":
            end |= {"exit_code": 65, "message": "told to be bad", "advice": "change the text"}
            worst = worst or 65
        elif word == "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "hang":
            time.sleep(600)
        elif word == "stubborn":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(600)
        elif word == "oom":
            hoard = [bytearray(os.urandom(1 << 20)) for _ in range(1000)]
        elif word == "talk":
            for number in range(1000):
                print("line", number, "\\x1b[31m", file=sys.stderr)
            sys.exit(3)
        else:
            open(item["output"], "w").write("done")
        journal.write(json.dumps(end) + "\\n")
sys.exit(worst)
'''

COMPOSE = """
name: vv-contract
services:
  scene_scanner:
    image: python:3.11-slim
    entrypoint: [python, /stage/contract_stage.py]
    init: true
    network_mode: none
    mem_limit: 96m
    memswap_limit: 96m
    volumes:
      - "{home}/data:/data"
      - "{home}:/stage:ro"
  no_image:
    image: vv-contract/no-such-image:0
    build: {{context: "{home}", dockerfile_inline: "FROM python:3.11-slim"}}
    pull_policy: never
    network_mode: none
  no_folder:
    image: python:3.11-slim
    network_mode: none
    volumes:
      - {{type: bind, source: /no/such/folder, target: /x, bind: {{create_host_path: false}}}}
  too_many_cpus:
    image: python:3.11-slim
    network_mode: none
    cpus: 9999
  no_program:
    image: python:3.11-slim
    entrypoint: [/no/such/program]
    init: true
    network_mode: none
"""


@dataclass
class Subject:
    """A runner with something to run."""

    box: Box
    runner: StageRunner
    spec: StageSpec

    def run(self, *words: str, is_stalled: Callable[[], bool] = lambda: False) -> list[ItemOutcome]:
        """Run a batch of videos whose content says what the stage does."""
        items = []
        for number, word in enumerate(words):
            self.box.add(f"{number}.mp4", word)
            output = self.box.folder("analytic") / f"{number}.analytic.json"
            items.append(StageItem(self.box.input / f"{number}.mp4", output, f"{number}.mp4"))
        folder = self.box.folder("orchestrator_data") / "batches"
        outcomes = run_batch(
            Impatient(self.runner, is_stalled), self.spec, items, folder, monotonic=time.monotonic
        )
        assert list(folder.iterdir()) == []
        return outcomes

    def codes(self, *words: str) -> list[int]:
        return [outcome.exit_code for outcome in self.run(*words)]


class Impatient:
    """A runner that also stalls when a test says so."""

    def __init__(self, runner: StageRunner, is_stalled: Callable[[], bool]) -> None:
        self._runner = runner
        self._is_stalled = is_stalled

    def recover(self) -> None:
        self._runner.recover()

    def place(self, item: StageItem) -> StageItem:
        return self._runner.place(item)

    def run(
        self, spec: StageSpec, batch_list: Path, *, timeout_s: float, is_stalled: Callable[[], bool]
    ) -> StageEnd:
        return self._runner.run(
            spec,
            batch_list,
            timeout_s=timeout_s,
            is_stalled=lambda: is_stalled() or self._is_stalled(),
        )


def docker(*arguments: str) -> list[str]:
    result = subprocess.run(
        ["docker", *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return result.stdout.split()


def containers(subject: Subject) -> list[str]:
    assert isinstance(subject.runner, ComposeRunner)
    return docker("ps", "--all", "--quiet", "--filter", f"label={subject.runner.label}")


def require_engine() -> None:
    """Skip the test where no engine answers."""
    if shutil.which("docker") is None:
        pytest.skip("docker is not installed")
    result = subprocess.run(["docker", "info"], capture_output=True, timeout=60, check=False)
    if result.returncode:
        pytest.skip("no Docker engine answers")


def in_box(make_box: MakeBox, kind: str) -> Subject:
    box = make_box()
    spec = pipeline_stages(box.settings)[0]
    if kind == "fork":
        return Subject(box, ForkRunner(), spec)
    (box.home / "contract_stage.py").write_text(STAGE)
    (box.home / "docker-compose.yml").write_text(COMPOSE.format(home=box.home))
    if kind == "process":
        return Subject(box, ProcessRunner(box.settings), replace(spec, module="contract_stage"))
    return Subject(box, ComposeRunner(box.settings), spec)


def lock_path(subject: Subject) -> Path:
    return subject.box.folder("orchestrator_data") / "orchestrator.lock"
