"""What is decoded in part is, bit for bit, what decoding everything gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from scan_video.frames import DecodeReport, decoder_count, watch_video
from scan_video.pixels import Image, upright_image
from scan_video.plan import plan_all_frames, plan_sampling
from scan_video.probe import VideoProbe, probe_video
from tests.support.clips import X264, ffmpeg

pytestmark = pytest.mark.integration

MAX_PIXELS = 8192 * 8192
MOVING = "testsrc2=size=192x108:rate=25:duration=6"
PYRAMID = ("-c:v", "libx264", "-preset", "medium", "-pix_fmt", "yuv420p")

FORMATS: dict[str, tuple[str, tuple[str, ...]]] = {
    "h264 closed groups": ("closed.mp4", (*PYRAMID, "-g", "50")),
    "h264 open groups": ("open.mkv", (*PYRAMID, "-g", "50", "-x264-params", "open-gop=1")),
    "h264 no b": ("nob.mp4", (*X264, "-g", "50", "-bf", "0")),
    "h264 many b": ("manyb.mp4", (*PYRAMID, "-g", "75", "-bf", "8", "-b_strategy", "2")),
    "h264 ts": ("closed.ts", (*PYRAMID, "-g", "50")),
    "h264 one group": ("onegroup.mp4", (*PYRAMID, "-g", "1000")),
    "h264 every second": ("second.mp4", (*PYRAMID, "-g", "25", "-sc_threshold", "0")),
    "h264 fragmented": (
        "frag.mp4",
        (*PYRAMID, "-g", "50", "-movflags", "frag_keyframe+empty_moov"),
    ),
    "h265": (
        "h265.mp4",
        ("-c:v", "libx265", "-preset", "fast", "-x265-params", "log-level=error:keyint=50"),
    ),
    "h265 layers": (
        "layers.mp4",
        ("-c:v", "libx265", "-x265-params", "log-level=error:keyint=50:temporal-layers=3"),
    ),
    "mpeg4 avi": ("mpeg4.avi", ("-c:v", "mpeg4", "-g", "50", "-q:v", "3")),
    "h264 interlaced": ("inter.mp4", (*PYRAMID, "-g", "50", "-flags", "+ilme+ildct")),
    "mpeg2 ts": ("mpeg2.ts", ("-c:v", "mpeg2video", "-g", "12", "-bf", "2", "-q:v", "3")),
    "mjpeg avi": ("mjpeg.avi", ("-c:v", "mjpeg", "-q:v", "3")),
    "vp9": (
        "vp9.webm",
        ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "50"),
    ),
    "ten bits": ("ten.mp4", (*PYRAMID[:4], "-pix_fmt", "yuv420p10le", "-g", "50")),
}


def decode_everything(path: Path) -> dict[int, Image]:
    """Return every picture by its time in thousandths of a second."""
    with av.open(str(path)) as container:
        frames = list(container.decode(video=0))
    start = min(frame.time for frame in frames)
    return {round((f.time - start) * 1000): upright_image(f, 0) for f in frames}


def watch(
    path: Path, interval_s: float
) -> tuple[VideoProbe, str, DecodeReport, list[tuple[float, Image]]]:
    probe = probe_video(path, MAX_PIXELS)
    plan = plan_sampling(probe.table, probe.timeline, interval_s)
    report = DecodeReport()
    shown = list(
        watch_video(path, probe, plan, lambda t, frame: (t, upright_image(frame, 0)), report)
    )
    assert [time for time, _ in shown] == pytest.approx(list(plan.times))
    return probe, plan.method, report, shown


@pytest.mark.parametrize("name", FORMATS)
def test_partly_decoded_is_the_same_as_decoded(name: str, clip: Callable[..., Path]) -> None:
    file_name, options = FORMATS[name]
    path = clip(file_name, *options, source=MOVING)
    everything = decode_everything(path)
    for interval_s in (1.0, 0.36):
        probe, _, report, shown = watch(path, interval_s)
        assert not probe.timeline.is_rebuilt
        assert (report.errors, report.seen) == (0, len(shown))
        assert len(shown) == pytest.approx(6 / interval_s, abs=1)
        for time_s, image in shown:
            near = min(everything, key=lambda moment: abs(moment - time_s * 1000))
            assert abs(near - time_s * 1000) < 2
            assert np.array_equal(image, everything[near])


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("h264 every second", "keyframes"),
        ("mjpeg avi", "keyframes"),
        ("h264 closed groups", "reference_frames"),
        ("h264 one group", "reference_frames"),
    ],
)
def test_only_what_is_needed_is_decoded(name: str, method: str, clip: Callable[..., Path]) -> None:
    file_name, options = FORMATS[name]
    probe, used, _, _ = watch(clip(file_name, *options, source=MOVING), 1.0)
    assert used == method
    fed = sum(
        len(segment.feed) for segment in plan_sampling(probe.table, probe.timeline, 1.0).segments
    )
    assert fed <= (6 if method == "keyframes" else 0.55 * len(probe.table))


def test_groups_are_decoded_side_by_side_only_where_that_is_safe(
    clip: Callable[..., Path],
) -> None:
    def decoders(name: str) -> int:
        file_name, options = FORMATS[name]
        probe = probe_video(clip(file_name, *options, source=MOVING), MAX_PIXELS)
        return decoder_count(probe, plan_sampling(probe.table, probe.timeline, 1.0), workers=4)

    assert decoders("h264 closed groups") == 3
    assert decoders("h264 one group") == 1
    assert decoders("mpeg4 avi") == 1


def test_everything_can_be_decoded_as_a_fallback(clip: Callable[..., Path]) -> None:
    file_name, options = FORMATS["h264 closed groups"]
    path = clip(file_name, *options, source=MOVING)
    probe = probe_video(path, MAX_PIXELS)
    plan = plan_all_frames(probe.timeline, 1.0)
    times = list(watch_video(path, probe, plan, lambda t, _frame: t, DecodeReport()))
    assert times == pytest.approx([0, 1, 2, 3, 4, 5])


def test_times_are_rebuilt_where_the_file_has_none(
    clip: Callable[..., Path], tmp_path: Path
) -> None:
    timed = clip("closed.mp4", *PYRAMID, "-g", "50", source=MOVING)
    path = tmp_path / "raw.h264"
    ffmpeg("-i", timed, "-c", "copy", path)
    probe, method, report, shown = watch(path, 1.0)
    assert probe.timeline.is_rebuilt
    assert (method, report.errors) == ("all_frames", 0)
    assert [time for time, _ in shown] == pytest.approx([0, 1, 2, 3, 4, 5])
    known = decode_everything(timed)
    assert all(np.array_equal(image, known[round(t * 1000)]) for t, image in shown)


def test_times_that_go_backward_are_rebuilt(clip: Callable[..., Path], tmp_path: Path) -> None:
    part = clip("closed.ts", *PYRAMID, "-g", "50", source=MOVING)
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    probe, _, _, shown = watch(joined, 1.0)
    assert probe.timeline.is_rebuilt
    assert len(shown) == 12


def test_pictures_that_avi_gives_no_times_are_counted(clip: Callable[..., Path]) -> None:
    path = clip("bframes.avi", "-c:v", "mpeg4", "-g", "50", "-bf", "2", "-q:v", "3", source=MOVING)
    probe, _, report, shown = watch(path, 1.0)
    assert (len(shown), report.errors) == (6, 0)
    everything = list(decode_everything(path).values())
    places = [round(time_s * probe.fps) for time_s, _ in shown]
    assert all(
        np.array_equal(image, everything[place])
        for place, (_, image) in zip(places, shown, strict=True)
    )


def test_the_caller_may_stop_early(clip: Callable[..., Path]) -> None:
    file_name, options = FORMATS["h264 closed groups"]
    path = clip(file_name, *options, source=MOVING)
    probe = probe_video(path, MAX_PIXELS)
    plan = plan_sampling(probe.table, probe.timeline, 1.0)
    watching = watch_video(path, probe, plan, lambda t, _frame: t, DecodeReport())
    assert next(watching) == 0
    watching.close()


def test_a_fault_while_looking_reaches_the_caller(clip: Callable[..., Path]) -> None:
    def fail(_time: float, _frame: av.VideoFrame) -> None:
        raise ValueError("looked too closely")

    for name in ("h264 closed groups", "mpeg4 avi"):
        file_name, options = FORMATS[name]
        path = clip(file_name, *options, source=MOVING)
        probe = probe_video(path, MAX_PIXELS)
        plan = plan_sampling(probe.table, probe.timeline, 1.0)
        with pytest.raises(ValueError, match="too closely"):
            list(watch_video(path, probe, plan, fail, DecodeReport()))
