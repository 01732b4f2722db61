"""Packet tables to start tests of decisions from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np

from scan_video.packets import NO_TIME, PacketTable
from scan_video.timeline import Timeline, build_timeline

TICKS = 1000


def make_table(
    seconds: Sequence[float | None],
    keys: Iterable[int] = (0,),
    spare: Iterable[int] = (),
    dts: Sequence[float | None] | None = None,
) -> PacketTable:
    """Return a table of packets with the given times of showing, in the order of the file."""
    count = len(seconds)
    return PacketTable(
        pts=ticks(seconds),
        dts=ticks(sorted(s for s in seconds if s is not None) if dts is None else dts),
        sizes=np.full(count, 1000, dtype=np.int64),
        keys=np.isin(np.arange(count), list(keys)),
        spare=np.isin(np.arange(count), list(spare)),
        damaged=0,
    )


def ticks(seconds: Sequence[float | None]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return times in thousandths of a second."""
    values = [NO_TIME if s is None else round(s * TICKS) for s in seconds]
    return np.array(values, dtype=np.int64)


def make_timeline(table: PacketTable, fps: float | None = 10.0, reorders: bool = True) -> Timeline:
    """Return the timeline of a table made by `make_table`."""
    return build_timeline(table, Fraction(1, TICKS), fps, reorders=reorders)


def regular(count: int, fps: float = 10.0) -> list[float]:
    """Return evenly spaced times."""
    return [number / fps for number in range(count)]
