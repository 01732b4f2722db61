"""A box with clips and pictures, and the API of it behind a real socket."""

from __future__ import annotations

import hashlib
import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi.testclient import TestClient

from tests.support.waiting import wait_for
from tests.tlog_writing.logs import LogBox, SteppedClock
from tv_ui.app import create_app
from tv_ui.tv_api import configure, open_listening
from vv_core.alerts import read_alerts
from vv_core.atomic import write_json_atomic
from vv_core.heartbeat import Heartbeat
from vv_core.media_record import Clip, MediaRecord, MediaState, write_media_record
from vv_core.paths import Storage
from vv_schemas import example_path

PAGE = "<!doctype html><style>a{}</style><script>let v='__PAGE_VERSION__';</script>"


def new_box(home: Path) -> LogBox:
    """Return a box with the folders of the services."""
    box = LogBox(home, SteppedClock(datetime.now(UTC).replace(microsecond=0)))
    storage = box.settings.storage
    for folder in (storage.services, storage.media, storage.tvs):
        folder.mkdir(parents=True, exist_ok=True)
    (home / "tv.html").write_text(PAGE)
    return box


def app_of(box: LogBox) -> Any:
    return create_app(box.settings, box.clock, box.home / "tv.html")


def client(box: LogBox, host: str = "127.0.0.1:8000") -> TestClient:
    return TestClient(app_of(box), base_url=f"http://{host}")


def beat(box: LogBox, problem: str = "", advice: str = "") -> None:
    """Have playlist_manager say that it works, or what is wrong."""
    path = box.settings.storage.services / "playlist_manager.json"
    Heartbeat("playlist_manager", box.clock.now(), 180.0, problem, advice).write(path)


def sha_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def put_made(storage: Storage, data: bytes) -> Path:
    """Put a clip where those lie that were made for TVs."""
    path = storage.tv_curado / f"{sha_of(data)}.mp4"
    path.write_bytes(data)
    return path


def put_as_is(storage: Storage, data: bytes, name: str = "porta/a.mp4") -> Path:
    """Put a video where processed ones lie, with a record that says that it plays as it is."""
    path = storage.processed / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    sha = sha_of(data)
    clip = Clip(sha, "processed", name, max(1, len(data)), 1000, 640, 360, "h264", None)
    write_media_record(storage, MediaRecord(sha, datetime.now(UTC), clip, MediaState.AS_IS))
    return path


def put_playlist(storage: Storage, name: str = "tv1", **item: Any) -> dict[str, Any]:
    """Write the example as a TV's playlist, its item changed as asked."""
    document: dict[str, Any] = json.loads(example_path("playlist").read_bytes())
    document["tv"] = name
    document["items"][0] |= item
    write_json_atomic(storage.playlists / f"{name}.json", document)
    return document


def alerts_of(box: LogBox) -> list[tuple[str, str]]:
    """Return code and subject of the alerts that the API left."""
    path = box.settings.storage.services / "alerts.jsonl"
    return [(str(each["code"]), str(each["subject"])) for each in read_alerts(path)]


@dataclass(frozen=True)
class Answer:
    """What came over the socket.

    Attributes:
        is_whole: the body has the length that was promised.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool


@dataclass(frozen=True)
class Served:
    """An API that answers."""

    port: int

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Ask once, on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(
                method,
                path,
                headers={name.replace("_", "-"): text for name, text in headers.items()},
            )
            response = connection.getresponse()
            told = {name.lower(): text for name, text in response.getheaders()}
            try:
                return Answer(response.status, told, response.read(), True)
            except http.client.IncompleteRead as exc:
                return Answer(response.status, told, exc.partial, False)
        finally:
            connection.close()


@contextmanager
def served(app: Any) -> Iterator[Served]:
    """Serve an application as the command does."""
    with open_listening("127.0.0.1:0") as listening:
        server = uvicorn.Server(configure(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            wait_for(lambda: server.started or not thread.is_alive(), "the server")
            assert server.started
            yield Served(listening.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(60)
            assert not thread.is_alive()
