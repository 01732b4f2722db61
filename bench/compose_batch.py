"""What containers cost: the start of each, and the overhead of a clip in a batch.

    IMAGE_TAG=… VV_YOLO_MODEL=path python bench/compose_batch.py

The images must be there (`docker compose --profile stages build`). Twenty clips of two seconds go through one cycle of
the orchestrator, in turns with ``docker compose run`` and with processes of this machine. Overhead is what the cycle
took beside looking at pictures and finding words, whose times stand in analytics and summaries: starts of containers
and programs, loading of models, hashing, signing, moving.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from measure import machine_line, measure

from vv_core.heartbeat import read_heartbeat
from vv_core.jsonio import read_json
from vv_core.pipeline.compose_environment import client_environment, prepare_folders
from vv_core.preparation import prepare
from vv_core.settings import Settings, load_settings

CLIPS = 20
ROUNDS = 3
ROOT = Path(__file__).resolve().parents[1]
ORCHESTRATE = [sys.executable, "-m", "vv_core.pipeline.orchestrate", "--once"]
STAGES = ("scene_scanner", "scene_summarizer", "logline_writer")
_TIMEOUT_S = 300


def main() -> None:
    """Print the tables."""
    weights = os.environ.pop("VV_YOLO_MODEL", "")
    print(machine_line("openvino"), end="\n\n")
    with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
        root = Path(folder)
        os.environ |= {"COMPOSE_PROJECT_NAME": f"vv-bench-{os.getpid()}", "TV_API_PORT": "0"}
        os.environ |= {"BOX_UID": str(os.geteuid()), "BOX_GID": str(os.getegid())}
        clips = make_clips(root / "clips")
        settings = fresh_box(root, weights)
        try:
            print("| start with nothing to do | s, median of 3 |\n|---|---|")
            for service in STAGES:
                print(
                    f"| `{service}` | {_median(lambda name=service: start_stage(settings, name)):.2f} |"
                )
            for service, is_ready in services(settings).items():
                seconds = _median(
                    lambda name=service, ready=is_ready: start_service(settings, name, ready)
                )
                print(f"| `{service}`, to its first work | {seconds:.2f} |")
            compose(settings, "down", "--timeout", "2")
            print_cycles(root, clips, weights)
        finally:
            # A run makes the networks of all services, even where its own has none.
            compose(settings, "down", "--timeout", "2")


def make_clips(folder: Path) -> list[Path]:
    """Make clips that differ in nothing but a comment, so that their hashes do."""
    folder.mkdir(parents=True)
    base = folder / "base.mp4"
    source = "testsrc2=size=640x360:rate=10:duration=2"
    _ffmpeg("-f", "lavfi", "-i", source, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(base))
    clips = []
    for number in range(CLIPS):
        clip = folder / f"clip-{number:02}.mp4"
        _ffmpeg("-i", str(base), "-c", "copy", "-metadata", f"comment={number}", str(clip))
        clips.append(clip)
    base.unlink()
    return clips


def _ffmpeg(*arguments: str) -> None:
    command = ["ffmpeg", "-v", "error", "-y", *arguments]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=_TIMEOUT_S)


def fresh_box(root: Path, weights: str, runner: str = "compose") -> Settings:
    """Make a box without data or keys; a log does not go on with the data of another."""
    for name in ("data", "secrets", "logs"):
        shutil.rmtree(root / name, ignore_errors=True)
    os.environ |= {
        "VV_HOME": str(root),
        "ORCHESTRATOR_COMPOSE_FILE": str(ROOT / "docker-compose.yml"),
        "ORCHESTRATOR_RUNNER": runner,
        "ORCHESTRATOR_STABLE_SECONDS": "0",
    }
    if weights:
        shutil.copytree(weights, root / "data/models/yolo")
        os.environ["VV_YOLO_MODEL"] = "data/models/yolo"
    settings = load_settings()
    prepare(settings)
    prepare_folders(settings)
    (settings.storage.orchestrator_data / "batches").mkdir(exist_ok=True)
    return settings


def compose(settings: Settings, *arguments: str) -> str:
    """Run docker compose as the orchestrator does; return what it prints."""
    file = str(settings.resolve(settings.compose_file))
    command = ["docker", "compose", "--file", file, "--env-file", os.devnull, *arguments]
    result = subprocess.run(
        command,
        env=client_environment(settings),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if result.returncode:
        raise RuntimeError(f"{arguments} ended with {result.returncode}: {result.stderr[-2000:]}")
    return result.stdout


def _median(run: Callable[[], float]) -> float:
    return statistics.median(run() for _ in range(ROUNDS))


def start_stage(settings: Settings, service: str) -> float:
    """Return how long a stage takes for an empty batch, seconds."""
    batch = settings.storage.orchestrator_data / "batches" / "empty.jsonl"
    batch.write_text("")
    begun = time.monotonic()
    compose(
        settings,
        "run",
        "--rm",
        "--no-TTY",
        service,
        "--batch",
        f"/data/orchestrator_data/batches/{batch.name}",
    )
    return time.monotonic() - begun


def services(settings: Settings) -> dict[str, Callable[[], bool]]:
    """Return how to see that a service has done its first work."""

    def has_beaten(name: str) -> bool:
        path = settings.storage.services / f"{name}.json"
        return path.exists() and not read_heartbeat(path).problem

    def answers() -> bool:
        address = compose(settings, "port", "tv_api", "8000").strip()
        try:
            with urllib.request.urlopen(f"http://{address}/health", timeout=5) as response:
                return bool(json.loads(response.read())["status"] == "ok")
        except (OSError, urllib.error.URLError):
            return False

    return {
        "video_capture": lambda: has_beaten("video_capture"),
        "playlist_manager": lambda: has_beaten("playlist_manager"),
        "tv_api": answers,
    }


def start_service(settings: Settings, service: str, is_ready: Callable[[], bool]) -> float:
    """Return how long a service takes from ``up`` to its first work, seconds."""
    compose(settings, "rm", "--stop", "--force", service)
    (settings.storage.services / f"{service}.json").unlink(missing_ok=True)
    begun = time.monotonic()
    compose(settings, "up", "--detach", "--no-build", service)
    while not is_ready():
        if time.monotonic() - begun > _TIMEOUT_S:
            raise RuntimeError(f"{service} does nothing")
        time.sleep(0.02)
    return time.monotonic() - begun


def print_cycles(root: Path, clips: list[Path], weights: str) -> None:
    """Run the cycles in turns and print their table."""
    times: dict[str, list[tuple[float, float]]] = {"process": [], "compose": []}
    for _ in range(ROUNDS):
        for runner, found in times.items():
            found.append(cycle(root, runner, clips, weights))
    print(
        f"\n| cycle of {CLIPS} clips | s | of that work | overhead a clip, s |\n|---|---|---|---|"
    )
    for runner, found in times.items():
        wall, work = (statistics.median(column) for column in zip(*found, strict=True))
        overhead = statistics.median((each[0] - each[1]) / CLIPS for each in found)
        print(f"| {runner} | {wall:.1f} | {work:.1f} | {overhead:.3f} |")


def cycle(root: Path, runner: str, clips: list[Path], weights: str) -> tuple[float, float]:
    """Run one cycle over the clips on a fresh box; return its wall time and the stages' work, seconds."""
    settings = fresh_box(root, weights, runner)
    for clip in clips:
        shutil.copyfile(clip, settings.storage.input / clip.name)
    usage = measure(ORCHESTRATE)
    storage = settings.storage
    analytics = [read_json(path) for path in storage.analytic.glob("*.json")]
    summaries = [read_json(path) for path in storage.summaries.glob("*.json")]
    done = len(list(storage.loglines.glob("*.logline.json")))
    if not len(analytics) == len(summaries) == done == len(clips):
        raise RuntimeError(f"{done} LogLines of {len(clips)}")
    work = sum(each["elapsed_s"] for each in analytics)
    return usage.wall_s, work + sum(each["engine"]["elapsed_s"] for each in summaries)


if __name__ == "__main__":
    main()
