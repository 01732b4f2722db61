"""A socket in front of the engine's, which a test can close: the engine goes away, for one box only."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path

_CHUNK = 64 * 1024


class EngineProxy:
    """Passes bytes between clients and the engine until it is closed.

    Attributes:
        host: its address, for ``DOCKER_HOST``.
    """

    def __init__(self, path: Path) -> None:
        """Take the socket's path; `open` makes it."""
        self._path = path
        self._engine = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.host = f"unix://{path}"

    def open(self) -> None:
        """Listen, for any user."""
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(self._path))
        self._path.chmod(0o666)
        self._listener.listen()
        threading.Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Stop listening and cut every connection."""
        self._path.unlink(missing_ok=True)
        listener, self._listener = self._listener, None
        if listener is not None:
            _cut(listener)
        with self._lock:
            while self._connections:
                _cut(self._connections.pop())

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                engine.connect(self._engine.removeprefix("unix://"))
                with self._lock:
                    self._connections += [client, engine]
                for ends in ((client, engine), (engine, client)):
                    threading.Thread(target=_pass_on, args=ends, daemon=True).start()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until the source ends; the other direction lives on."""
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


def _cut(connection: socket.socket) -> None:
    # What waits in accept() or recv() wakes up by this, not by close().
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
