"""Videos as DVRs, phones and accidents make them, and what is to become of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support.clips import (
    X264,
    ffmpeg,
    make_audio_only,
    make_clip,
    make_variable_rate,
    make_without_frames,
    make_without_moov,
)
from vv_core.media_record import MediaState

AS_IS, MADE, NOTHING = MediaState.AS_IS, MediaState.STANDARDISED, MediaState.UNPLAYABLE
_FAST = ("-movflags", "+faststart")
_TONE = ("-f", "lavfi", "-i", "sine=frequency=440:duration=2")
_HOLES = "loop=3:20,setpts=N/10/TB,select=lt(t\\,2)+gt(t\\,6)"
"""Eight seconds of 10 pictures a second, of which four were left out since nothing moved: 5 a second on average."""
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none")


@dataclass(frozen=True)
class Video:
    """A video to be made.

    Attributes:
        make: makes it in a folder.
        state: what is to become of it.
        reason: what the record is to say about it, or a part of that.
        size: of the clip that plays.
    """

    make: Callable[[Path], Path]
    state: MediaState
    reason: str = ""
    size: tuple[int, int] = (320, 240)


def _clip(
    name: str, *options: str, size: str = "320x240", rate: int = 10
) -> Callable[[Path], Path]:
    return lambda folder: make_clip(folder / name, *options, size=size, rate=rate)


def _with_sound(name: str, *options: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        picture = make_clip(folder / "picture.mp4")
        ffmpeg("-i", picture, *_TONE, "-c:v", "copy", *options, folder / name)
        return folder / name

    return make


def _rotated(folder: Path) -> Path:
    upright = make_clip(folder / "upright.mp4")
    ffmpeg("-i", upright, "-c", "copy", "-metadata:s:v", "rotate=90", *_FAST, folder / "turned.mp4")
    return folder / "turned.mp4"


def _changed(change: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        good = make_clip(folder / "good.mp4", *X264, *_FAST)
        path = folder / "changed.mp4"
        path.write_bytes(change(good.read_bytes()))
        return path

    return make


def _damage(data: bytes) -> bytes:
    """Overwrite a stretch of the pictures."""
    place = data.index(b"mdat") + (len(data) - data.index(b"mdat")) * 2 // 3
    return data[:place] + b"\xff" * 1500 + data[place + 1500 :]


def _playlist(folder: Path) -> Path:
    """Write what ffmpeg would follow to another file."""
    good = make_clip(folder / "secret.mp4")
    path = folder / "list.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nfile:{good}\n#EXT-X-ENDLIST\n")
    return path


def _write(data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "bytes.mp4"
        path.write_bytes(data)
        return path

    return make


VIDEOS = {
    "plays": Video(_clip("a.mp4", *X264, *_FAST), AS_IS),
    "plays with sound": Video(_with_sound("a.mp4", "-c:a", "aac", *_FAST), AS_IS),
    "QuickTime with AAC": Video(_with_sound("a.mov", "-c:a", "aac", *_FAST), AS_IS),
    "index behind": Video(_clip("a.mp4", *X264), MADE),
    "in fragments": Video(_clip("a.mp4", *X264, "-movflags", "frag_keyframe+empty_moov"), MADE),
    "Matroska": Video(_clip("a.mkv", *X264), MADE),
    "transport stream": Video(_clip("a.ts", *X264), MADE),
    "H.264 in AVI": Video(_clip("a.avi", "-c:v", "libx264", "-pix_fmt", "yuv420p"), MADE),
    "G.711 in Matroska": Video(_with_sound("a.mkv", "-c:a", "pcm_alaw", "-ar", "8000"), MADE),
    "G.711 in QuickTime": Video(_with_sound("a.mov", "-c:a", "pcm_mulaw", "-ar", "8000"), MADE),
    "H.265": Video(_clip("a.mp4", *_X265), MADE),
    "H.265 in Matroska": Video(_clip("a.mkv", *_X265), MADE),
    "H.265 raw": Video(_clip("a.hevc", *_X265), MADE),
    "XviD": Video(_clip("a.avi", "-c:v", "libxvid"), MADE),
    "MPEG-4 part 2": Video(_clip("a.avi", "-c:v", "mpeg4"), MADE),
    "MPEG-2": Video(_clip("a.mpg", "-c:v", "mpeg2video", rate=25), MADE),
    "MJPEG": Video(_clip("a.avi", "-c:v", "mjpeg"), MADE),
    "WMV": Video(_clip("a.wmv", "-c:v", "wmv2"), MADE),
    "VP8": Video(_clip("a.webm", "-c:v", "libvpx"), MADE),
    "VP9": Video(_clip("a.webm", "-c:v", "libvpx-vp9", "-deadline", "realtime"), MADE),
    "AV1": Video(_clip("a.mp4", "-c:v", "libsvtav1", "-preset", "12"), MADE),
    "10 bits": Video(_clip("a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p10le", *_FAST), MADE),
    "4:4:4": Video(_clip("a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv444p", *_FAST), MADE),
    "odd size": Video(
        _clip("a.avi", "-vf", "crop=319:239:exact=1,format=yuv444p", "-c:v", "ffv1"), MADE
    ),
    "larger than a TV": Video(
        _clip("a.mp4", *X264, *_FAST, size="2560x1440", rate=5), MADE, size=(1920, 1080)
    ),
    "interlaced": Video(
        _clip("a.mpg", "-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-top", "1", rate=25), MADE
    ),
    "variable rate": Video(lambda folder: make_variable_rate(folder / "a.mp4"), MADE),
    "variable rate in WebM": Video(
        lambda folder: _recode(make_variable_rate(folder / "a.mp4"), "a.webm", "libvpx"), MADE
    ),
    "a picture in four seconds": Video(
        _clip("a.mp4", "-vf", "fps=1/4,loop=3:1", *X264, *_FAST), MADE
    ),
    "holes of four seconds": Video(
        _clip("a.mp4", "-vf", _HOLES, "-fps_mode", "vfr", *X264, *_FAST), MADE
    ),
    "holes in Matroska": Video(_clip("a.mkv", "-vf", _HOLES, "-fps_mode", "vfr", *X264), MADE),
    "turned": Video(_rotated, MADE, size=(240, 320)),
    "cut off": Video(_changed(lambda data: data[: len(data) * 2 // 3]), MADE, "could be read"),
    "damaged": Video(_changed(_damage), MADE, "damaged"),
    "never closed": Video(
        lambda folder: make_without_moov(folder / "a.mp4", make_clip(folder / "good.mp4")),
        NOTHING,
        "moov atom not found",
    ),
    "no pictures": Video(
        lambda folder: make_without_frames(folder / "a.mp4", make_clip(folder / "good.mp4")),
        NOTHING,
        "no moving pictures",
    ),
    "sound alone": Video(
        lambda folder: make_audio_only(folder / "a.mp4"), NOTHING, "no moving pictures"
    ),
    "empty": Video(_write(b""), NOTHING, "empty"),
    "text": Video(_write(b"this is no video\n" * 99), NOTHING),
    "a list of others": Video(_playlist, NOTHING, "whitelist"),
}


def _recode(video: Path, name: str, codec: str) -> Path:
    path = video.with_name(name)
    ffmpeg("-i", video, "-fps_mode", "vfr", "-c:v", codec, path)
    return path


def names_of(*states: MediaState) -> list[str]:
    return [name for name, video in VIDEOS.items() if video.state in states]
