"""A hub that sends the page whatever a test wants: the page's network partner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from typing import Any

from tv_mirror_ui.page import load_page

CAMERAS = b'{"cameras": [{"name": "cam", "title": "Cam"}]}'


class FakeHub:
    """What it does.

    Attributes:
        url: of the page.
        streams: how often a stream was asked for.
        open_streams: how often one began.
        status: of the next streams.
        cameras_status: of the list of cameras.
        version: what it says the page's version is; None for the true one.
    """

    def __init__(self) -> None:
        self.url = ""
        self.streams = 0
        self.open_streams = 0
        self.status = 200
        self.cameras_status = 200
        self.version: str | None = None
        self._queue: Queue[bytes | None] = Queue()

    def send(self, data: bytes) -> None:
        """Send bytes on the stream that is open."""
        self._queue.put(data)

    def send_picture(self, jpeg: bytes, age_ms: int = 0) -> None:
        """Send one part."""
        head = f"--b\r\nContent-Length: {len(jpeg)}\r\nX-Camera: cam\r\nX-Age-Ms: {age_ms}\r\n\r\n"
        self.send(head.encode() + jpeg + b"\r\n")

    def end_stream(self) -> None:
        """End the stream that is open."""
        self._queue.put(None)

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        page = load_page()
        if request.path.startswith("/tv_mirror"):
            _reply(request, 200, page.html.encode(), "text/html")
        elif request.path == "/cameras":
            _reply(request, self.cameras_status, CAMERAS, "application/json")
        elif request.path == "/healthz":
            version = self.version or page.version
            _reply(request, 200, f'{{"page_version": "{version}"}}'.encode(), "application/json")
        elif request.path.startswith("/stream/"):
            self._stream(request)
        else:
            _reply(request, 404, b"{}", "application/json")

    def _stream(self, request: BaseHTTPRequestHandler) -> None:
        self.streams += 1
        if self.status != 200:
            _reply(request, self.status, b"no", "text/plain")
            return
        queue = self._queue = Queue()
        request.send_response(200)
        request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=b")
        request.end_headers()
        self.open_streams += 1
        while (data := _next(queue)) is not None:
            request.wfile.write(data)


def _next(queue: Queue[bytes | None]) -> bytes | None:
    try:
        return queue.get(timeout=30)
    except Empty:
        return None


def _reply(request: BaseHTTPRequestHandler, status: int, body: bytes, kind: str) -> None:
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Yield one that answers."""
    hub = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                hub.answer(self)
            except OSError:
                pass

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        hub.url = f"http://127.0.0.1:{server.server_port}/tv_mirror.html"
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield hub
        finally:
            hub.end_stream()
            server.shutdown()
