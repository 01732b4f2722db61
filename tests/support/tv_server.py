"""A box for TV pages that does what a test tells it to: the routes of tv_api, and every way they can go wrong."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "tv_ui" / "tv.html"
LOOP = ROOT / "fallback" / "loop_silencioso.mp4"
_VIDEO, _PICTURE, _JSON = "video/mp4", "image/jpeg", "application/json"
_PIECE = 1024
_NEVER_S = 120.0
HEAD_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 21 21"><path fill="#fff" d="M0 0h21v21H0z"/>'
    '<path d="M1 1h7v7H1zM13 1h7v7h-7zM1 13h7v7H1zM10 10h3v3h-3z"/></svg>'
)


@dataclass(frozen=True)
class Fault:
    """How answers go wrong; what is not set is as it should be.

    Attributes:
        status: instead of 200.
        body: instead of the right one.
        content_type: instead of the right one.
        cut: send so many bytes of what was promised, then close.
        bytes_per_s: no faster than this.
        delay_s: before the answer begins.
        hangs_after: send so many bytes, then nothing with the connection open.
    """

    status: int = 200
    body: bytes | None = None
    content_type: str | None = None
    cut: int | None = None
    bytes_per_s: int | None = None
    delay_s: float = 0.0
    hangs_after: int | None = None


GOOD = Fault()


@dataclass
class Answer:
    """What is served at a path."""

    body: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


class TvServer:
    """A server on loopback whose port stays its own while it is down.

    Attributes:
        items: of the playlist, in order.
        valid_s: of the playlist.
        playlist_age: what ``X-VV-Playlist-Age`` says.
        page_extra: appended to the page, which makes it a new version.
        shorten_fade: serve a page whose cross-fades are over at once, to see many switches.
        faults: by the beginning of a path, the longest counts.
        asked: how often a path was asked for.
        heartbeats: bodies, in order.
    """

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []
        self.valid_s = 300
        self.playlist_age = "1"
        self._page = PAGE.read_bytes()
        self.page_extra = b""
        self.shorten_fade = False
        self.server_time = "2026-11-21T05:03:04Z"
        self.files: dict[str, Answer] = {
            "/fallback/loop_silencioso.mp4": Answer(LOOP.read_bytes(), _VIDEO)
        }
        self.files["/log/head.svg"] = Answer(HEAD_SVG.encode(), "image/svg+xml")
        self.faults: dict[str, Fault] = {}
        self.asked: Counter[str] = Counter()
        self.heartbeats: list[dict[str, Any]] = []
        self._thawed = threading.Event()
        self._thawed.set()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    # -- what a test does ------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Answer, on the same port as before."""
        handler = type("Handler", (_Handler,), {"box": self})
        server = _Server(("127.0.0.1", self.port), handler)
        self.port = server.server_address[1]
        self._server = server
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def up_again(self) -> None:
        """Answer, if it does not yet."""
        if self._server is None:
            self.up()

    def down(self) -> None:
        """Refuse connections, and end those that are open, as a machine does whose process is killed."""
        server, self._server = self._server, None
        if server is None:
            return
        server.shutdown()
        server.server_close()
        with self._lock:
            left = list(self._open)
        for connection in left:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def freeze(self) -> None:
        """Take connections and questions, and answer nothing."""
        self._thawed.clear()

    def thaw(self) -> None:
        """Answer again, what waits too."""
        self._thawed.set()

    def add_clip(self, data: bytes, **fields: Any) -> dict[str, Any]:
        """Serve a clip by its hash and return an item of it, not yet in `items`."""
        name = hashlib.sha256(data).hexdigest()
        self.files[f"/media/{name}.mp4"] = Answer(data, _VIDEO)
        return make_item(name[:12], media=f"/media/{name}.mp4", bytes=len(data), **fields)

    def add_poster(self, data: bytes) -> str:
        """Serve a picture by its hash and return its path."""
        path = f"/posters/{hashlib.sha256(data).hexdigest()}.jpg"
        self.files[path] = Answer(data, _PICTURE)
        return path

    def page(self) -> bytes:
        """Return the page as it is served."""
        return self._raw_page().replace(b"__PAGE_VERSION__", self.page_version.encode())

    @property
    def page_version(self) -> str:
        """The version that the page has now."""
        return hashlib.sha256(self._raw_page()).hexdigest()[:16]

    def _raw_page(self) -> bytes:
        raw = self._page + self.page_extra
        if self.shorten_fade:
            for long, short in (
                (b"FADE_MS = 450", b"FADE_MS = 60"),
                (b"opacity .4s linear", b"opacity .04s linear"),
            ):
                if raw.count(long) != 1:
                    raise ValueError(f"the page has no single {long!r}")
                raw = raw.replace(long, short)
        return raw

    # -- what the handler asks -------------------------------------------------------------------

    def fault_of(self, path: str) -> Fault:
        """Return what goes wrong at a path."""
        fitting = [prefix for prefix in self.faults if path.startswith(prefix)]
        return self.faults[max(fitting, key=len)] if fitting else GOOD

    def answer_of(self, path: str) -> Answer | None:
        """Return what is right at a path."""
        if path in ("/tv", "/tv.html"):
            body = self.page()
            return Answer(
                body, "text/html; charset=utf-8", {"Content-Security-Policy": _policy(body)}
            )
        if path == "/healthz":
            told = {
                "status": "ok",
                "page_version": self.page_version,
                "server_time": self.server_time,
            }
            return Answer(json.dumps(told).encode(), _JSON)
        if path.startswith("/playlists/"):
            return self._playlist(path.removeprefix("/playlists/"))
        return self.files.get(path)

    def _playlist(self, tv: str) -> Answer:
        document = {
            "schema": "vv.playlist/2",
            "tv": tv,
            "generated": self.server_time,
            "window": {"from": "2026-11-20T05:03:04Z", "to": self.server_time},
            "valid_s": self.valid_s,
            "loop": True,
            "items": self.items,
        }
        body = json.dumps(document).encode()
        headers = {
            "ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"',
            "X-VV-Server-Time": self.server_time,
            "X-VV-Playlist-Age": self.playlist_age,
            "X-VV-Page-Version": self.page_version,
        }
        return Answer(body, _JSON, headers)

    def wait_while_frozen(self) -> None:
        """Return when it may answer."""
        self._thawed.wait(_NEVER_S)

    def note_open(self, connection: socket.socket) -> None:
        """Remember a connection."""
        with self._lock:
            self._open.add(connection)

    def note_closed(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._lock:
            self._open.discard(connection)


def make_item(name: str, **fields: Any) -> dict[str, Any]:
    """Return an item of a playlist; fields are put over what it has by itself."""
    item = {
        "logline_id": f"2026-11-21-{name}",
        "media": None,
        "bytes": None,
        "poster": None,
        "title": "Duas pessoas na entrada",
        "caption": "Duas pessoas chegam à porta da frente às 02:03 e entram.",
        "camera": "entrada",
        "start": "2026-11-21T05:03:04Z",
        "start_local": "2026-11-21T02:03:04-03:00",
        "duration_s": 3,
        "status": "confirmado",
        "priority": 0,
        "verified": True,
    }
    return {**item, **fields}


def _policy(page: bytes) -> str:
    """Return the strict policy: the page's own script and style by their hash, nothing else."""

    def of(tag: bytes) -> str:
        (content,) = re.findall(b"<%b>(.*?)</%b>" % (tag, tag), page, re.DOTALL)
        return f"'sha256-{base64.b64encode(hashlib.sha256(content).digest()).decode()}'"

    return (
        f"default-src 'none'; script-src {of(b'script')}; style-src {of(b'style')}; connect-src 'self'; "
        "media-src 'self' blob: data:; img-src 'self' blob: data:; frame-ancestors 'none'; base-uri 'none'"
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: connections that end early are what is tested."""


class _Handler(BaseHTTPRequestHandler):
    box: TvServer
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.box.note_open(self.connection)

    def finish(self) -> None:
        self.box.note_closed(self.connection)
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.box.wait_while_frozen()
        if self.path.endswith("/heartbeat"):
            self.box.heartbeats.append(json.loads(body))
        self._head(204, {})

    def do_GET(self) -> None:
        box, path = self.box, self.path.partition("?")[0]
        box.asked[path] += 1
        box.wait_while_frozen()
        fault, answer = box.fault_of(path), box.answer_of(path)
        time.sleep(fault.delay_s)
        if answer is None:
            fault, answer = replace(fault, status=404), Answer(b"", _JSON)
        body = answer.body if fault.body is None else fault.body
        headers = {**answer.headers, "Content-Type": fault.content_type or answer.content_type}
        tag = headers.get("ETag")
        if fault.status == 200 and tag and self.headers.get("If-None-Match") == tag:
            self._head(304, headers)
            return
        status, body, extra = self._ranged(fault.status, body)
        self._head(status, {**headers, **extra, "Content-Length": str(len(body))})
        self._send(body, fault)

    def _ranged(self, status: int, body: bytes) -> tuple[int, bytes, dict[str, str]]:
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if status != 200 or not asked:
            return status, body, {"Accept-Ranges": "bytes"}
        first, last = int(asked[1]), min(int(asked[2] or len(body)), len(body) - 1)
        part = body[first : last + 1]
        return 206, part, {"Content-Range": f"bytes {first}-{last}/{len(body)}"}

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, body: bytes, fault: Fault) -> None:
        for offset in range(0, len(body), _PIECE):
            if fault.cut is not None and offset >= fault.cut:
                self.close_connection = True
                return
            if fault.hangs_after is not None and offset >= fault.hangs_after:
                time.sleep(_NEVER_S)
            self.wfile.write(body[offset : offset + _PIECE])
            if fault.bytes_per_s:
                time.sleep(_PIECE / fault.bytes_per_s)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def serve_tv() -> Iterator[TvServer]:
    """Yield a server that is up."""
    server = TvServer()
    server.up()
    try:
        yield server
    finally:
        server.thaw()
        server.down()
