"""What is to be done about a video so that every browser plays it: decided from what is known, without I/O."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from vv_ingest.probe import SQUARE, AudioTrack, Probe, VideoTrack

CODEC = "h264"
_PROFILES = frozenset({"Constrained Baseline", "Baseline", "Main", "High", "Progressive High"})
_PIXEL_FORMATS = frozenset({"yuv420p", "yuvj420p"})
_AUDIO_CODECS = frozenset({"aac", "mp3"})
_MAX_LEVEL = 52
"""Cameras name too high a level as often as not; size and rate say what a picture really costs."""
_LEAST_RATE, _MOST_RATE = Fraction(1), Fraction(61)
"""What plays as it is. Below, a screen looks frozen; above, a TV drops pictures."""
_MOST_APART_S = 2.0
"""Longer between two pictures, a TV takes the clip for stuck (it waits for 3 s) and goes on to the next."""
_MADE_LEAST_RATE, _MADE_MOST_RATE = 5, 30
_RATE_OTHERWISE = Fraction(25)
_MAX_DENOMINATOR = 1001
_WIDE = Fraction(16, 9)
_MACROBLOCK = 16
_MOST_CHANNELS = 2
_MAX_SIDE = 16384
_SHORT_BY, _SHORT_BY_PART = 0.5, 0.02


class Work(StrEnum):
    """What is to be done."""

    NOTHING = "nothing"
    """It plays as it is, if it decodes."""
    COPY = "copy"
    """The pictures play; container or sound are made anew."""
    ENCODE = "encode"
    REFUSE = "refuse"
    """Nothing can be made of it."""


class Sound(StrEnum):
    """What becomes of the sound."""

    COPY = "copy"
    ENCODE = "encode"
    NONE = "none"


@dataclass(frozen=True)
class Limits:
    """What a TV takes, and a decoder here.

    Attributes:
        max_lines: largest height; the width may be 16/9 of it, and a picture may stand upright.
        max_pixels: a larger picture is not even tried.
    """

    max_lines: int
    max_pixels: int


@dataclass(frozen=True)
class Decision:
    """What is to be done about one video.

    Attributes:
        work: what is to be done.
        why: what does not fit, for the log; "" where nothing is to be done.
        sound: what becomes of the sound.
        video: the track that counts; None when refused.
        audio: likewise; None: there is none.
    """

    work: Work
    why: str = ""
    sound: Sound = Sound.NONE
    video: VideoTrack | None = None
    audio: AudioTrack | None = None


def decide(probe: Probe, limits: Limits) -> Decision:
    """Decide what is to be done about a video."""
    if not probe.videos:
        return Decision(Work.REFUSE, "it has no moving pictures")
    video = probe.videos[0]
    audio = next((track for track in probe.audios if track.channels > 0), None)
    problem = _no_use(video, limits)
    if problem:
        return Decision(Work.REFUSE, problem)
    sound = _sound(audio)
    picture_problem = find_picture_problem(video, limits)
    if picture_problem:
        return Decision(Work.ENCODE, picture_problem, sound, video, audio)
    container_problem = _container_problem(probe, sound)
    if container_problem:
        return Decision(Work.COPY, container_problem, sound, video, audio)
    return Decision(Work.NOTHING, "", sound, video, audio)


def encode_instead(decision: Decision, why: str) -> Decision:
    """Return the decision to encode what was thought to play."""
    return Decision(Work.ENCODE, why, decision.sound, decision.video, decision.audio)


def drop_sound(decision: Decision) -> Decision:
    """Return the same decision without sound."""
    return Decision(decision.work, f"{decision.why}, silent", Sound.NONE, decision.video, None)


def _no_use(video: VideoTrack, limits: Limits) -> str:
    if not video.codec:
        return "its codec is unknown"
    if video.frames == 0:
        return "it holds no picture"
    if video.width <= 0 or video.height <= 0:
        return "its pictures have no size"
    if video.width * video.height > limits.max_pixels or max(video.width, video.height) > _MAX_SIDE:
        return f"its pictures are too large: {video.width}x{video.height}"
    return ""


def find_picture_problem(video: VideoTrack, limits: Limits) -> str:
    """Return why the pictures of a track do not play everywhere as they are, or ""."""
    short, long = sorted((video.width, video.height))
    rate = video.rate
    checks = (
        (video.codec == CODEC, f"codec {video.codec}"),
        (video.profile in _PROFILES, f"profile {video.profile or 'unknown'}"),
        (video.pixel_format in _PIXEL_FORMATS, f"pixels {video.pixel_format or 'unknown'}"),
        (video.level <= _MAX_LEVEL, f"level {video.level}"),
        (
            short <= _whole(limits.max_lines) and long <= _whole(limits.max_lines * _WIDE),
            f"size {video.width}x{video.height}",
        ),
        (video.width % 2 == 0 and video.height % 2 == 0, f"size {video.width}x{video.height}"),
        (video.rotation == 0, f"turned by {video.rotation} degrees"),
        (
            rate is not None and _LEAST_RATE <= rate <= _MOST_RATE,
            "rate unknown" if rate is None else f"{float(rate):g} pictures a second",
        ),
    )
    return next((problem for is_fine, problem in checks if not is_fine), "")


def find_stillness(times: Sequence[float]) -> str:
    """Return that pictures stand too long, or "".

    Recorders that keep only what moves leave holes in an otherwise fine clip, which its mean rate does not tell.

    Args:
        times: when the pictures are shown, seconds, in order.
    """
    longest = max((after - before for before, after in pairwise(times)), default=0.0)
    return f"pictures {longest:.1f} s apart" if longest > _MOST_APART_S else ""


def _whole(pixels: int | Fraction) -> int:
    """Round up to whole macroblocks: 1080 lines are often stored as 1088."""
    return math.ceil(Fraction(pixels) / _MACROBLOCK) * _MACROBLOCK


def _container_problem(probe: Probe, sound: Sound) -> str:
    layout = probe.layout
    if "mp4" not in probe.formats or layout is None:
        return f"container {'/'.join(sorted(probe.formats))}"
    checks = (
        (layout.is_fast_start, "index behind the pictures"),
        (not layout.is_fragmented, "index in pieces"),
        (layout.is_whole, "cut off at its end"),
        (len(probe.videos) == 1, f"{len(probe.videos)} tracks of pictures"),
        (len(probe.audios) <= 1, f"{len(probe.audios)} tracks of sound"),
        (not probe.audios or sound is not Sound.NONE, "sound without channels"),
        (sound is not Sound.ENCODE, "sound that browsers do not know"),
        (probe.videos[0].tag == "avc1", f"tag {probe.videos[0].tag or 'unknown'}"),
        (probe.duration_s is not None, "length unknown"),
    )
    return next((problem for is_fine, problem in checks if not is_fine), "")


def _sound(audio: AudioTrack | None) -> Sound:
    if audio is None:
        return Sound.NONE
    is_common = audio.codec in _AUDIO_CODECS and audio.channels <= _MOST_CHANNELS
    return Sound.COPY if is_common else Sound.ENCODE


def choose_size(video: VideoTrack, max_lines: int) -> tuple[int, int]:
    """Return width and height of the version that is made: upright, square pixels, even, within the limit."""
    width, height = video.width * video.pixel_shape, Fraction(video.height)
    if video.rotation in {90, 270}:
        width, height = height, width
    scale = min(SQUARE, max_lines * _WIDE / width, max_lines / height)
    return _even(width * scale), _even(height * scale)


def _even(length: Fraction) -> int:
    return max(2, 2 * math.ceil(length / 2 - Fraction(1, 4)))


def choose_rate(rate: Fraction | None) -> Fraction:
    """Return the constant rate of the version that is made.

    A multiple or a simple part of the given one, so that motion stays even: from 5 to 30 a second.
    """
    if rate is None:
        return _RATE_OTHERWISE
    chosen = rate.limit_denominator(_MAX_DENOMINATOR)
    while chosen > _MADE_MOST_RATE:
        chosen /= 2
    if chosen <= 0:
        return Fraction(_MADE_LEAST_RATE)
    if chosen < _MADE_LEAST_RATE:
        chosen *= math.ceil(_MADE_LEAST_RATE / chosen)
    return chosen.limit_denominator(_MAX_DENOMINATOR)


def tolerance_s(duration_s: float) -> float:
    """Return by how much two lengths of the same video may differ, seconds."""
    return max(_SHORT_BY, duration_s * _SHORT_BY_PART)


def is_short(made_s: float, said_s: float | None) -> bool:
    """Tell whether a part of a video is lacking."""
    return said_s is not None and made_s < said_s - tolerance_s(said_s)


def is_long(made_s: float, said_s: float | None) -> bool:
    """Tell whether a version lasts longer than the video that it was made from."""
    return said_s is not None and made_s > said_s + tolerance_s(said_s)
