"""Opening video files with FFmpeg's libraries, and nothing but files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import av

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.stream import VideoStream

_FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,live_flv,asf,asf_o,ogg,"
    "h264,hevc,mjpeg,m4v,mxf,dv,gxf,ivf,nut,rm,swf,wtv,dhav,kux"
)
_OPTIONS = {
    # A "video" may be a play list that names other files or hosts: only plain containers, only files.
    "format_whitelist": _FORMATS,
    "protocol_whitelist": "file",
}


@contextmanager
def open_video(path: Path) -> Iterator[InputContainer]:
    """Open a file as a video container, and close it.

    Raises:
        av.error.FFmpegError: FFmpeg cannot make sense of the file.
        OSError: from the file system.
    """
    # The prefix keeps names such as "concat:a.mp4" from being taken for a protocol.
    with av.open(
        f"file:{os.fspath(path)}", options=dict(_OPTIONS), metadata_errors="replace"
    ) as container:
        yield container


def main_video_stream(container: InputContainer) -> VideoStream | None:
    """Return the first stream of moving pictures; cover art does not count."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None
