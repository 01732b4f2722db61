"""The command: one video, many, and the service, which may be killed at any moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.clips import make_clip
from tests.support.waiting import wait_for
from tests.vv_ingest.boxes import ClipBox, SetClock
from tests.vv_ingest.broken_tools import STUCK, replace_tool
from tests.vv_ingest.conftest import GetVideo
from tests.vv_ingest.tracks import VIDEO
from vv_core.clock import SystemClock
from vv_core.errors import TemporaryError, UnavailableError
from vv_core.heartbeat import read_heartbeat
from vv_core.media_record import MediaState, record_path
from vv_core.service import Service
from vv_core.service_health import check
from vv_core.utils import compute_sha256
from vv_ingest import tools
from vv_ingest.ffmpeg_arguments import ChildLimits
from vv_ingest.process_video import Beat, main
from vv_ingest.tools import ToolFault, Tools

pytestmark = pytest.mark.integration
FOREVER_S = 120


@pytest.fixture(autouse=True)
def home(box: ClipBox, monkeypatch: pytest.MonkeyPatch) -> ClipBox:
    """Let the command find the box, whose time is the real one."""
    monkeypatch.setenv("VV_HOME", str(box.home))
    box.clock = SetClock(SystemClock().now())
    return box


@contextmanager
def service(box: ClipBox, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "VV_HOME": str(box.home),
        "VV_CLIP_POLL_SECONDS": "0.2",
        **variables,
    }
    command = [sys.executable, "-m", "vv_ingest.process_video", "--loop"]
    child = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def test_one_video(box: ClipBox, video_of: GetVideo, tmp_path: Path) -> None:
    source, target = video_of("H.265"), tmp_path / "out.mp4"
    assert main([str(source), str(target)]) == 0
    first = target.stat()
    assert main([str(source), str(target)]) == 0
    assert target.stat().st_mtime_ns == first.st_mtime_ns, "kept: it says what it was made from"
    other = make_clip(tmp_path / "other.avi", "-c:v", "mjpeg", seconds=1)
    assert main([str(other), str(target)]) == 0
    assert target.stat().st_mtime_ns != first.st_mtime_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == ["box", "other.avi", "out.mp4"]


def test_one_that_plays_is_copied(box: ClipBox, video_of: GetVideo, tmp_path: Path) -> None:
    source, target = video_of("plays"), tmp_path / "out.mp4"
    target.write_text("something else")
    assert main([str(source), str(target)]) == 0
    assert compute_sha256(target) == compute_sha256(source)
    first = target.stat()
    assert main([str(source), str(target)]) == 0
    assert target.stat().st_mtime_ns == first.st_mtime_ns


def test_many_videos_of_which_one_is_bad(box: ClipBox, video_of: GetVideo, tmp_path: Path) -> None:
    items = [
        {"input": str(video_of(name)), "output": str(tmp_path / f"{number}.mp4")}
        for number, name in enumerate(["MJPEG", "text", "plays"])
    ]
    batch = tmp_path / "batch"
    batch.write_text("".join(json.dumps(item) + "\n" for item in items))
    assert main(["--batch", str(batch)]) == 65
    assert [Path(item["output"]).exists() for item in items] == [True, False, True]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["only-one"], 64),
        (["--once", "--loop"], 64),
        (["--once", "a.mp4"], 64),
        (["/nowhere/a.mp4", "/nowhere/b.mp4"], 66),
        (["--version"], 0),
        (["--help"], 0),
        (["--loop", "--help"], 0),
    ],
)
def test_other_command_lines(box: ClipBox, arguments: list[str], code: int) -> None:
    try:
        result = main(arguments)
    except SystemExit as exc:
        result = int(exc.code or 0)
    assert result == code


def test_once_does_all_and_says_how_many(
    box: ClipBox, video_of: GetVideo, capsys: pytest.CaptureFixture[str]
) -> None:
    box.put(video_of("index behind"), "a.mp4")
    assert main(["--once"]) == 0
    assert "standardised: 1\n" in capsys.readouterr().out


def test_the_service_does_what_comes_and_ends_when_asked(box: ClipBox, video_of: GetVideo) -> None:
    heartbeat = box.storage.services / "clip_converter.json"
    with service(box) as child:
        wait_for(heartbeat.exists)
        assert check(heartbeat, SystemClock().now()) is None
        sha256 = box.put(video_of("index behind"), "a.mp4")
        wait_for(record_path(box.storage, sha256).exists)
        assert box.record(sha256).state is MediaState.STANDARDISED
        wait_for(lambda: read_heartbeat(heartbeat).details.get("standardised") == 1)
        assert main(["--once"]) == 75, "another one is at work"
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=FOREVER_S) == 0


def test_asked_to_end_it_ends_ffmpeg_too(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, source = box.home / "started", video_of("index behind")
    replace_tool(monkeypatch, box.home / "bin", f"echo $$ > {started}; {STUCK}")
    box.put(source, "a.mp4")
    with service(box) as child:
        wait_for(lambda: started.exists() and started.read_text())
        child.send_signal(signal.SIGTERM)
        assert child.wait(timeout=FOREVER_S) == 0
    assert not Path(f"/proc/{started.read_text().strip()}").exists()
    assert box.made() == []


def working_ffmpegs(child: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
    return [int(number) for number in children if is_ffmpeg(int(number))]


def is_ffmpeg(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/comm").read_text().strip() == "ffmpeg"
    except OSError:
        return False


@pytest.mark.parametrize("moment", ["at once", "writing", "nearly done"])
def test_killed_at_any_moment_nothing_half_counts(
    box: ClipBox, video_of: GetVideo, tmp_path: Path, moment: str
) -> None:
    long = make_clip(tmp_path / "long.avi", "-c:v", "mjpeg", size="640x480", seconds=20, rate=25)
    sha256 = box.put(long, "a.avi")
    tv_curado = box.storage.tv_curado
    with service(box) as child:
        wait_for(lambda: working_ffmpegs(child))
        (ffmpeg,) = working_ffmpegs(child) or [0]
        if moment != "at once":
            least = 1 if moment == "writing" else 200_000
            wait_for(
                lambda: (
                    any(path.stat().st_size >= least for path in tv_curado.iterdir())
                    or record_path(box.storage, sha256).exists()
                )
            )
        child.kill()
        child.wait()
    wait_for(lambda: not is_ffmpeg(ffmpeg))
    whole = [name for name in box.made() if not name.startswith(".vv-tmp-")]
    for name in whole:
        assert compute_sha256(tv_curado / name) == name.removesuffix(".mp4")
    assert record_path(box.storage, sha256).exists() <= bool(whole)
    box.turn()
    record = box.record(sha256)
    assert record.state is MediaState.STANDARDISED
    assert record.clip is not None
    assert box.made() == [record.clip.path]


def test_ffmpeg_that_takes_too_long_is_ended(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video_of("plays")
    replace_tool(monkeypatch, box.home / "bin", STUCK)
    watched = Tools(ChildLimits(2048, 1, 1080), timeout_s=0.5)
    with pytest.raises(ToolFault, match="longer than"):
        watched.decode(source, VIDEO, None)


def test_ffmpeg_that_does_not_move_on_is_ended(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video_of("plays")
    replace_tool(monkeypatch, box.home / "bin", STUCK)
    monkeypatch.setattr(tools, "STALLED_S", 0.3)
    with pytest.raises(ToolFault, match="stuck"):
        Tools(ChildLimits(2048, 1, 1080), FOREVER_S).decode(source, VIDEO, None)


def test_ffmpeg_takes_no_more_than_it_may(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = video_of("plays")
    script = 'echo "$(ulimit -v) $(ulimit -c) $(nice)" >&2; exit 1'
    replace_tool(monkeypatch, box.home / "bin", script)
    passed = Tools(ChildLimits(600, 1, 1080), FOREVER_S).decode(source, VIDEO, None)
    memory, core, niceness = passed.problem.split()
    assert (memory, core) == (str(600 * 1024), "0")
    assert int(niceness) >= 10


def test_ffmpeg_that_cannot_even_start_blames_no_video(
    box: ClipBox, video_of: GetVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnavailableError, match="ffprobe cannot be started"):
        Tools(ChildLimits(64, 1, 1080), FOREVER_S).probe(video_of("plays"))
    sha256 = box.put(video_of("plays"), "a.mp4")
    replace_tool(monkeypatch, box.home / "bin", "exit 127")
    with pytest.raises(TemporaryError, match="ffmpeg cannot be started"):
        box.turn()
    assert not record_path(box.storage, sha256).exists()


def test_a_heartbeat_comes_while_a_video_takes_long(box: ClipBox) -> None:
    path = box.storage.services / "clip_converter.json"
    clock = SetClock()
    beat = Beat(Service("clip_converter", path, 5, 300), clock)
    beat(1.0)
    assert not path.exists()
    clock.move(16)
    beat(7.4)
    assert read_heartbeat(path).details == {"at_work_s": 7}
    beat(8.0)
    assert read_heartbeat(path).details == {"at_work_s": 7}
    path.unlink()
    path.parent.rmdir()
    clock.move(16)
    with pytest.raises(Exception, match="heartbeat"):
        beat(9.0)


def test_a_video_that_changes_meanwhile_is_not_taken(
    box: ClipBox, video_of: GetVideo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = box.put(video_of("H.265"), "a.mp4")
    source = box.storage.processed / "a.mp4"
    decode = Tools.decode

    def change(self: Tools, *arguments: object) -> object:
        source.touch()
        return decode(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Tools, "decode", change)
    with pytest.raises(TemporaryError, match="changed while it was read"):
        box.turn()
    assert box.made() == []
    assert not record_path(box.storage, sha256).exists()
    assert main([str(source), str(tmp_path / "out.mp4")]) == 75
