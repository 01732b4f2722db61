"""The peer of bench/mirror.py: the usual MJPEG forwarder, a thread for each viewer.

    python bench/mirror_peer.py CAMERA_PORT

It prints its port. One thread reads the camera and gives each viewer's thread the newest picture; nothing is checked.
"""

from __future__ import annotations

import http.client
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_new = threading.Condition()
_latest = b""


def _read(port: int) -> None:
    global _latest  # noqa: PLW0603 - the slot
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/")
    response = connection.getresponse()
    while line := response.readline():
        if line.lower().startswith(b"content-length:"):
            response.readline()
            body = response.read(int(line.split(b":")[1]))
            with _new:
                _latest = body
                _new.notify_all()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=f")
        self.end_headers()
        while True:
            with _new:
                _new.wait()
                body = _latest
            head = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(body)
            try:
                self.wfile.write(head + body + b"\r\n")
            except OSError:
                return

    def log_message(self, *_: Any) -> None:
        pass


def main() -> None:
    """Serve until ended."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    threading.Thread(target=_read, args=(int(sys.argv[1]),), daemon=True).start()
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
