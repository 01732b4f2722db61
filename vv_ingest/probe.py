"""What is known of a video file before it is decoded: tracks and container, from ffprobe's words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vv_ingest.mp4_layout import Mp4Layout

SQUARE = Fraction(1)
_LONGEST_S = 30 * 86400.0
"""A longer time is a broken header."""


@dataclass(frozen=True)
class VideoTrack:
    """Moving pictures.

    Attributes:
        index: number of the track in its file.
        codec, profile, pixel_format, tag: as ffprobe calls them; "" where it cannot tell.
        level: of H.264, times ten; 0 where it cannot tell.
        width, height: pixels, as stored.
        pixel_shape: width of a pixel by its height.
        rotation: degrees that a player turns the picture by: 0, 90, 180 or 270.
        rate: pictures a second, on average; None: unknown.
        is_interlaced: each picture holds two half pictures.
        frames: how many the container says there are; None: it does not say.
    """

    index: int
    codec: str
    profile: str
    pixel_format: str
    tag: str
    level: int
    width: int
    height: int
    pixel_shape: Fraction = SQUARE
    rotation: int = 0
    rate: Fraction | None = None
    is_interlaced: bool = False
    frames: int | None = None


@dataclass(frozen=True)
class AudioTrack:
    """Sound.

    Attributes:
        index: number of the track in its file.
        codec: as ffprobe calls it.
        channels: how many; 0: unknown, so that it cannot be decoded.
        rate: samples a second; 0: unknown.
    """

    index: int
    codec: str
    channels: int
    rate: int


@dataclass(frozen=True)
class Probe:
    """A video file.

    Attributes:
        formats: what ffprobe calls the container: one has several names.
        layout: of an MP4 file; None for any other.
        duration_s: how long it says it is; None: it does not say.
        videos: its moving pictures, cover pictures left out.
        audios: its sound.
        comment: the comment that it carries, "" for none.
    """

    formats: frozenset[str]
    layout: Mp4Layout | None
    duration_s: float | None
    videos: tuple[VideoTrack, ...]
    audios: tuple[AudioTrack, ...]
    comment: str = ""


def parse_probe(document: Any, layout: Mp4Layout | None) -> Probe:
    """Return what ffprobe says (``-show_streams -show_format -of json``).

    Raises:
        ValueError: that is not what ffprobe says.
    """
    if not isinstance(document, dict):
        raise ValueError("ffprobe said something else")
    container = _mapping(document.get("format"))
    streams = [_mapping(stream) for stream in _list(document.get("streams"))]
    return Probe(
        formats=frozenset(_text(container, "format_name").split(",")),
        layout=layout,
        duration_s=_duration(container.get("duration")),
        videos=tuple(
            _video(stream)
            for stream in streams
            if stream.get("codec_type") == "video"
            and not _mapping(stream.get("disposition")).get("attached_pic")
        ),
        audios=tuple(_audio(each) for each in streams if each.get("codec_type") == "audio"),
        comment=_text(_mapping(container.get("tags")), "comment"),
    )


def _video(stream: Mapping[str, Any]) -> VideoTrack:
    frames = _number(stream.get("nb_frames"))
    return VideoTrack(
        index=_number(stream.get("index")),
        codec=_text(stream, "codec_name"),
        profile=_text(stream, "profile"),
        pixel_format=_text(stream, "pix_fmt"),
        tag=_text(stream, "codec_tag_string"),
        level=max(0, _number(stream.get("level"))),
        width=_number(stream.get("width")),
        height=_number(stream.get("height")),
        pixel_shape=_fraction(stream.get("sample_aspect_ratio"), ":") or SQUARE,
        rotation=_rotation(stream),
        rate=_fraction(stream.get("avg_frame_rate"), "/"),
        is_interlaced=_text(stream, "field_order") in {"tt", "bb", "tb", "bt"},
        frames=frames if "nb_frames" in stream else None,
    )


def _audio(stream: Mapping[str, Any]) -> AudioTrack:
    return AudioTrack(
        index=_number(stream.get("index")),
        codec=_text(stream, "codec_name"),
        channels=_number(stream.get("channels")),
        rate=_number(stream.get("sample_rate")),
    )


def _rotation(stream: Mapping[str, Any]) -> int:
    """Return by how much the display matrix turns the picture, in quarter turns."""
    for side_data in _list(stream.get("side_data_list")):
        turn = _mapping(side_data).get("rotation")
        if isinstance(turn, int | float) and math.isfinite(turn):
            return round(-turn / 90) * 90 % 360
    return 0


def _mapping(raw: Any) -> Mapping[str, Any]:
    return raw if isinstance(raw, dict) else {}


def _list(raw: Any) -> list[Any]:
    return raw if isinstance(raw, list) else []


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key)
    return value if isinstance(value, str) else ""


def _number(raw: Any) -> int:
    try:
        return int(raw)
    except (TypeError, ValueError, OverflowError):
        return 0


def _duration(raw: Any) -> float | None:
    try:
        seconds = float(raw)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds <= _LONGEST_S else None


def _fraction(raw: Any, separator: str) -> Fraction | None:
    """Return a positive ratio, as 30000/1001 or 4:3; None for 0/0 and the like."""
    top, _, bottom = (raw if isinstance(raw, str) else "").partition(separator)
    if not _number(top) > 0 or not _number(bottom) > 0:
        return None
    return Fraction(_number(top), _number(bottom))
