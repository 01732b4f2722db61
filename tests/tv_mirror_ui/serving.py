"""The mirror inside the tests' process, really listening; and viewers of it."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from tests.support.waiting import PATIENCE_S, wait_for
from tv_mirror_ui.app import create_app
from tv_mirror_ui.cameras import Address, Camera, Kind
from tv_mirror_ui.hub import Hub
from tv_mirror_ui.logins import Login
from tv_mirror_ui.tv_mirror import open_listening
from vv_core.setting_fields import DEFAULT_HOSTS

FALLBACK = Path(__file__).resolve().parents[2] / "fallback"


def camera_at(url: str, name: str = "cam", **more: Any) -> Camera:
    """Return a camera of an address on loopback."""
    scheme, _, rest = url.partition("://")
    if scheme == "file":
        return Camera(name, name.title(), Address(Kind.FILE, rest), **more)
    host, port = rest.partition("/")[0].split(":")
    return Camera(name, name.title(), Address(Kind(scheme), url, host, int(port)), **more)


@dataclass(frozen=True)
class Picture:
    """One picture as a viewer gets it."""

    camera: str
    age_ms: int
    timestamp: float
    jpeg: bytes
    arrived: float


class View:
    """One viewer's stream."""

    def __init__(self, port: int, path: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self._connection.request("GET", path)
        self.response = self._connection.getresponse()

    def next(self) -> Picture:
        """Return the next picture."""
        fields = {}
        while line := self.response.readline().strip():
            name, _, value = line.decode().partition(":")
            fields[name.lower()] = value.strip()
        if "content-length" not in fields:
            assert not fields.keys() - {"--vv-mirror-frame"}
            return self.next()
        jpeg = self.response.read(int(fields["content-length"]))
        age, stamp = int(fields["x-age-ms"]), float(fields["x-timestamp"])
        assert self.response.readline() == b"\r\n"
        return Picture(fields["x-camera"], age, stamp, jpeg, time.time())

    def close(self) -> None:
        """Go away."""
        self.response.close()
        self._connection.close()


class Served:
    """A mirror that answers.

    Attributes:
        hub: its cameras.
        port: where it listens.
    """

    def __init__(self, hub: Hub, port: int) -> None:
        self.hub = hub
        self.port = port

    @contextmanager
    def watch(self, names: str, query: str = "") -> Iterator[View]:
        """Yield a viewer of some cameras."""
        view = View(self.port, f"/stream/{names}{query}")
        try:
            yield view
        finally:
            view.close()

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, dict[str, str], bytes]:
        """Return status, headers (lower case) and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, headers=dict(headers or {}))
            response = connection.getresponse()
            told = {name.lower(): value for name, value in response.getheaders()}
            return response.status, told, response.read()
        finally:
            connection.close()

    def state(self, name: str = "cam") -> dict[str, Any]:
        """Return what ``/state`` says of a camera."""
        cameras = json.loads(self.get("/state")[2])["cameras"]
        return next(each for each in cameras if each["name"] == name)

    def wait_for_state(self, state: str, name: str = "cam") -> dict[str, Any]:
        """Wait until a camera is so, and return what is said of it."""
        return wait_for(
            lambda: told if (told := self.state(name))["state"] == state else None, state
        )


@contextmanager
def serve(
    cameras: Sequence[Camera], logins: Mapping[str, Login] | None = None, linger_s: float = 0.5
) -> Iterator[Served]:
    """Yield a mirror that answers on a port of its own."""
    hub = Hub(cameras, logins or {}, linger_s)
    with open_listening("127.0.0.1:0") as listening:
        config = uvicorn.Config(
            create_app(hub, DEFAULT_HOSTS, FALLBACK),
            log_config=None,
            timeout_graceful_shutdown=1,
            lifespan="on",
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield Served(hub, int(listening.getsockname()[1]))
        finally:
            server.should_exit = True
            thread.join(PATIENCE_S)
    assert not thread.is_alive()
