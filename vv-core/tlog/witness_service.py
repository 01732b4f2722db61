"""The witness as a small HTTP service (C2SP ``tlog-witness``), on the standard library.

Built for a second box in the same building: a handful of logs, a request a minute. Each request has a
time and a size limit of its own, and only so many are served at once; whoever wants TLS or access rules
puts nginx in front.
"""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from vv_core.errors import ConfigError, VvError, from_oserror
from vv_core.logs import get_logger, printable
from vv_core.tlog.note import Signer, format_vkey
from vv_core.tlog.witness import TEXT_TYPE, Answer, Witness
from vv_core.tlog.witness_decision import MAX_REQUEST_BYTES

ADD_CHECKPOINT = "/add-checkpoint"
REQUEST_S = 10.0
"""Longest time for one request, from its first byte expected to its last."""
MAX_CONCURRENT = 16
_MAX_CONNECTION_BYTES = 64 * 1024
"""Read for one request, headers and what was read ahead included."""
_BUSY = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_FAREWELL_S = 0.2
"""Longest time for a client that is turned away: it holds up those behind it."""
_MAX_DIGITS = 9


class WitnessServer(ThreadingHTTPServer):
    """Listens; one thread for each connection, at most `MAX_CONCURRENT`."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        witness: Witness,
        signer: Signer,
        *,
        request_s: float = REQUEST_S,
        max_concurrent: int = MAX_CONCURRENT,
    ) -> None:
        """Bind the address.

        Raises:
            ConfigError: it cannot be bound.
        """
        self.witness = witness
        self.vkey = format_vkey(signer.verifier)
        self.request_s = request_s
        self._slots = threading.BoundedSemaphore(max_concurrent)
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        try:
            super().__init__(address, WitnessHandler)
        except (OSError, OverflowError) as exc:
            raise ConfigError(
                f"the witness cannot listen on {address[0]} port {address[1]}: {exc}",
                advice="Set VV_WITNESS_LISTEN to an address of this box and a free port.",
            ) from exc

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve in a thread of its own, or say that too many are served."""
        if not self._slots.acquire(blocking=False):
            self._turn_away(request)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def _turn_away(self, request: socket.socket) -> None:
        """Say that too many are served, and read what the client still sends.

        Closed with something unread, the connection would be reset, and the answer lost with it.
        """
        sent = _LimitedReader(request, _FAREWELL_S)
        try:
            request.settimeout(_FAREWELL_S)
            request.sendall(_BUSY)
            request.shutdown(socket.SHUT_WR)
            while sent.readinto(bytearray(4096)):
                pass
        except OSError as exc:
            get_logger("witness").debug("a client was turned away: %s", exc)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection, and give its place free."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what a connection ended with; a client that goes away is nothing to report."""
        exc = sys.exc_info()[1]
        if isinstance(exc, OSError):
            get_logger("witness").debug("a client went away: %s", exc)
        else:
            get_logger("witness").error("a request failed: %r", exc, exc_info=exc)


class _LimitedReader(io.RawIOBase):
    """What a client sends for one request: until a moment, and up to a number of bytes."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self.restart()

    def restart(self) -> None:
        """Begin with the next request."""
        self._end = time.monotonic() + self._seconds
        self._left = _MAX_CONNECTION_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        if self._left <= 0:
            return 0
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self._left -= count
        return count


class WitnessHandler(BaseHTTPRequestHandler):
    """Speaks HTTP with one client."""

    protocol_version = "HTTP/1.1"
    server: WitnessServer

    def setup(self) -> None:
        """Read through limits."""
        super().setup()
        self.connection.settimeout(self.server.request_s)
        self._limited = _LimitedReader(self.connection, self.server.request_s)
        self.rfile = io.BufferedReader(self._limited)

    def handle_one_request(self) -> None:
        """Serve one request of the connection."""
        self._limited.restart()
        super().handle_one_request()

    def do_GET(self) -> None:
        """Say who this witness is."""
        if self.path in {"/", "/vkey"}:
            self._send(Answer(HTTPStatus.OK, f"{self.server.vkey}\n".encode()))
        else:
            self._send(Answer(HTTPStatus.NOT_FOUND, b"POST /add-checkpoint\n"))

    def do_POST(self) -> None:
        """Take a head, and cosign it or say why not."""
        body = self._read_body()
        if isinstance(body, Answer):
            # What follows on the connection cannot be told apart.
            self.close_connection = True
            self._send(body)
            return
        if self.path != ADD_CHECKPOINT:
            self._send(Answer(HTTPStatus.NOT_FOUND, b"POST /add-checkpoint\n"))
            return
        try:
            answer = self.server.witness.answer(body)
        except OSError as exc:
            answer = _failed(from_oserror(exc, "store the head"))
        except VvError as exc:
            answer = _failed(exc)
        self._send(answer)

    def _read_body(self) -> bytes | Answer:
        """Return the body, or why it cannot be taken."""
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not length:
            return Answer(HTTPStatus.LENGTH_REQUIRED, b"Content-Length is needed\n")
        if not length.isascii() or not length.isdigit() or len(length) > _MAX_DIGITS:
            return Answer(HTTPStatus.BAD_REQUEST, b"Content-Length is not a number\n")
        if int(length) > MAX_REQUEST_BYTES:
            text = f"at most {MAX_REQUEST_BYTES} bytes\n".encode()
            return Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return Answer(HTTPStatus.BAD_REQUEST, b"the body is shorter than announced\n")
        return body

    def _send(self, answer: Answer) -> None:
        self.connection.settimeout(self.server.request_s)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        """Return what the ``Server`` header says; no versions."""
        return "vv-witness"

    def log_message(self, format: str, *args: Any) -> None:
        """Log to the product's log, without control characters."""
        text = printable(format % args)
        get_logger("witness").debug("%s %s", self.client_address[0], text)


def _failed(exc: VvError) -> Answer:
    """Say to the log what failed, and to the client only that it did."""
    get_logger("witness").error("%s → %s", exc.message, exc.advice)
    return Answer(
        HTTPStatus.SERVICE_UNAVAILABLE, b"the witness cannot store heads now\n", TEXT_TYPE
    )
