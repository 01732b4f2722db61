"""The stream of pictures to one viewer, ``multipart/x-mixed-replace``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tv_mirror_ui.hub import Channel, Hub, Picture, Viewer

BOUNDARY = "vv-mirror-frame"
SIGN_OF_LIFE_S = 2.0
STUCK_S = 30.0


class MirrorStream(Response):
    """Sends a viewer the latest picture whenever it has taken the one before.

    Each part says which camera it is of (X-Camera), when it came (X-Timestamp, seconds since 1970) and how old it was
    when it was sent (X-Age-Ms), since no TV's clock can be trusted.
    """

    def __init__(self, hub: Hub, channels: Sequence[Channel], frames_per_s: float | None) -> None:
        super().__init__(
            media_type=f"multipart/x-mixed-replace; boundary={BOUNDARY}",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )
        del self.headers["content-length"]
        self._hub = hub
        self._channels = channels
        self._frames_per_s = frames_per_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the viewer is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        with self._hub.watch(self._channels, self._frames_per_s) as viewer:
            sending = asyncio.create_task(_send_pictures(viewer, send))
            leaving = asyncio.create_task(_wait_for_end(receive))
            try:
                await asyncio.wait([sending, leaving], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (sending, leaving):
                    task.cancel()
                await asyncio.wait([sending, leaving])
        with suppress(asyncio.CancelledError):
            sending.result()


async def _send_pictures(viewer: Viewer, send: Send) -> None:
    while True:
        found = await viewer.next(SIGN_OF_LIFE_S)
        # Between the parts, an empty line harms no reader, and shows whether there still is one.
        body = b"\r\n" if found is None else build_part(*found)
        try:
            async with asyncio.timeout(STUCK_S):
                await send({"type": "http.response.body", "body": body, "more_body": True})
                # Wait until it is on its way; what is sent next is chosen only then.
                await send({"type": "http.response.body", "body": b"", "more_body": True})
        except TimeoutError:
            return


async def _wait_for_end(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def build_part(channel: Channel, picture: Picture) -> bytes:
    """Return one part of the stream."""
    age_s = max(0.0, time.monotonic() - picture.captured)
    return (
        f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n"
        f"X-Camera: {channel.camera.name}\r\nX-Timestamp: {time.time() - age_s:.3f}\r\n"
        f"X-Age-Ms: {age_s * 1000:.0f}\r\n\r\n".encode("ascii")
        + picture.jpeg
        + b"\r\n"
    )
