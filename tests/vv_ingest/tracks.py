"""Tracks and files that play as they are, to be changed by tests."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

from vv_ingest.decision import Limits
from vv_ingest.mp4_layout import Mp4Layout
from vv_ingest.probe import AudioTrack, Probe, VideoTrack

LIMITS = Limits(max_lines=1080, max_pixels=8192 * 8192)
VIDEO = VideoTrack(0, "h264", "High", "yuv420p", "avc1", 40, 1920, 1080, rate=Fraction(25))
AUDIO = AudioTrack(1, "aac", 1, 48000)
LAYOUT = Mp4Layout(is_fast_start=True, is_fragmented=False, is_whole=True)
PROBE = Probe(frozenset({"mov", "mp4"}), LAYOUT, 10.0, (VIDEO,), (AUDIO,))


def video(**changes: Any) -> VideoTrack:
    return replace(VIDEO, **changes)


def with_video(**changes: Any) -> Probe:
    return replace(PROBE, videos=(video(**changes),))


def with_audio(**changes: Any) -> Probe:
    return replace(PROBE, audios=(replace(AUDIO, **changes),))


def with_layout(**changes: Any) -> Probe:
    return replace(PROBE, layout=replace(LAYOUT, **changes))
