"""Scanning one minute of video, cold: our scanner beside ``YOLO.predict``, same weights, same frames a second.

    python bench/scan.py WEIGHTS [PEER_PYTHON]

WEIGHTS is an OpenVINO export of YOLOv8n. PEER_PYTHON is the Python of an environment made by `pip install ultralytics
openvino` alone, which is how its users have it (torch with CUDA); without it the peer runs in this environment.

Whole processes, from start to result, in turns. The floor is decoding alone plus inference alone, both
warm, in one process. Clips: 60 s of 1080p30 H.264, keyframes 2 s and 10 s apart; one sample a second.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from measure import Usage, machine_line, measure, median

ROUNDS = 5
PHOTOGRAPH = "ultralytics/assets/bus.jpg"

PEER = """
import sys
try:
    from scan_video.ultralytics_runtime import load_ultralytics
    YOLO = load_ultralytics().YOLO
except ImportError:
    from ultralytics import YOLO
for result in YOLO(sys.argv[1], task="detect").predict(
        sys.argv[2], stream=True, vid_stride=30, verbose=False, conf=0.25, iou=0.7):
    result.boxes.xyxy.cpu().numpy()
"""

FLOOR = """
import sys, time
from pathlib import Path
import av, numpy, openvino
weights = next(Path(sys.argv[1]).glob("*.xml"))
model = openvino.Core().compile_model(weights, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
blank = numpy.zeros([int(n) for n in model.inputs[0].shape], numpy.float32)
model(blank)
begun = time.monotonic()
queue = openvino.AsyncInferQueue(model)
for _ in range(60):
    queue.start_async({0: blank})
queue.wait_all()
inferred = time.monotonic()
with av.open(sys.argv[2]) as container:
    container.streams.video[0].thread_type = "AUTO"
    for _ in container.decode(video=0):
        pass
decoded = time.monotonic()
print(inferred - begun, decoded - inferred)
"""


def main() -> None:
    """Print the table."""
    weights = Path(sys.argv[1]).resolve()
    peer = sys.argv[2] if len(sys.argv) > 2 else sys.executable  # noqa: PLR2004
    print(
        machine_line("openvino", "av", "numpy", "torch", "ultralytics-opencv-headless"), end="\n\n"
    )
    print("| clip | | wall s | CPU s | peak MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="vv-bench-") as folder:
        root = Path(folder)
        for seconds in (2, 10):
            clip = make_clip(root / f"keyframes-{seconds}s.mp4", seconds)
            _compare(clip, weights, root, peer)


def _compare(clip: Path, weights: Path, root: Path, peer_python: str) -> None:
    name = clip.stem.replace("-", " ")
    ours, peers = [], []
    env = {
        "VV_HOME": str(root),
        "VV_YOLO_MODEL": str(weights),
        "VV_FACES": "false",
        "COVERAGE_PROCESS_START": "",
    }
    for number in range(ROUNDS):
        peers.append(measure([peer_python, "-c", PEER, str(weights), str(clip)]))
        ours.append(_scan(clip, root / f"{clip.stem}-{number}.analytic.json", env))
    mine, peer = median(ours), median(peers)
    inference, decoding = _floor(clip, weights)
    _row(name, "YOLO.predict(stream=True, vid_stride=30)", peer)
    _row(name, "scan_video, pictures and analytic written", mine)
    floor = f"floor: inference {inference:.2f} s + decoding every frame {decoding:.2f} s"
    print(f"| {name} | {floor} | {inference + decoding:.2f} | | |")
    print(
        f"| {name} | **ratio** | **{peer.wall_s / mine.wall_s:.1f}x faster** | "
        f"{peer.cpu_s / mine.cpu_s:.1f}x | **{mine.peak_mb / peer.peak_mb:.2f} of the memory** |",
        flush=True,
    )


def _scan(clip: Path, output: Path, env: Mapping[str, str]) -> Usage:
    usage = measure([sys.executable, "-m", "scan_video.scan_video", str(clip), str(output)], env)
    looked_at = json.loads(output.read_bytes())["sampling"]["frames"]
    if looked_at != 60:  # noqa: PLR2004 - one a second
        raise RuntimeError(f"{looked_at} frames were looked at, not 60")
    return usage


def _floor(clip: Path, weights: Path) -> tuple[float, float]:
    output = subprocess.run(
        [sys.executable, "-c", FLOOR, str(weights), str(clip)],
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    ).stdout
    inference, decoding = output.split()[-2:]
    return float(inference), float(decoding)


def make_clip(path: Path, keyframe_seconds: int) -> Path:
    """Write a minute of a camera that pans over a street photograph, with sensor noise."""
    photograph = next(
        Path(entry) / PHOTOGRAPH for entry in sys.path if (Path(entry) / PHOTOGRAPH).is_file()
    )
    pan = (
        "scale=2400:-1,zoompan=z=1:x='(iw-1920)*(0.5+0.5*sin(on/150))':y='(ih-1080)*(0.5+0.5*sin(on/233))'"
        ":d=1800:s=1920x1080:fps=30,noise=alls=6:allf=t"
    )
    command = ["ffmpeg", "-v", "error", "-y", "-i", str(photograph), "-vf", pan, "-t", "60"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "28", "-pix_fmt", "yuv420p"]
    command += ["-g", str(30 * keyframe_seconds), "-keyint_min", str(30 * keyframe_seconds)]
    command += ["-sc_threshold", "0", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, timeout=1800)
    return path


def _row(name: str, what: str, usage: Usage) -> None:
    print(f"| {name} | {what} | {usage.wall_s:.2f} | {usage.cpu_s:.2f} | {usage.peak_mb:.0f} |")


if __name__ == "__main__":
    os.environ.setdefault("YOLO_OFFLINE", "true")
    main()
