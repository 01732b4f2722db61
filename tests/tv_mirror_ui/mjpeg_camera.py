"""A real camera that sends JPEGs over HTTP, on loopback, and misbehaves as told."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.tv_mirror_ui.pictures import make_jpeg


def make_frame(number: int) -> bytes:
    """Return a picture whose colour changes with its number."""
    return make_jpeg(colour=(60 + number % 8 * 20, 40, 200 - number % 8 * 20))


@dataclass
class Behaviour:
    """How the camera is.

    Attributes:
        fps: pictures a second.
        frame: makes the picture of a number.
        is_stalled: it is connected and says nothing.
        content_type: of its stream.
        login: user and password, "basic" or "digest".
        location: where it redirects to.
        most: pictures until it ends the stream.
        connections: streams so far.
        open: streams now.
        requests: headers "Authorization" seen.
    """

    fps: float = 20.0
    frame: Callable[[int], bytes] = make_frame
    is_stalled: bool = False
    content_type: str = "multipart/x-mixed-replace; boundary=frame"
    login: tuple[str, str, str] | None = None
    location: str = ""
    most: int = 1_000_000
    connections: int = 0
    open: int = 0
    requests: list[str] = field(default_factory=list)


class _Handler(BaseHTTPRequestHandler):
    behaviour: Behaviour

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.end_headers()

    def do_GET(self) -> None:
        told = self.behaviour
        given = self.headers.get("Authorization", "")
        told.requests.append(given)
        if told.location:
            self.send_response(302)
            self.send_header("Location", told.location)
            self.end_headers()
        elif told.login and not _is_right(given, told.login, self.path):
            self.send_response(401)
            kind = told.login[2]
            extra = ', nonce="abc", qop="auth"' if kind == "digest" else ""
            self.send_header("WWW-Authenticate", f'{kind.title()} realm="cam"{extra}')
            self.end_headers()
        else:
            self._stream(told)

    def _stream(self, told: Behaviour) -> None:
        told.connections += 1
        told.open += 1
        try:
            self.send_response(200)
            self.send_header("Content-Type", told.content_type)
            self.end_headers()
            for number in range(told.most):
                while told.is_stalled:
                    time.sleep(0.02)
                body = told.frame(number)
                head = f"--frame\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body + b"\r\n")
                time.sleep(1 / told.fps)
        except OSError:
            pass
        finally:
            told.open -= 1

    def log_message(self, *_: Any) -> None:
        pass


def _is_right(given: str, login: tuple[str, str, str], path: str) -> bool:
    user, password, kind = login
    if kind == "basic":
        return given == "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    if not given.startswith("Digest "):
        return False
    pairs = (part.strip().split("=", 1) for part in given[7:].split(","))
    said = {name: value.strip('"') for name, value in pairs}
    first = hashlib.md5(f"{user}:cam:{password}".encode()).hexdigest()
    second = hashlib.md5(f"GET:{path}".encode()).hexdigest()
    text = f"{first}:abc:{said['nc']}:{said['cnonce']}:auth:{second}"
    return said["response"] == hashlib.md5(text.encode()).hexdigest()


class MjpegCamera:
    """One camera that can be switched off and on again at the same address."""

    def __init__(self) -> None:
        self.behaviour = Behaviour()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where its stream is."""
        return f"http://127.0.0.1:{self.port}/video"

    def switch_on(self) -> None:
        """Listen."""
        handler = type("Handler", (_Handler,), {"behaviour": self.behaviour})
        self._server = _Server(("127.0.0.1", self.port), handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def switch_off(self) -> None:
        """Listen no more and cut all connections."""
        if self._server is not None:
            self.behaviour.is_stalled = False
            self._server.shutdown()
            self._server.cut()
            self._server.server_close()
            self._server = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, *arguments: Any) -> None:
        self._connections: list[Any] = []
        super().__init__(*arguments)

    def get_request(self) -> tuple[Any, Any]:
        request, address = super().get_request()
        self._connections.append(request)
        return request, address

    def cut(self) -> None:
        for each in self._connections:
            try:
                each.shutdown(2)
            except OSError:
                continue

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def mjpeg_camera() -> Iterator[MjpegCamera]:
    """Yield a camera that is on."""
    camera = MjpegCamera()
    camera.switch_on()
    try:
        yield camera
    finally:
        camera.switch_off()
