"""The table of a stream's packets: what can be known of every picture without decoding one."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
import numpy.typing as npt

from scan_video.nal_units import PictureRank, length_prefix_bytes, rank_picture

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

NO_TIME = int(np.iinfo(np.int64).min)

VideoPacket: TypeAlias = "Packet[VideoStream]"
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PacketTable:
    """One row a packet, in the order of the file (which is the order of decoding).

    Attributes:
        pts, dts: presentation and decoding time in units of the stream's time base, or `NO_TIME`.
        sizes: bytes.
        keys: decoding can start here.
        spare: no other picture needs this one.
        damaged: packets that the container marks as damaged or that could not be read.
    """

    pts: IntArray
    dts: IntArray
    sizes: IntArray
    keys: BoolArray
    spare: BoolArray
    damaged: int

    def __len__(self) -> int:
        return len(self.pts)


class _Columns:
    """The table while it grows; compact, since a day of video has millions of packets."""

    def __init__(self) -> None:
        self.pts, self.dts, self.sizes = array("q"), array("q"), array("q")
        self.keys, self.layers, self.references = array("b"), array("b"), array("b")
        self.damaged = 0

    def add(self, packet: VideoPacket, rank: PictureRank) -> None:
        self.pts.append(NO_TIME if packet.pts is None else packet.pts)
        self.dts.append(NO_TIME if packet.dts is None else packet.dts)
        self.sizes.append(packet.size)
        self.keys.append(packet.is_keyframe)
        self.layers.append(rank.layer)
        self.references.append(rank.is_reference and not packet.is_disposable)
        self.damaged += packet.is_corrupt

    def finish(self) -> PacketTable:
        layers = np.array(self.layers)
        keys = np.array(self.keys, dtype=np.bool_)
        # In a lower temporal layer even a "non-reference" picture may serve the layers above.
        is_spare = (np.array(self.references) == 0) & (layers == layers.max(initial=0)) & ~keys
        return PacketTable(
            pts=np.array(self.pts, dtype=np.int64),
            dts=np.array(self.dts, dtype=np.int64),
            sizes=np.array(self.sizes, dtype=np.int64),
            keys=keys,
            spare=is_spare,
            damaged=self.damaged,
        )


def read_packet_table(
    container: InputContainer, stream: VideoStream, visit: Callable[[VideoPacket], None]
) -> PacketTable:
    """Walk through the whole file once, without decoding.

    A file that ends in the middle of a packet gives the packets before; `damaged` says so.

    Args:
        container, stream: just opened.
        visit: gets each packet.
    """
    codec = stream.codec_context.name
    prefix = length_prefix_bytes(codec, stream.codec_context.extradata)
    columns = _Columns()
    try:
        for packet in container.demux(stream):
            if packet.size:
                columns.add(packet, rank_picture(codec, memoryview(packet), prefix))
                visit(packet)
    except (av.error.FFmpegError, OSError):
        columns.damaged += 1
    return columns.finish()
