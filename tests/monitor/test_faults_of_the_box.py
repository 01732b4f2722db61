"""Faults of a box without containers, each brought about for real, as the diagnosis sees them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.containers.conftest import WEIGHTS
from tests.models.conftest import install, models, settings
from tests.models.test_switch import choice_of, switch_to
from tests.monitor.acting import ActingBox
from tests.monitor.recording import Right, check_situation
from tests.monitor.test_remedies import acting, box
from tests.pipeline.box import Box
from tests.pipeline.processes import children_of
from tests.summarize_scene.tiny_gguf import write_tiny_gguf
from tests.support.clips import make_clip, make_without_moov
from vv_core.atomic import write_json_atomic
from vv_core.models.active import Switch, active_document
from vv_core.models.registry import shipped_path
from vv_core.models.registry_file import load_registry
from vv_core.monitor.proposal import Action
from vv_core.pipeline.journal import read_journal

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
__all__ = ["acting", "box", "install", "models", "settings"]

Install = Callable[..., object]


def clip(box: Box, number: int, camera: str = "", seconds: int = 1) -> Path:
    path = box.input / camera / f"2026112{number}-020304.mp4"
    path.parent.mkdir(exist_ok=True)
    return make_clip(path, seconds=seconds, rate=2 + number)


def check(acting: ActingBox, right: Right) -> None:
    acting.clock.now_s = max(acting.clock.now_s, time.time())
    check_situation(right, acting.settings, acting.monitor)


def with_weights(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the scanner see something: the real network, and a real video."""
    pytest.importorskip("openvino")
    if not WEIGHTS.is_dir():
        pytest.skip("no weights here")
    shutil.copytree(WEIGHTS, box.folder("models") / "yolo")
    monkeypatch.setenv("VV_YOLO_MODEL", "data/models/yolo")


# --- keys, settings, disk ---------------------------------------------------------------------------------------------


def open_to_all(box: Box) -> None:
    box.key_store.chmod(0o644)


def gone(box: Box) -> None:
    (box.home / "secrets" / "log_signing_key.pem").unlink()


@pytest.mark.parametrize(
    ("spoil", "name"),
    [(open_to_all, "the key store can be read by all"), (gone, "the log's signing key is gone")],
)
def test_keys(box: Box, acting: ActingBox, spoil: Callable[[Box], None], name: str) -> None:
    clip(box, 1)
    spoil(box)
    assert acting.cycle().returncode == 77
    check(acting, Right(name, is_known=True))


@pytest.mark.parametrize(
    ("variable", "value", "name"),
    [
        ("VV_YOLO_MODEL", "data/models/none.xml", "weights that are set are not there"),
        (
            "VV_SUMMARY_MODEL",
            "data/models/none.gguf",
            "the language model that is set is not there",
        ),
        ("VV_PROMPT_FILE", "no-such-prompt.yaml", "the prompt that is set is not there"),
    ],
)
def test_settings(box: Box, acting: ActingBox, variable: str, value: str, name: str) -> None:
    clip(box, 1)
    told = {"VV_SUMMARY_MODEL": "", variable: value}
    assert acting.cycle(**told).returncode == 78
    check(acting, Right(name, is_known=True))


@pytest.fixture
def full_disk(box: Box) -> Iterator[None]:
    """Put the box's data on a small disk, and fill it."""
    data, kept = box.folder(""), box.home / "kept"
    shutil.copytree(data, kept)
    argv = ["mount", "-t", "tmpfs", "-o", "size=3m", "vv-test", str(data)]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=30, check=False)
    if result.returncode:
        pytest.skip(f"mounting is not permitted: {result.stderr.strip()}")
    shutil.copytree(kept, data, dirs_exist_ok=True)
    clip(box, 1)
    clip(box, 2)
    yield
    subprocess.run(["umount", "--lazy", str(data)], timeout=30, check=True)


def test_a_full_disk(box: Box, acting: ActingBox, full_disk: None) -> None:
    assert acting.cycle(ORCHESTRATOR_BATCH_SIZE="1").returncode == 0
    clip(box, 3)
    with (box.folder("") / "filler").open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(b"\0" * 4096)
    acting.cycle()
    check(acting, Right("the disk is full", is_known=True))


