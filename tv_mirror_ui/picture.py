"""From a decoded frame to the JPEG that viewers get: scaled down, faces blurred where asked."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
from av.video.reformatter import ColorRange

from tv_mirror_ui.jpeg import BadJpegError, read_head, trim

Blur = Callable[[Any], Any]
"""Takes an array (height, width, 3), uint8, BGR, and returns it with faces blurred."""

_QUANTISER = 4  # of 2 (best) to 31
_RATE = Fraction(1, 90000)


def fit(width: int, height: int, shape: Fraction, box: tuple[int, int]) -> tuple[int, int]:
    """Return the size of a picture that fits into a box; it is never enlarged.

    Args:
        width: of what the camera sends, pixels.
        height: likewise.
        shape: width of one of its pixels by its height; old DVRs send wide or narrow ones.
        box: largest width and height.

    Returns:
        Width and height with square pixels, both even.
    """
    true_width = max(width * shape, Fraction(1))
    scale = min(Fraction(box[0]) / true_width, Fraction(box[1], height), Fraction(1))
    return _even(true_width * scale, box[0]), _even(height * scale, box[1])


def _even(length: Fraction, most: int) -> int:
    return max(2, min(2 * round(length / 2), most // 2 * 2))


class Encoder:
    """Makes JPEGs that are no larger than a box."""

    def __init__(self, box: tuple[int, int], blur: Blur | None = None) -> None:
        self._box = box
        self._blur = blur
        self._codec: Any = None
        self._decoder: Any = None
        self._count = 0

    def encode(self, frame: av.VideoFrame, shape: Fraction | None = None) -> bytes:
        """Return a frame as JPEG.

        Args:
            frame: as decoded.
            shape: width of a pixel by its height, where it is not square.

        Raises:
            BadJpegError: it has no size that could be shown.
        """
        if frame.width < 2 or frame.height < 2:  # noqa: PLR2004 - chroma is halved
            raise BadJpegError("it has no size")
        width, height = fit(frame.width, frame.height, shape or Fraction(1), self._box)
        if self._blur is not None:
            frame = frame.reformat(width, height, "bgr24")
            frame = av.VideoFrame.from_ndarray(self._blur(frame.to_ndarray()), "bgr24")
        # JPEG knows full range only.
        frame = frame.reformat(width, height, "yuv420p", dst_color_range=ColorRange.JPEG)
        return self._compress(frame)

    def pass_on(self, raw_jpeg: bytes) -> bytes:
        """Return a camera's JPEG as viewers get it: as it is where it fits, else made anew.

        Raises:
            BadJpegError: it is broken.
        """
        data = trim(raw_jpeg)
        head = read_head(data)
        fits = head.width <= self._box[0] and head.height <= self._box[1]
        if fits and head.has_tables and self._blur is None:
            return data
        if self._decoder is None:
            self._decoder = av.CodecContext.create("mjpeg", "r")
        try:
            frames = self._decoder.decode(av.Packet(data))
        except av.FFmpegError as exc:
            raise BadJpegError("it cannot be decoded") from exc
        if not frames:
            raise BadJpegError("there is no picture in it")
        return self.encode(frames[-1])

    def _compress(self, frame: av.VideoFrame) -> bytes:
        size = (frame.width, frame.height)
        if self._codec is None or size != (self._codec.width, self._codec.height):
            self._codec = av.CodecContext.create("mjpeg", "w")
            self._codec.width, self._codec.height = size
            self._codec.pix_fmt = "yuv420p"
            self._codec.color_range = ColorRange.JPEG
            self._codec.time_base = _RATE
            self._codec.thread_count = 1
            self._codec.qmin = self._codec.qmax = _QUANTISER
        self._count += 1
        frame.pts = self._count
        frame.time_base = _RATE
        frame.pict_type = 0
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))
