"""Decoding the wanted pictures of a video, and handing each to a function that looks at it.

Groups of pictures do not depend on each other, so each is decoded on a thread of its own, single
threaded, and looked at there: two cores stay busy where a decoder's own frame threads leave a quarter
of them idle (bench/README.md). Formats and files where that is not possible use the decoder's own
threads, and looking goes on beside it.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import av

from scan_video.container import main_video_stream, open_video
from scan_video.packets import VideoPacket
from scan_video.parallel import ordered_map, ordered_streams, worker_count
from scan_video.plan import SamplingPlan, Segment
from scan_video.probe import VideoProbe
from scan_video.timeline import Timeline

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

T = TypeVar("T")

Shown = tuple[float, "VideoFrame"]
"""A picture and its time, seconds from the first picture of the file."""

Watch = Callable[[float, "VideoFrame"], T]
"""Looks at one picture; runs on several threads."""

_PARALLEL_CODECS = frozenset({"h264", "hevc"})
_MAX_GROUP_BYTES = 48 * 1024 * 1024
_MAX_GROUP_PICTURES = 32
_PICTURE_MEMORY_BYTES = 768 * 1024 * 1024
_PICTURES_PER_DECODER = 20
_BYTES_PER_PIXEL = 1.5


@dataclass
class DecodeReport:
    """What went wrong while decoding.

    Attributes:
        errors: packets and pictures that are damaged.
        seen: wanted pictures that came.
    """

    errors: int = 0
    seen: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, *, errors: int = 0, seen: int = 0) -> None:
        """Add to the counts; safe on several threads."""
        with self._lock:
            self.errors += errors
            self.seen += seen


def watch_video(
    path: Path, probe: VideoProbe, plan: SamplingPlan, watch: Watch[T], report: DecodeReport
) -> Iterator[T]:
    """Yield what ``watch`` makes of each wanted picture, in the order of time.

    Args:
        path: the file.
        probe, plan: of this file.
        watch: looks at a picture.
        report: is filled on the way.

    Raises:
        av.error.FFmpegError, OSError: the file can no longer be read.
    """
    decoders = decoder_count(probe, plan, worker_count())
    with open_video(path) as container, ThreadPoolExecutor(worker_count()) as executor:
        stream = main_video_stream(container)
        if stream is None:
            return
        if decoders > 1:
            work = _GroupWork(stream, plan, watch, report)
            groups = _read_groups(container, stream, plan)
            yield from ordered_streams(executor, work.watch_group, groups, decoders)
        else:
            shown = _decode_in_order(container, stream, probe, plan, report)
            yield from ordered_map(executor, lambda pair: watch(*pair), shown, worker_count())


def decoder_count(probe: VideoProbe, plan: SamplingPlan, workers: int) -> int:
    """Return how many decoders to run side by side; 1 means one with threads of its own."""
    if probe.codec not in _PARALLEL_CODECS or plan.method == "all_frames":
        return 1
    group_bytes = max(
        (int(probe.table.sizes[part.feed].sum()) for part in plan.segments), default=0
    )
    group_pictures = max((len(part.wanted) for part in plan.segments), default=0)
    if group_bytes > _MAX_GROUP_BYTES or group_pictures > _MAX_GROUP_PICTURES:
        # What is made of a group waits until the groups before it are done.
        return 1
    decoder_bytes = probe.width * probe.height * _BYTES_PER_PIXEL * _PICTURES_PER_DECODER
    return max(1, min(workers, len(plan.segments), int(_PICTURE_MEMORY_BYTES / decoder_bytes)))


@dataclass(frozen=True)
class _Group:
    """A segment and its packets; each packet carries its number as its pts."""

    segment: Segment
    packets: deque[VideoPacket]

    def take_packets(self) -> Iterator[VideoPacket]:
        """Yield the packets and let go of each."""
        while self.packets:
            yield self.packets.popleft()


def _numbered(container: InputContainer, stream: VideoStream) -> Iterator[VideoPacket]:
    """Yield the packets of the table, each with its number in the table as its pts.

    A decoder hands that number on to the picture, whatever the file's own times are worth.
    """
    number = 0
    try:
        for packet in container.demux(stream):
            if packet.size:
                packet.pts = number
                yield packet
                number += 1
    except av.error.InvalidDataError:
        return


def _feed(packets: Iterator[VideoPacket], segment: Segment) -> Iterator[VideoPacket]:
    """Yield a segment's packets, skipping others, and stop right behind the last."""
    wanted = iter(segment.feed)
    number = next(wanted, None)
    if number is None:
        return
    for packet in packets:
        if packet.pts == number:
            yield packet
            number = next(wanted, None)
            if number is None:
                return


