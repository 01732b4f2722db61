"""A real HTTP server on loopback that hands out one file, and misbehaves as told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_PIECE = 16 * 1024


@dataclass
class Behaviour:
    """How the server treats requests.

    Attributes:
        data: the file.
        etag: sent with it; None for none.
        last_modified: sent with it; None for none.
        has_ranges: whether it knows the header Range.
        cuts: after how many bytes of a body each next answer ends, in order.
        statuses: answers to the next requests, in order, before the file is sent.
        declared: what Content-Length claims; None for the truth.
        has_length: whether it says the length at all (else the connection's end is the file's).
        is_chunked: whether it sends the body in chunks (RFC 9112, 7.1).
        location: where the next requests are redirected, in order.
        retry_after: sent with a status.
        encoding: a Content-Encoding to claim.
        hang_s: silence before the answers.
        wrong_range: answers 206 with another range than asked.
    """

    data: bytes
    etag: str | None = '"one"'
    last_modified: str | None = None
    has_ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    declared: int | None = None
    has_length: bool = True
    is_chunked: bool = False
    location: list[str] = field(default_factory=list)
    retry_after: str | None = None
    encoding: str | None = None
    hang_s: float = 0.0
    wrong_range: bool = False
    requests: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    gate: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    behaviour: Behaviour

    def do_GET(self) -> None:
        told = self.behaviour
        told.requests.append({name.lower(): value for name, value in self.headers.items()})
        self.close_connection = True
        if told.hang_s:
            told.gate.wait(told.hang_s)
            return
        if told.location:
            self._head(302, {"Location": told.location.pop(0), "Content-Length": "0"})
        elif told.statuses:
            extra = {"Retry-After": told.retry_after} if told.retry_after else {}
            self._head(told.statuses.pop(0), {"Content-Length": "0", **extra})
        else:
            self._send_file(told)

    def _send_file(self, told: Behaviour) -> None:
        start = self._asked_start(told)
        if start is not None and start >= len(told.data):
            total = {"Content-Range": f"bytes */{len(told.data)}", "Content-Length": "0"}
            self._head(416, total)
            return
        body = told.data[start or 0 :]
        headers = {}
        if told.etag:
            headers["ETag"] = told.etag
        if told.last_modified and start is None:
            headers["Last-Modified"] = told.last_modified
        if told.encoding:
            headers["Content-Encoding"] = told.encoding
        if told.has_length:
            headers["Content-Length"] = str(len(body) if told.declared is None else told.declared)
        if start is not None:
            first = start + 1 if told.wrong_range else start
            headers["Content-Range"] = f"bytes {first}-{len(told.data) - 1}/{len(told.data)}"
        if told.is_chunked:
            headers["Transfer-Encoding"] = "chunked"
        self._head(200 if start is None else 206, headers)
        cut = told.cuts.pop(0) if told.cuts else None
        self._send(told, body[:cut])
        if told.is_chunked and cut is None:
            self.wfile.write(b"0\r\n\r\n")

    def _asked_start(self, told: Behaviour) -> int | None:
        """Return where the body begins; None for the whole file (RFC 9110, 13.1.5 and 14.2)."""
        asked, condition = self.headers.get("Range"), self.headers.get("If-Range")
        if not told.has_ranges or asked is None:
            return None
        if condition is not None and condition not in (told.etag, told.last_modified):
            return None
        return int(asked.removeprefix("bytes=").removesuffix("-"))

    def _send(self, told: Behaviour, body: bytes) -> None:
        try:
            for offset in range(0, len(body), _PIECE):
                piece = body[offset : offset + _PIECE]
                frame = b"%x\r\n%b\r\n" % (len(piece), piece) if told.is_chunked else piece
                self.wfile.write(frame)
                told.sent += len(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serve(behaviour: Behaviour, name: str = "model.gguf") -> Iterator[str]:
    """Yield the URL of the file while the server runs."""
    handler = type("Handler", (_Handler,), {"behaviour": behaviour})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/{name}"
    finally:
        behaviour.gate.set()
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()