def test_a_damaged_history(box: Box, acting: ActingBox) -> None:
    clip(box, 1)
    assert acting.cycle().returncode == 0
    history = box.folder("orchestrator_data") / "orchestrator_db.sqlite"
    history.write_bytes(b"no database" * 1000)
    clip(box, 2)
    acting.cycle()
    check(acting, Right("the run history was damaged and put aside"))


# --- videos -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 4])
def test_videos_that_a_recorder_never_closed(box: Box, acting: ActingBox, count: int) -> None:
    good = make_clip(box.home / "good.mp4", seconds=1)
    for number in range(count):
        path = box.input / "garagem" / f"2026112{number}-020304.mp4"
        path.parent.mkdir(exist_ok=True)
        make_without_moov(path, good)
        path.write_bytes(path.read_bytes() + bytes([number]))
    acting.cycle()
    names = {1: "a video whose recorder never closed it", 4: "one camera writes torn videos only"}
    check(acting, Right(names[count]))


def strike(
    acting: ActingBox, is_struck: Callable[[str], bool], number: int, times: int, **variables: str
) -> None:
    """Run a cycle, and signal so many of its processes, each once its command line and work fit."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vv_core.pipeline.orchestrate", "--once"],
        env={**os.environ, **variables},
        cwd=acting.home,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    struck: set[int] = set()
    deadline = time.monotonic() + 300
    while process.poll() is None:
        assert time.monotonic() < deadline
        for pid in descendants(process.pid) - struck if len(struck) < times else ():
            if is_struck(words_of(pid)):
                os.kill(pid, number)
                struck.add(pid)
        time.sleep(0.005)
    assert len(struck) == times


def is_scanning(words: str) -> bool:
    """Tell whether a command line is that of a scanner that has begun with a video."""
    module, _, rest = words.partition(" --batch ")
    if not module.endswith("scan_video.scan_video") or not rest:
        return False
    journal = Path(f"{rest.split()[0]}.journal")
    return journal.exists() and read_journal(journal, 1000).open_index is not None


def is_at_a_later_video(words: str) -> bool:
    """Tell whether a command line is that of a scanner that has done a video and begun with another."""
    path = (
        Path(f"{words.partition(' --batch ')[2].split()[0]}.journal")
        if is_scanning(words)
        else None
    )
    return path is not None and (read_journal(path, 1000).open_index or 0) > 0


def is_model(words: str) -> bool:
    """Tell whether a command line is that of a process that holds a language model."""
    return "summarize_scene.engine_worker" in words


def words_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    with suppress(FileNotFoundError, ProcessLookupError):
        for child in children_of(pid):
            found |= {child} | descendants(child)
    return found


LONG = {"VV_SUMMARY_MODEL": "none", "ORCHESTRATOR_WORKERS": "1"}


def test_a_scanner_that_somebody_killed_once(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_weights(box, monkeypatch)
    clip(box, 1, seconds=60)
    strike(acting, is_scanning, signal.SIGKILL, 1, **LONG)
    check(acting, Right("the scanner was killed once"))


def test_a_scanner_that_crashes_at_each_video_since_other_weights_were_activated(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: Install
) -> None:
    with_weights(box, monkeypatch)
    made = install("other", b"weights", kind="detector", file="other.pt")
    switch = active_document({"detector": Switch(choice_of(made))})  # type: ignore[arg-type]
    write_json_atomic(box.folder("models") / "active.json", switch)
    for number in range(3):
        clip(box, number, seconds=60)
    strike(acting, is_scanning, signal.SIGSEGV, 3, **LONG)
    name = "the scanner crashes at each video since other weights were activated"
    check(acting, Right(name, Action.ROLL_BACK_MODEL))


def test_good_videos_that_a_fault_set_aside_which_is_over(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_weights(box, monkeypatch)
    for number in range(6):
        clip(box, number, "entrada", seconds=30)
    variables = {**LONG, "ORCHESTRATOR_MAX_CRASHES": "1"}
    strike(acting, is_at_a_later_video, signal.SIGABRT, 3, **variables)
    assert len(box.videos("corrupted")) == 3
    assert len(box.log_lines()) == 3
    check(acting, Right("good videos were set aside by a fault that is over", Action.REQUEUE))


# --- caches -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 3])
def test_compiled_networks_that_are_damaged(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    with_weights(box, monkeypatch)
    for number in range(times + 1):
        for kept in box.settings.storage.scanner_state.rglob("*.compiled"):
            kept.write_bytes(b"torn by a power cut")
        clip(box, number)
        assert acting.cycle().returncode == 0
    if times == 1:
        check(acting, Right("a compiled network was damaged once"))
        return
    name = "compiled networks are damaged again and again"
    check(acting, Right(name, Action.CLEAR_CACHE, "scanner", is_known=True))


# --- language models --------------------------------------------------------------------------------------------------


def people(box: Box, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Put a video into input/ with something to write about."""
    if not (box.folder("models") / "yolo").exists():
        with_weights(box, monkeypatch)
    monkeypatch.setenv("VV_SUMMARY_MODEL", "")
    source = WEIGHTS.parents[1] / "videos" / "bottle-detection.mp4"
    path = box.input / f"2026112{number}-020304.mp4"
    make = ["ffmpeg", "-v", "error", "-i", source, "-t", str(2 + number), "-c", "copy", path]
    subprocess.run(list(map(str, make)), timeout=60, check=True)