def _read_groups(
    container: InputContainer, stream: VideoStream, plan: SamplingPlan
) -> Iterator[_Group]:
    packets = _numbered(container, stream)
    for segment in plan.segments:
        yield _Group(segment, deque(_feed(packets, segment)))


class _GroupWork(Generic[T]):
    """Decodes groups, each from a clean start, with as many decoders as threads ask for."""

    def __init__(
        self, stream: VideoStream, plan: SamplingPlan, watch: Watch[T], report: DecodeReport
    ) -> None:
        self._template = stream.codec_context
        self._times = _times_by_number(plan)
        self._watch = watch
        self._report = report
        self._idle: list[VideoCodecContext] = []

    def watch_group(self, group: _Group) -> Iterator[T]:
        """Yield what is made of the group's wanted pictures."""
        with self._borrow() as decoder:
            frames = _decode(decoder, group.take_packets(), self._report)
            picked = _pick_by_number(frames, group.segment, self._times, self._report)
            for shown in picked:
                yield self._watch(*shown)

    @contextmanager
    def _borrow(self) -> Iterator[VideoCodecContext]:
        try:
            decoder = self._idle.pop()
        except IndexError:
            decoder = _new_decoder(self._template)
        yield decoder
        self._idle.append(decoder)


def _new_decoder(template: VideoCodecContext) -> VideoCodecContext:
    decoder = av.CodecContext.create(template.name, "r")
    if not isinstance(decoder, av.VideoCodecContext):
        raise TypeError(f"{template.name} decodes no pictures")
    decoder.extradata = template.extradata
    decoder.thread_count = 1
    # What the container says about colours, where the stream itself is silent.
    decoder.color_range = template.color_range
    decoder.colorspace = template.colorspace
    decoder.color_primaries = template.color_primaries
    decoder.color_trc = template.color_trc
    return decoder


def _decode_in_order(
    container: InputContainer,
    stream: VideoStream,
    probe: VideoProbe,
    plan: SamplingPlan,
    report: DecodeReport,
) -> Iterator[Shown]:
    decoder = stream.codec_context
    decoder.thread_type = "AUTO"
    decoder.thread_count = worker_count()
    packets = _numbered(container, stream)
    times = _times_by_number(plan)
    for segment in plan.segments:
        frames = _decode(decoder, _feed(packets, segment), report)
        if plan.method == "all_frames":
            yield from _pick_by_time(frames, probe.timeline, plan, report)
        else:
            yield from _pick_by_number(frames, segment, times, report)


def _decode(
    decoder: VideoCodecContext, packets: Iterable[VideoPacket], report: DecodeReport
) -> Generator[VideoFrame]:
    """Yield the pictures of some packets; the decoder is clean again afterwards."""
    try:
        for packet in packets:
            yield from _decode_packet(decoder, packet, report)
        yield from _decode_packet(decoder, None, report)
    finally:
        decoder.flush_buffers()


def _decode_packet(
    decoder: VideoCodecContext, packet: VideoPacket | None, report: DecodeReport
) -> Iterator[VideoFrame]:
    try:
        frames = decoder.decode(packet)
    except av.error.FFmpegError:
        report.count(errors=1)
        return
    for frame in frames:
        if frame.is_corrupt:
            report.count(errors=1)
        else:
            yield frame


def _times_by_number(plan: SamplingPlan) -> dict[int, float]:
    numbers = (number for segment in plan.segments for number in segment.wanted)
    return dict(zip(numbers, plan.times, strict=True))


def _pick_by_number(
    frames: Generator[VideoFrame],
    segment: Segment,
    times: dict[int, float],
    report: DecodeReport,
) -> Iterator[Shown]:
    missing = set(segment.wanted)
    with closing(frames):
        for frame in frames:
            number = frame.pts
            if number in missing:
                missing.discard(number)
                report.count(seen=1)
                yield times[number], frame
            if not missing:
                return


def _pick_by_time(
    frames: Generator[VideoFrame], timeline: Timeline, plan: SamplingPlan, report: DecodeReport
) -> Iterator[Shown]:
    """Yield for each wanted time the first picture that is not before it."""
    wanted = deque(plan.times)
    slack = timeline.frame_s / 2
    with closing(frames):
        for place, frame in enumerate(frames):
            number = place if plan.counts_output else frame.pts
            if number is None or not 0 <= number < len(timeline.times):
                continue
            time_s = float(timeline.times[number])
            if wanted and time_s >= wanted[0] - slack:
                report.count(seen=1)
                yield time_s, frame
            while wanted and wanted[0] <= time_s + slack:
                wanted.popleft()
            if not wanted:
                return
