"""Reading RTSP cameras and files with FFmpeg's libraries, in this process: no command line shows the address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.logging

from tv_mirror_ui.messages import Order, Trouble
from tv_mirror_ui.outlet import Outlet, ReaderError
from tv_mirror_ui.pace import LagMeter, RateGate
from tv_mirror_ui.passing import pass_on
from tv_mirror_ui.picture import Encoder

OPEN_S = 8.0
SILENCE_S = 5.0
BEHIND_S = 1.0
_RTSP = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",
    "fflags": "nobuffer",
    "flags": "low_delay",
    # What the camera says of its stream must do: looking into it first took a second.
    "analyzeduration": "100000",
    "probesize": "32",
    "fpsprobesize": "0",
    # Where a camera redirects to must be one too.
    "protocol_whitelist": "rtsp,rtsps,rtp,tcp,tls,udp",
}
_FILE = {"protocol_whitelist": "file"}
_REFUSED = (av.HTTPUnauthorizedError, av.HTTPForbiddenError)


def read_rtsp(order: Order, encoder: Encoder, outlet: Outlet) -> None:
    """Pass pictures of a camera on until it ends.

    Raises:
        ReaderError: always; it says why there are no more.
    """
    gate, meter = RateGate(order.frames_per_s), LagMeter()
    with _open(with_login(order), _RTSP) as (container, stream):
        for packet in container.demux(stream):
            arrived = time.monotonic()
            lag_s = 0.0
            if packet.pts is not None and packet.time_base is not None:
                lag_s = meter.measure(arrived, float(packet.pts * packet.time_base))
            _keep_up(stream, lag_s, is_keyframe=packet.is_keyframe)
            for frame in _decode(packet, outlet):
                if gate.is_open(time.monotonic()):
                    shape = stream.codec_context.sample_aspect_ratio
                    make = partial(encoder.encode, frame, shape)
                    pass_on(make, arrived - lag_s, gate, outlet)
    raise ReaderError(Trouble.ENDED)


def read_file(order: Order, encoder: Encoder, outlet: Outlet) -> None:
    """Pass pictures of a clip on, at its own pace, again and again.

    Raises:
        ReaderError: it cannot be read.
    """
    gate = RateGate(order.frames_per_s)
    with _open(order.url, _FILE) as (container, stream):
        while True:
            begun, shown = time.monotonic(), 0
            first: float | None = None
            for packet in container.demux(stream):
                for frame in _decode(packet, outlet):
                    moment = frame.time or 0.0
                    first = moment if first is None else first
                    due = begun + moment - first
                    time.sleep(min(max(0.0, due - time.monotonic()), SILENCE_S))
                    shown += 1
                    if gate.is_open(time.monotonic()):
                        shape = stream.codec_context.sample_aspect_ratio
                        make = partial(encoder.encode, frame, shape)
                        pass_on(make, time.monotonic(), gate, outlet)
            if not shown:
                raise ReaderError(Trouble.UNREADABLE)
            container.seek(0)


def with_login(order: Order) -> str:
    """Return the URL with user and password; it stays in this process."""
    if not order.user:
        return order.url
    parts = urlsplit(order.url)
    login = f"{quote(order.user, safe='')}:{quote(order.password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc}"))


@contextmanager
def _open(url: str, options: dict[str, str]) -> Iterator[tuple[Any, Any]]:
    """Yield the container and its video; what FFmpeg raises becomes a `ReaderError` without the URL."""
    # It would name the URL, and the password with it.
    av.logging.set_level(av.logging.PANIC)
    try:
        with av.open(url, options=options, timeout=(OPEN_S, SILENCE_S)) as container:
            if not container.streams.video:
                raise ReaderError(Trouble.UNREADABLE)
            stream = container.streams.video[0]
            # Threads that work on whole frames each hold one back.
            stream.thread_type = "SLICE"
            yield container, stream
    except _REFUSED:
        raise ReaderError(Trouble.REFUSED) from None
    except av.InvalidDataError:
        raise ReaderError(Trouble.UNREADABLE) from None
    except (av.ExitError, TimeoutError):
        raise ReaderError(Trouble.SILENT) from None
    except EOFError:
        raise ReaderError(Trouble.ENDED) from None
    except (av.FFmpegError, OSError):
        raise ReaderError(Trouble.UNREACHABLE) from None


def _keep_up(stream: Any, lag_s: float, *, is_keyframe: bool) -> None:
    """Decode keyframes alone while the machine cannot keep up: fewer pictures, but fresh ones."""
    if lag_s > BEHIND_S:
        stream.codec_context.skip_frame = "NONKEY"
    elif is_keyframe:
        # Not before: what follows another frame needs those that were left out.
        stream.codec_context.skip_frame = "DEFAULT"


def _decode(packet: Any, outlet: Outlet) -> list[Any]:
    try:
        frames = [frame for frame in packet.decode() if not frame.is_corrupt]
    except av.InvalidDataError:
        outlet.bad()
        return []
    return frames
