"""What a file is, before any of it is looked at; bad files are told apart by name."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import av

from scan_video.container import main_video_stream, open_video
from scan_video.diagnosis import audio_only, diagnose, no_pictures, too_large, unknown_codec
from scan_video.packets import PacketTable, VideoPacket, read_packet_table
from scan_video.timeline import Timeline, build_timeline, usable_fps
from vv_core.errors import InputDataError, InputMissingError, VvError, from_oserror

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FIRST_PICTURE_PACKETS = 300
_EARLIEST_YEAR = 2000
_END_TOLERANCE_S = 1.0


@dataclass(frozen=True, eq=False)
class VideoProbe:
    """A file that can be looked at.

    Attributes:
        container, codec: as FFmpeg names them.
        width, height: of the upright picture, pixels.
        rotation: degrees clockwise that a decoded picture must be turned by to stand upright.
        fps: pictures a second, from the times of the pictures.
        duration_s: from the first picture to the end of the last.
        created: what the container says about when it was made, if anything.
        table, timeline: every packet and its time.
        is_complete: nothing is missing at the end, as far as the file tells.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    fps: float
    duration_s: float
    created: datetime | None
    table: PacketTable
    timeline: Timeline
    is_complete: bool


def probe_video(path: Path, max_pixels: int) -> VideoProbe:
    """Read all that can be known of a video without decoding more than one picture.

    Args:
        path: a file with content, see `require_content`.
        max_pixels: largest picture accepted.

    Raises:
        InputDataError: it is no usable video; message and advice say what it is instead.
        VvError: it cannot be read.
    """
    try:
        with open_video(path) as container:
            stream = main_video_stream(container)
            if stream is None:
                raise audio_only(path) if container.streams.audio else no_pictures(path)
            return _probe_stream(path, container, stream, max_pixels)
    except av.error.FFmpegError as exc:
        raise explain_failure(path, exc) from exc
    except OSError as exc:
        raise from_oserror(exc, "read the video", path) from exc


def require_content(path: Path) -> None:
    """Make sure that a path is a file with something in it, before anything reads it.

    Raises:
        InputDataError: it is something else, or empty.
        VvError: it cannot be asked.
    """
    try:
        status = path.stat()
    except OSError as exc:
        raise from_oserror(exc, "read the video", path) from exc
    if not stat.S_ISREG(status.st_mode):
        raise InputDataError(
            f"{path.name!r} is not a file but a {'folder' if path.is_dir() else 'device'}",
            advice="Move it away from input/; folders there may only hold videos, as cameras.",
        )
    if status.st_size == 0:
        raise InputDataError(
            f"{path.name!r} is empty (0 bytes)",
            advice="Check that the recorder had disk space; copy the recording again if it exists.",
        )


def explain_failure(path: Path, exc: av.error.FFmpegError) -> VvError:
    """Return the error of ours for a file that FFmpeg could not read."""
    if isinstance(exc, FileNotFoundError):
        return InputMissingError(
            f"{path.name!r} is gone", advice="Nothing to do: it is scanned if it comes back."
        )
    if isinstance(exc, OSError) and not isinstance(exc, ValueError | EOFError):
        return from_oserror(exc, "read the video", path)
    return diagnose(path)


class _FirstPicture:
    """Decodes up to the first picture; only a picture tells how it must be turned."""

    def __init__(self, stream: VideoStream) -> None:
        self._context = stream.codec_context
        self._context.thread_count = 1
        self._packets_left = _FIRST_PICTURE_PACKETS
        self.rotation = 0

    def offer(self, packet: VideoPacket) -> None:
        if self._packets_left <= 0:
            return
        self._packets_left -= 1
        try:
            frames = self._context.decode(packet)
        except av.error.FFmpegError:
            return
        if frames:
            self._packets_left = 0
            self.rotation = clockwise_rotation(frames[0].rotation)


def clockwise_rotation(counterclockwise: float) -> int:
    """Return the quarter turns, in degrees clockwise, of a display matrix's rotation."""
    return round(-counterclockwise / 90) % 4 * 90


def _probe_stream(
    path: Path, container: InputContainer, stream: VideoStream, max_pixels: int
) -> VideoProbe:
    width, height = _coded_size(path, stream, max_pixels)
    declared_fps = _declared_fps(stream)
    first = _FirstPicture(stream)
    time_base = stream.time_base
    table = read_packet_table(container, stream, first.offer)
    if len(table) == 0 or time_base is None:
        raise no_pictures(path)
    reorders = bool(stream.codec_context.has_b_frames)
    timeline = build_timeline(table, time_base, declared_fps, reorders=reorders)
    is_turned = first.rotation in {90, 270}
    return VideoProbe(
        container=container.format.name,
        codec=stream.codec_context.name,
        width=height if is_turned else width,
        height=width if is_turned else height,
        rotation=first.rotation,
        fps=usable_fps(len(table) / timeline.end_s),
        duration_s=timeline.end_s,
        created=parse_creation_time(
            stream.metadata.get("creation_time") or container.metadata.get("creation_time")
        ),
        table=table,
        timeline=timeline,
        is_complete=_is_complete(container, stream, table, timeline),
    )


def _coded_size(path: Path, stream: VideoStream, max_pixels: int) -> tuple[int, int]:
    context = stream.codec_context
    if context is None:
        raise unknown_codec(path)
    if context.width <= 0 or context.height <= 0:
        raise no_pictures(path)
    if context.width * context.height > max_pixels:
        raise too_large(path, context.width, context.height, max_pixels)
    return context.width, context.height


def _declared_fps(stream: VideoStream) -> float | None:
    rate = stream.average_rate or stream.guessed_rate or stream.base_rate
    return float(rate) if rate else None


def _is_complete(
    container: InputContainer, stream: VideoStream, table: PacketTable, timeline: Timeline
) -> bool:
    """Tell whether the file holds as much as it declares.

    A container that declares the number of its pictures (MP4) is believed; else its duration is.
    """
    if table.damaged:
        return False
    if stream.frames:
        return len(table) >= stream.frames
    if timeline.is_rebuilt or container.duration is None:
        return True
    declared_s = container.duration / av.time_base
    return timeline.end_s >= declared_s - max(_END_TOLERANCE_S, 3 * timeline.frame_s)


def parse_creation_time(raw_text: str | None) -> datetime | None:
    """Return the time of a container's ``creation_time``; None for nonsense such as 1904 or 1970."""
    try:
        moment = datetime.fromisoformat((raw_text or "").strip())
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment if moment.year >= _EARLIEST_YEAR else None
