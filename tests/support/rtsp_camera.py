"""A real RTSP camera for tests, by GStreamer; its pictures bear the time at which they were made.

Runs under Debian's Python, which has the bindings: ``/usr/bin/python3 rtsp_camera.py PORT [FPS] [USER PASSWORD]``.
It prints "port N" once it listens, and "play" for each viewer that asks for its stream ``/cam``.

The top 40 lines of each picture are 32 blocks of 40 pixels, black or white: milliseconds since 1970, lowest 32 bits,
the highest first. Below, a light bar moves to the right.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

WIDTH, HEIGHT, BLOCK, BITS = 1280, 720, 40, 32
_BLACK, _WHITE, _GREY, _LIGHT = 16, 235, 90, 180
_BAR = 160


def draw(now_ms: int, number: int) -> bytes:
    """Return one picture, I420, video range."""
    bits = (now_ms >> shift & 1 for shift in reversed(range(BITS)))
    row = b"".join(bytes([_WHITE if bit else _BLACK]) * BLOCK for bit in bits)
    place = number * 16 % (WIDTH - _BAR)
    line = bytes([_GREY]) * place + bytes([_LIGHT]) * _BAR + bytes([_GREY]) * (WIDTH - _BAR - place)
    return row * BLOCK + line * (HEIGHT - BLOCK) + bytes([128]) * (WIDTH * HEIGHT // 2)


def main() -> None:
    """Serve until ended."""
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    port, fps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 10
    Gst.init(None)
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory.new()
    factory.set_launch(
        f"( appsrc name=eye is-live=true format=time do-timestamp=true "
        f"caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={fps}/1 "
        f"! x264enc tune=zerolatency speed-preset=ultrafast bitrate=3000 key-int-max={fps} threads=1 "
        "! rtph264pay name=pay0 pt=96 config-interval=1 )"
    )

    def configure(_factory: Any, media: Any) -> None:
        print("play", flush=True)
        eye = media.get_element().get_by_name_recurse_up("eye")
        threading.Thread(target=push, args=(eye, fps, Gst), daemon=True).start()

    factory.connect("media-configure", configure)
    if len(sys.argv) > 4:
        protect(server, factory, sys.argv[3], sys.argv[4], GstRtspServer)
    server.get_mount_points().add_factory("/cam", factory)
    server.attach(None)
    print("port", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


def push(eye: Any, fps: int, gst: Any) -> None:
    """Feed one viewer until it is gone."""
    number = 0
    while True:
        buffer = gst.Buffer.new_wrapped(draw(time.time_ns() // 1_000_000, number))
        flow = eye.emit("push-buffer", buffer)
        if flow not in (gst.FlowReturn.OK, gst.FlowReturn.FLUSHING):
            return
        if flow == gst.FlowReturn.FLUSHING and number:
            return
        number += 1
        time.sleep(1 / fps)


def protect(server: Any, factory: Any, user: str, password: str, rtsp: Any) -> None:
    """Let in only who knows user and password."""
    auth = rtsp.RTSPAuth.new()
    token = rtsp.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(rtsp.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = rtsp.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


if __name__ == "__main__":
    main()
