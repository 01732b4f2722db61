"""The process that reads one camera: ``python -m tv_mirror_ui.reader``, started by the hub.

What cameras send is decoded here, away from the hub and from other cameras. The kernel keeps it from writing to any
file (RLIMIT_FSIZE).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, NoReturn

from tv_mirror_ui.http_reader import read_http
from tv_mirror_ui.messages import MAX_ORDER, Order, Trouble
from tv_mirror_ui.no_writing import forbid_writing
from tv_mirror_ui.outlet import Outlet, ReaderError
from tv_mirror_ui.picture import Encoder
from tv_mirror_ui.stream_reader import read_file, read_rtsp
from vv_core.errors import ExitCode
from vv_core.process import die_with_parent


class _Ended(BaseException):
    """The hub wants no more; cameras are told good-bye on the way out."""


def read_camera(order: Order, outlet: Outlet) -> Trouble:
    """Pass pictures on as long as they come, and return why they do no more."""
    readers: dict[str, Callable[[Order, Encoder, Outlet], None]] = {
        "rtsp": read_rtsp,
        "http": read_http,
        "file": read_file,
    }
    try:
        encoder = Encoder((order.width, order.height), _make_blur() if order.blur_faces else None)
    except ImportError:
        return Trouble.NO_BLUR
    try:
        readers[order.kind](order, encoder, outlet)
    except ReaderError as exc:
        return exc.trouble
    return Trouble.ENDED


def _make_blur() -> Callable[[Any], Any]:
    from tv_mirror_ui.blur import FaceBlur

    return FaceBlur()


def main() -> int:
    """Take one order from stdin and follow it."""
    forbid_writing()
    signal.signal(signal.SIGTERM, _end)
    # What a library prints must not get between the messages.
    outlet = Outlet(os.dup(1))
    os.dup2(2, 1)
    try:
        die_with_parent()
        order = Order.from_line(sys.stdin.buffer.readline(MAX_ORDER))
        outlet.end(read_camera(order, outlet))
    except (_Ended, BrokenPipeError):
        pass
    return ExitCode.OK


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Ended


if __name__ == "__main__":
    sys.exit(main())
