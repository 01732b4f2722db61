"""Which coded pictures no other picture needs, read from the first bytes of a packet.

H.264: ITU-T H.264, 7.3.1 and 7.4.1 (``nal_ref_idc``). H.265: ITU-T H.265, 7.3.1.2 and table 7-1
(sub-layer non-reference pictures). Packets come length-prefixed (ISO/IEC 14496-15) or with start
codes (Annex B).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_SEARCHED_BYTES = 4096
_H264_SLICES = frozenset({1, 2, 5})
_H265_FIRST_NON_SLICE = 32
_H265_FIRST_KEY = 16
_CONFIGURATION_VERSION = 1


@dataclass(frozen=True)
class PictureRank:
    """How much other pictures depend on one.

    Attributes:
        layer: its temporal layer; 0 is the base.
        is_reference: whether a picture of the same layer may need it.
    """

    layer: int
    is_reference: bool


NEEDED = PictureRank(layer=0, is_reference=True)


def length_prefix_bytes(codec: str, extradata: bytes | None) -> int:
    """Return how many bytes of length stand before each NAL unit; 0 means start codes."""
    if not extradata or extradata[0] != _CONFIGURATION_VERSION:
        return 0
    position = {"h264": 4, "hevc": 21}.get(codec)
    if position is None or len(extradata) <= position:
        return 0
    return (extradata[position] & 3) + 1


def rank_picture(codec: str, packet: memoryview, prefix_bytes: int) -> PictureRank:
    """Return the rank of a packet's picture; `NEEDED` whenever that cannot be told."""
    units = _prefixed(packet, prefix_bytes) if prefix_bytes else _start_coded(packet)
    if codec == "h264":
        return next((rank for head in units if (rank := _rank_h264(head))), NEEDED)
    if codec == "hevc":
        return next((rank for head in units if (rank := _rank_h265(head))), NEEDED)
    return NEEDED


def _rank_h264(head: bytes) -> PictureRank | None:
    if head[0] & 0x1F not in _H264_SLICES:
        return None
    return PictureRank(layer=0, is_reference=bool(head[0] & 0x60))


def _rank_h265(head: bytes) -> PictureRank | None:
    kind = head[0] >> 1 & 0x3F
    if kind >= _H265_FIRST_NON_SLICE:
        return None
    layer = max((head[1] & 7) - 1, 0)
    return PictureRank(layer=layer, is_reference=kind >= _H265_FIRST_KEY or kind % 2 == 1)


def _prefixed(packet: memoryview, prefix_bytes: int) -> Iterator[bytes]:
    """Yield the first two bytes of each NAL unit."""
    position = 0
    while position + prefix_bytes + 2 <= len(packet):
        length = int.from_bytes(packet[position : position + prefix_bytes], "big")
        position += prefix_bytes
        yield bytes(packet[position : position + 2])
        position += length


def _start_coded(packet: memoryview) -> Iterator[bytes]:
    head = bytes(packet[:_SEARCHED_BYTES])
    position = head.find(b"\0\0\1")
    while position != -1 and position + 5 <= len(head):
        yield head[position + 3 : position + 5]
        position = head.find(b"\0\0\1", position + 3)
