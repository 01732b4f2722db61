"""When each picture is shown: the file's own times, or times rebuilt where those are unusable."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from scan_video.packets import NO_TIME, IntArray, PacketTable

DEFAULT_FPS = 25.0
_PLAUSIBLE_FPS = (0.01, 480.0)
_MAX_DOUBLES = 0.01
_MAX_GAP_S = 3600.0
_MIN_SPREAD = 0.2
_ROUNDING_S = 0.002
_MANY = 0.1

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Timeline:
    """The time of each packet's picture, in the order of the packet table.

    Attributes:
        times: seconds from the first picture. When rebuilt, the order of the file is taken for the
            order of showing: entry n is the time of the n-th picture that a decoder gives out.
        is_rebuilt: the file's own times were missing, doubled, backward or absurd.
        is_variable: the distance between pictures varies.
        frame_s: usual distance between pictures, seconds.
    """

    times: FloatArray
    is_rebuilt: bool
    is_variable: bool
    frame_s: float

    @property
    def end_s(self) -> float:
        """When the last picture ends, seconds from the first."""
        return float(self.times.max(initial=0.0)) + self.frame_s


def build_timeline(
    table: PacketTable, time_base: Fraction, declared_fps: float | None, *, reorders: bool
) -> Timeline:
    """Decide on the time of each picture.

    Args:
        table: of at least one packet.
        time_base: seconds of one unit of the table's times.
        declared_fps: what the file says about its pace, if anything.
        reorders: pictures are shown in another order than decoded, so dts cannot stand in for pts.
    """
    ticks = table.pts
    if not reorders and (ticks == NO_TIME).any():
        ticks = np.where(ticks == NO_TIME, table.dts, ticks)
    if not _is_usable(ticks, table.dts, time_base):
        return _rebuilt(len(table), declared_fps)
    times = ((ticks - ticks.min()) * float(time_base)).astype(np.float64)
    gaps = np.diff(np.sort(times))
    frame_s = float(np.median(gaps)) if len(gaps) else 1.0 / usable_fps(declared_fps)
    return Timeline(
        times=times,
        is_rebuilt=False,
        is_variable=_varies(gaps, frame_s),
        frame_s=frame_s,
    )


def usable_fps(fps: float | None) -> float:
    """Return a pace that a camera may have; `DEFAULT_FPS` in place of nonsense."""
    lowest, highest = _PLAUSIBLE_FPS
    return fps if fps is not None and lowest <= fps <= highest else DEFAULT_FPS


def _is_usable(ticks: IntArray, dts: IntArray, time_base: Fraction) -> bool:
    if (ticks == NO_TIME).any():
        return False
    known_dts = dts[dts != NO_TIME]
    if (np.diff(known_dts) < 0).any():
        return False
    gaps = np.diff(np.sort(ticks))
    if (gaps == 0).sum() > _MAX_DOUBLES * len(ticks):
        return False
    return bool(gaps.max(initial=0) * float(time_base) <= _MAX_GAP_S)


def _rebuilt(count: int, declared_fps: float | None) -> Timeline:
    frame_s = 1.0 / usable_fps(declared_fps)
    return Timeline(
        times=np.arange(count, dtype=np.float64) * frame_s,
        is_rebuilt=True,
        is_variable=False,
        frame_s=frame_s,
    )


def _varies(gaps: FloatArray, usual: float) -> bool:
    """Tell whether one gap in ten or more is off by a fifth; a lost picture or two is no sign."""
    if len(gaps) == 0:
        return False
    return bool((np.abs(gaps - usual) > _MIN_SPREAD * usual + _ROUNDING_S).mean() >= _MANY)