def switched(box: Box, install: Install, content: bytes) -> None:
    """Activate a model of some content, past the trial that would refuse it."""
    switch_to(box.folder("models"), install("novo", content), None)  # type: ignore[arg-type]


def shipped() -> bytes:
    pytest.importorskip("llama_cpp")
    entry = load_registry(ActingBox(Path()).settings).shipped("summary")
    assert entry is not None
    return shipped_path(entry).read_bytes()


ONCE = Right("the model's process was lost once")
NEW = Right("an activated model crashes", Action.ROLL_BACK_MODEL, "summary", is_known=True)
SHIPPED = Right("the shipped model crashes", Action.ESCALATE, "summary", is_known=True)


@pytest.mark.parametrize("right", [ONCE, NEW, SHIPPED], ids=lambda right: right.name)
def test_a_model_that_crashes(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: Install, right: Right
) -> None:
    if right is not SHIPPED:
        switched(box, install, shipped())
    for number in range(1 if right is ONCE else 3):
        people(box, monkeypatch, number)
        strike(acting, is_model, signal.SIGKILL, 1)
    check(acting, right)


BAD = Right("texts of a new model fail the check", Action.ROLL_BACK_MODEL)
SLOW = Right("a new model is too slow", Action.ROLL_BACK_MODEL)
SLOW_BOX = Right("the shipped model is too slow on this machine")


@pytest.mark.parametrize("right", [BAD, SLOW, SLOW_BOX], ids=lambda right: right.name)
def test_a_model_whose_texts_cannot_be_used(
    box: Box, acting: ActingBox, monkeypatch: pytest.MonkeyPatch, install: Install, right: Right
) -> None:
    if right is not SLOW_BOX:
        tiny = write_tiny_gguf(box.home / "tiny.gguf")
        switched(box, install, tiny.read_bytes())
    for number in range(3):
        people(box, monkeypatch, number)
    acting.cycle(**({} if right is BAD else {"VV_SUMMARY_TIMEOUT_SECONDS": "0.01"}))
    check(acting, right)


# --- cameras and the DVR ----------------------------------------------------------------------------------------------

CAPTURE = """
import sys, time
from agent_dvr.agent_dvr import CaptureJob
from vv_core.clock import SystemClock
from vv_core.logs import setup_logging
from vv_core.settings import load_settings
from datetime import timedelta

class Clock(SystemClock):
    passed = 0.0
    def now(self):
        return super().now() + timedelta(seconds=self.passed)
    def monotonic(self):
        return time.monotonic() + self.passed

settings = load_settings()
setup_logging("vv-capture", settings.resolve(settings.log_dir), 0)
clock = Clock()
job = CaptureJob(settings, clock)
for _ in range(5):
    job(lambda: False)
    clock.passed += float(sys.argv[1])
"""
"""Turns of the capture by a clock that leaps."""


@pytest.mark.parametrize(
    ("leap_s", "variables", "name"),
    [
        (31, {"DVR_IP": "127.0.0.1", "VV_DVR_PORT": "9"}, "the DVR does not answer"),
        (7200, {}, "two cameras deliver nothing"),
    ],
)
def test_cameras(
    box: Box, acting: ActingBox, leap_s: int, variables: dict[str, str], name: str
) -> None:
    for camera in ("entrada", "garagem"):
        (box.settings.storage.raw / camera).mkdir(parents=True)
    script = box.home / "capture.py"
    script.write_text(CAPTURE)
    result = subprocess.run(
        [sys.executable, str(script), str(leap_s)],
        env={**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    check(acting, Right(name))
