"""Command lines of ffprobe and ffmpeg: what is asked of them, as lists of arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vv_ingest.decision import Decision, Sound, choose_rate, choose_size
from vv_ingest.probe import AudioTrack, VideoTrack

FORMATS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "avi", "matroska", "webm", "mpegts", "mpeg"),
    *("mpegvideo", "flv", "asf", "h264", "hevc", "m4v", "mxf", "dhav", "ogg", "nut", "dv", "wtv"),
)
"""Containers that are read. Play lists (hls, concat, image2 …) are not: they name other files."""
_MIB = 2**20
_MAX_BLOCK = 512 * _MIB
"""Largest piece of memory in one go: a frame of 64 million pixels takes 100 MB."""
_CRF, _PRESET = "23", "veryfast"
_MOST_BITS, _BUFFER_BITS = "8M", "16M"
"""What a TV on a wireless network takes."""
_KEY_FRAME_S = 2
_AUDIO_RATE = "48000"
_MONO_BITS, _STEREO_BITS = "64k", "128k"
_COMMENT = "vv:source="


@dataclass(frozen=True)
class ChildLimits:
    """What a run of ffmpeg may take.

    Attributes:
        memory_mb: MiB of addresses.
        threads: for decoding, and as many for encoding.
        max_lines: largest height of what is made.
    """

    memory_mb: int
    threads: int
    max_lines: int


def fence(limits: ChildLimits, argv: Sequence[str]) -> list[str]:
    """Return a command line that runs another one with less: it ends with us, waits for others, takes no more."""
    return [
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("prlimit", f"--as={limits.memory_mb * _MIB}", "--core=0", "--"),
        *("nice", "-n", "10"),
        *argv,
    ]


def probe_arguments(path: Path) -> list[str]:
    """Ask what a file holds, as JSON on stdout."""
    return [
        *("ffprobe", "-v", "error", "-max_alloc", str(_MAX_BLOCK), *_closed()),
        *("-show_streams", "-show_format", "-of", "json", _url(path)),
    ]


def times_arguments(path: Path, video: VideoTrack) -> list[str]:
    """Ask when each picture of a track is shown and decoded, a line each on stdout, without decoding any."""
    return [
        *("ffprobe", "-v", "error", "-max_alloc", str(_MAX_BLOCK), *_closed()),
        *("-select_streams", str(video.index), "-show_entries", "packet=pts_time,dts_time"),
        *("-of", "csv=p=0", _url(path)),
    ]


def decode_arguments(
    path: Path, video: VideoTrack, audio: AudioTrack | None, limits: ChildLimits
) -> list[str]:
    """Decode a whole file into nothing; progress comes on stdout, what is wrong on stderr."""
    return [
        *_start(path, limits),
        *_tracks(video, audio),
        *("-fps_mode", "passthrough", "-f", "null", "-"),
    ]


def make_arguments(
    source: Path, target: Path, decision: Decision, limits: ChildLimits, *, limit_s: float
) -> list[str]:
    """Write the version that is made of a file.

    Args:
        source: the video.
        target: a file that is replaced.
        decision: what is to be done.
        limits: what the run may take.
        limit_s: nothing behind this is taken over, seconds.
    """
    assert decision.video is not None
    is_copy = decision.work.value == "copy"
    video = ["-c:v", "copy"] if is_copy else _encode(decision.video, limits)
    return [
        *_start(source, limits),
        *_tracks(decision.video, decision.audio),
        *("-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"),
        *video,
        *_audio(decision),
        *("-t", f"{limit_s:.3f}"),
        *("-fflags", "+bitexact", "-movflags", "+faststart", "-f", "mp4"),
        _url(target),
    ]


def source_comment(sha256: str) -> str:
    """Return what a version says about the video that it was made from."""
    return f"{_COMMENT}{sha256}"


def name_source(argv: Sequence[str], sha256: str) -> list[str]:
    """Return the command line with a note, in the file that it makes, of what that was made from."""
    return [*argv[:-1], "-metadata", f"comment={source_comment(sha256)}", argv[-1]]


def _url(path: Path) -> str:
    # Never an option and never another protocol, whatever the file is called.
    return f"file:{path}"


def _closed() -> list[str]:
    return ["-protocol_whitelist", "file", "-format_whitelist", ",".join(FORMATS)]


def _start(path: Path, limits: ChildLimits) -> list[str]:
    threads = str(limits.threads)
    return [
        *("ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-v", "error", "-y"),
        *("-progress", "pipe:1", "-stats_period", "1", "-max_alloc", str(_MAX_BLOCK)),
        *("-filter_threads", threads, *_closed(), "-threads", threads, "-i", _url(path)),
    ]


def _tracks(video: VideoTrack, audio: AudioTrack | None) -> list[str]:
    return [
        *("-map", f"0:{video.index}"),
        *(("-map", f"0:{audio.index}") if audio is not None else ()),
    ]


def _encode(video: VideoTrack, limits: ChildLimits) -> list[str]:
    width, height = choose_size(video, limits.max_lines)
    rate = choose_rate(video.rate)
    filters = [
        *(("yadif=deint=interlaced",) if video.is_interlaced else ()),
        f"fps={rate}",
        f"scale={width}:{height}:flags=bicubic:out_range=tv",
        "setsar=1",
        "format=yuv420p",
    ]
    return [
        *("-vf", ",".join(filters)),
        *("-c:v", "libx264", "-preset", _PRESET, "-crf", _CRF, "-profile:v", "high"),
        *("-maxrate", _MOST_BITS, "-bufsize", _BUFFER_BITS),
        *("-g", str(max(1, round(rate * _KEY_FRAME_S))), "-threads", str(limits.threads)),
        *("-flags:v", "+bitexact"),
    ]


def _audio(decision: Decision) -> list[str]:
    audio = decision.audio
    if audio is None or decision.sound is Sound.NONE:
        return []
    if decision.sound is Sound.COPY and decision.work.value == "copy":
        return ["-c:a", "copy"]
    channels = min(2, audio.channels)
    return [
        *("-c:a", "aac", "-b:a", _MONO_BITS if channels == 1 else _STEREO_BITS),
        *("-ar", _AUDIO_RATE, "-ac", str(channels), "-af", "aresample=async=1"),
        *("-flags:a", "+bitexact"),
    ]
