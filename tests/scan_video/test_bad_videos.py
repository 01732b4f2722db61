"""Whatever a recorder leaves behind: refused with a name and advice, or scanned as far as it goes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from scan_video.scan_video import main
from tests.support import clips
from tests.support.clips import X264
from vv_core.errors import ExitCode

pytestmark = pytest.mark.integration

Make = Callable[[Path, Path], object]
"""Makes a file at the first path from the good clip at the second."""


def scramble(path: Path, good: Path, first: float, last: float) -> None:
    """Copy a clip and overwrite a part of its pictures."""
    data = bytearray(good.read_bytes())
    start = data.index(b"mdat") + 4
    size = len(data) - start
    noise = bytes(range(1, 256)) * (size // 255 + 1)
    begin, end = start + int(first * size), start + int(last * size)
    data[begin:end] = noise[: end - begin]
    path.write_bytes(data)


def write_play_list(path: Path, good: Path) -> None:
    """Write a play list that names another file, as a video."""
    secret = path.with_name("secret.ts")
    clips.ffmpeg("-i", good, "-c", "copy", secret)
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{secret}\n#EXT-X-ENDLIST\n")


BAD: dict[str, tuple[Make, str, str]] = {
    "empty": (lambda path, _: path.write_bytes(b""), "is empty", "disk space"),
    "text": (lambda path, _: path.write_text("hello " * 100), "is not a video", "convert it"),
    "no moov": (clips.make_without_moov, "moov is missing", "untrunc"),
    "audio only": (lambda path, _: clips.make_audio_only(path), "no pictures", "records video"),
    "zero frames": (clips.make_without_frames, "0 frames", "Check the camera"),
    "folder": (lambda path, _: path.mkdir(), "is not a file but a folder", "Move it away"),
    "play list": (write_play_list, "is not a video", "convert it"),
    "all scrambled": (
        lambda p, good: scramble(p, good, 0, 1),
        "can be decoded",
        "Copy the recording",
    ),
    "unknown codec": (
        lambda path, good: path.write_bytes(good.read_bytes().replace(b"avc1", b"zzzz")),
        "picture format",
        "H.264 or H.265",
    ),
    "torn index": (
        lambda path, good: path.write_bytes(
            good.read_bytes()[: good.read_bytes().index(b"moov") + 40]
        ),
        "damaged",
        "Copy the recording",
    ),
}


@pytest.fixture
def good(clip: Callable[..., Path]) -> Path:
    return clip("good.mp4", *X264, "-movflags", "+faststart")


@pytest.mark.parametrize("name", BAD)
def test_bad_files_are_refused_by_name(
    name: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, reason, advice = BAD[name]
    if name == "no moov":
        good = clips.make_clip(tmp_path / "moov last.mp4", *X264)
    video = tmp_path / f"{name}.mp4"
    make(video, good)
    output = tmp_path / "out.analytic.json"
    assert main([str(video), str(output)]) == ExitCode.DATAERR
    said = capsys.readouterr().err
    assert reason in said
    assert advice in said
    assert repr(video.name) in said
    assert "Traceback" not in said
    assert not output.exists()


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "a.mp4"), str(tmp_path / "o.json")]) == ExitCode.NOINPUT
    assert "still exists" in capsys.readouterr().err


def scan(video: Path, folder: Path, **variables: str) -> dict[str, Any]:
    """Scan a video and return its analytic."""
    os.environ.update(variables)
    output = folder / "out.analytic.json"
    output.unlink(missing_ok=True)
    assert main([str(video), str(output)]) == ExitCode.OK
    document: dict[str, Any] = json.loads(output.read_bytes())
    return document


LIMITS = {"VV_MAX_PIXELS": ("70000", "320x240"), "VV_MAX_FRAMES": ("2", "needs 4 looks")}


@pytest.mark.parametrize("variable", LIMITS)
def test_limits(
    variable: str, good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    value, reason = LIMITS[variable]
    os.environ[variable] = value
    assert main([str(good), str(tmp_path / "o.json")]) == ExitCode.DATAERR
    said = capsys.readouterr().err
    assert reason in said
    assert variable in said.split("→")[1]


def cut_in_half(path: Path, good: Path) -> None:
    path.write_bytes(good.read_bytes()[: good.stat().st_size // 2])


CUT = {
    "mkv": ("long.mkv", X264),
    "fragmented mp4": (
        "frag.mp4",
        (*X264, "-g", "10", "-movflags", "frag_keyframe+empty_moov+default_base_moof"),
    ),
    "mp4 with its index first": ("fast.mp4", (*X264, "-movflags", "+faststart")),
    "transport stream": ("long.ts", X264),
    "avi": ("long.avi", ("-c:v", "mjpeg")),
}


@pytest.mark.parametrize("name", CUT)
def test_of_a_cut_recording_the_rest_is_used(
    name: str, clip: Callable[..., Path], tmp_path: Path
) -> None:
    file_name, options = CUT[name]
    whole = clip(file_name, *options, source="testsrc2=size=320x240:rate=10:duration=10")
    cut = tmp_path / f"cut{whole.suffix}"
    cut_in_half(cut, whole)
    complete, broken = scan(whole, tmp_path), scan(cut, tmp_path)
    assert complete["sampling"]["complete"] is True
    assert complete["sampling"]["frames"] == 10
    assert 2 <= broken["sampling"]["frames"] <= 7
    # A transport stream declares neither length nor count: nothing tells that it was longer.
    assert broken["sampling"]["complete"] is (name == "transport stream")


def test_damage_in_the_middle_costs_only_that_part(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    whole = clip(
        "grouped.mp4", *X264, "-g", "10", source="testsrc2=size=320x240:rate=10:duration=10"
    )
    video = tmp_path / "damaged.mp4"
    scramble(video, whole, 0.4, 0.6)
    sampling = scan(video, tmp_path)["sampling"]
    assert sampling["decode_errors"] > 0
    assert 6 <= sampling["frames"] < 10


def test_streams_without_keyframes_in_the_middle(clip: Callable[..., Path], tmp_path: Path) -> None:
    options = ("-c:v", "libx264", "-x264-params", "intra-refresh=1:keyint=50:bframes=0")
    source = "testsrc2=size=192x108:rate=25:duration=6"
    sampling = scan(clip("refresh.ts", *options, source=source), tmp_path)["sampling"]
    assert (sampling["method"], sampling["frames"]) == ("all_frames", 6)


def test_tiny_and_huge_pictures(clip: Callable[..., Path], tmp_path: Path) -> None:
    for size in ("16x16", "7680x4320"):
        source = f"testsrc2=size={size}:rate=10:duration=0.3"
        document = scan(clip(f"{size}.mp4", source=source), tmp_path)
        assert f"{document['source']['width']}x{document['source']['height']}" == size
        assert document["sampling"]["frames"] == 1


def test_a_variable_pace_is_sampled_by_time(tmp_path: Path) -> None:
    document = scan(clips.make_variable_rate(tmp_path / "vfr.mp4"), tmp_path)
    assert document["sampling"]["variable_frame_rate"] is True
    assert document["sampling"]["timestamps"] == "stream"
    assert document["sampling"]["frames"] == 4
    assert document["source"]["duration_s"] == pytest.approx(4, abs=0.6)


FORMATS = {
    "h265.mp4": (("-c:v", "libx265", "-x265-params", "log-level=error"), "hevc", "mov"),
    "mjpeg.avi": (("-c:v", "mjpeg"), "mjpeg", "avi"),
    "vp8.webm": (("-c:v", "libvpx", "-deadline", "realtime"), "vp8", "matroska"),
    "wmv.wmv": (("-c:v", "wmv2"), "wmv2", "asf"),
    "mpeg.mpg": (("-c:v", "mpeg2video", "-r", "25"), "mpeg2video", "mpeg"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(name: str, clip: Callable[..., Path], tmp_path: Path) -> None:
    options, codec, container = FORMATS[name]
    document = scan(clip(name, *options), tmp_path)
    assert document["source"]["codec"] == codec
    assert document["source"]["container"].startswith(container)
    assert document["sampling"]["complete"] is True
    assert document["sampling"]["frames"] == 4


ODD_NAMES = [
    "with spaces.mp4",
    "quotes ' and \".mp4",
    "new\nline.mp4",
    "emoji 🎥👨‍👩‍👧.mp4",
    "-rf.mp4",
    "x" * 251 + ".mp4",
    "concat:a.mp4",
    "%d.mp4",
    os.fsdecode(b"latin-\xe7\xe3o.mp4"),
]


def test_odd_names(good: Path, tmp_path: Path) -> None:
    batch = tmp_path / "batch.jsonl"
    lines = []
    for number, name in enumerate(ODD_NAMES):
        shutil.copy(good, tmp_path / name)
        output = tmp_path / f"{number}.analytic.json"
        lines.append({"input": str(tmp_path / name), "output": str(output), "relative_name": name})
    batch.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["--batch", str(batch)]) == ExitCode.OK
    for number, name in enumerate(ODD_NAMES):
        document = json.loads((tmp_path / f"{number}.analytic.json").read_bytes())
        assert document["source"]["file"].endswith(".mp4")
        assert "\n" not in document["source"]["file"]
        if name.isprintable():
            assert document["source"]["file"] == name


def write_rotated(path: Path, flat: Path, clockwise: int) -> None:
    """Copy a clip and say in its container how it must be turned."""
    with av.open(str(flat)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        stream.set_display_rotation(-clockwise)
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_pictures_are_turned_upright(
    rotation: int, clip: Callable[..., Path], tmp_path: Path
) -> None:
    # White at the top left of an upright picture of 120x200, turned before it is stored.
    upright = "color=black:s=120x200:r=5:d=2,drawbox=0:0:60:60:white:fill"
    turned = {90: "transpose=2", 180: "hflip,vflip", 270: "transpose=1"}[rotation]
    flat = clip(f"flat{rotation}.mp4", source=f"{upright},{turned}")
    video = tmp_path / "turned.mp4"
    write_rotated(video, flat, rotation)
    document = scan(video, tmp_path)
    source = document["source"]
    assert (source["rotation"], source["width"], source["height"]) == (rotation, 120, 200)
    (sheet,) = document["pictures"]
    image = cv2.imread(str(tmp_path / sheet["file"]))
    assert image[24, 24].min() > 200
    assert image[150, 24].max() < 60
    assert image[24, 100].max() < 60
