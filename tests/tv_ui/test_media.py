"""Clips over HTTP: parts, headers, and never a byte that is not the clip's."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tlog_writing.logs import LogBox
from tests.tv_ui import boxes
from tests.tv_ui.boxes import Served, alerts_of, client, put_as_is, put_made, served, sha_of
from tests.tv_ui.test_chunk_table import content_of
from tv_ui import media_store
from tv_ui.chunk_table import CHUNK_BYTES
from tv_ui.media_store import find_media

DATA = content_of(700_001)
SHA = sha_of(DATA)
URL = f"/media/{SHA}.mp4"


@pytest.fixture
def box(tmp_path: Path) -> LogBox:
    return boxes.new_box(tmp_path)


@pytest.mark.parametrize("put", [put_made, put_as_is])
def test_a_clip_is_sent_by_its_content(box: LogBox, put: Callable[..., Path]) -> None:
    put(box.settings.storage, DATA)
    with client(box) as api:
        whole = api.get(URL)
    assert (whole.status_code, whole.content) == (200, DATA)
    assert whole.headers["etag"] == f'"{SHA}"'
    assert whole.headers["accept-ranges"] == "bytes"
    assert whole.headers["content-type"] == "video/mp4"
    assert whole.headers["content-length"] == str(len(DATA))
    assert whole.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert whole.headers["x-content-type-options"] == "nosniff"


def test_parts_are_sent_as_asked(box: LogBox) -> None:
    put_made(box.settings.storage, DATA)
    size = len(DATA)
    with client(box) as api:
        for raw, start, end in [
            ("bytes=0-", 0, size),
            ("bytes=0-0", 0, 1),
            (f"bytes={CHUNK_BYTES - 1}-{CHUNK_BYTES}", CHUNK_BYTES - 1, CHUNK_BYTES + 1),
            (f"bytes={2 * CHUNK_BYTES}-", 2 * CHUNK_BYTES, size),
            ("bytes=-5", size - 5, size),
        ]:
            part = api.get(URL, headers={"Range": raw})
            assert part.status_code == 206
            assert part.content == DATA[start:end]
            assert part.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
            assert part.headers["content-length"] == str(end - start)
        beyond = api.get(URL, headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.content) == (416, b"")
        assert beyond.headers["content-range"] == f"bytes */{size}"
        assert "immutable" not in beyond.headers["cache-control"]
        for name in (f'"{SHA}"', '"other"'):
            part = api.get(URL, headers={"Range": "bytes=1-2", "If-Range": name})
            assert part.status_code == (206 if SHA in name else 200)


def test_a_clip_that_a_client_has_is_not_sent_again(box: LogBox) -> None:
    put_made(box.settings.storage, DATA)
    with client(box) as api:
        for known in (f'"{SHA}"', f'"x", W/"{SHA}"', "*"):
            again = api.get(URL, headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == f'"{SHA}"'


def test_head_tells_and_sends_nothing(box: LogBox) -> None:
    put_made(box.settings.storage, DATA)
    with served(boxes.app_of(box)) as api:
        head = api.get(URL, "HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(DATA))
        part = api.get(URL, "HEAD", Range="bytes=1-3")
        assert (part.status, part.headers["content-length"]) == (206, "3")


def test_an_empty_file_is_an_empty_clip(box: LogBox) -> None:
    put_made(box.settings.storage, b"")
    with client(box) as api:
        assert api.get(f"/media/{sha_of(b'')}.mp4").content == b""


@pytest.mark.parametrize(
    "name",
    [
        "0" * 64, "0" * 63, "A" * 64, "g" * 64, "", "..%2f..%2fetc%2fpasswd", f"{'0' * 64}%00",
        f"..%2ftv_curado%2f{SHA}", f"{SHA}.mp4%0a",
    ],
)  # fmt: skip
def test_there_is_no_other_clip(box: LogBox, name: str) -> None:
    put_made(box.settings.storage, DATA)
    with client(box) as api:
        response = api.get(f"/media/{name}.mp4")
        assert response.status_code == 404
        assert str(box.home) not in response.text
        assert api.post(URL).status_code == 405


def test_what_is_no_regular_file_is_not_opened(box: LogBox) -> None:
    storage = box.settings.storage
    secret = box.home / "secret"
    secret.write_bytes(DATA)
    place = storage.tv_curado / f"{SHA}.mp4"
    place.symlink_to(secret)
    assert find_media(storage, SHA) is None, "a link is not followed, even to the right bytes"
    place.unlink()
    os.mkfifo(place)
    assert find_media(storage, SHA) is None, "and a pipe keeps nobody waiting"
    place.unlink()
    place.mkdir()
    assert find_media(storage, SHA) is None
    place.rmdir()
    put_as_is(storage, DATA)
    (storage.processed / "porta").rename(box.home / "porta")
    (storage.processed / "porta").symlink_to(box.home / "porta")
    assert find_media(storage, SHA) is None, "nor is a folder that is a link"


def test_a_record_that_cannot_be_used_is_no_clip(box: LogBox) -> None:
    storage = box.settings.storage
    path = put_as_is(storage, DATA)
    record = storage.media / f"{SHA}.json"
    text = record.read_text()
    record.write_text("{")
    assert find_media(storage, SHA) is None
    record.write_text(text.replace("porta/a.mp4", "../secret"))
    assert find_media(storage, SHA) is None
    record.write_text(text)
    path.unlink()
    assert find_media(storage, SHA) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_clip_that_may_not_be_read_is_no_clip(box: LogBox) -> None:
    put_made(box.settings.storage, DATA).chmod(0)
    with client(box) as api:
        assert api.get(URL).status_code == 404


def flip(path: Path, at: int, mask: int, *, keep_time: bool) -> None:
    """Change one byte in place."""
    before = path.stat()
    with path.open("r+b") as stream:
        stream.seek(at)
        byte = stream.read(1)[0]
        stream.seek(at)
        stream.write(bytes([byte ^ mask]))
    if keep_time:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LogBox, Served]]:
    """Return one box for many clips."""
    box = boxes.new_box(tmp_path_factory.mktemp("box"))
    with served(boxes.app_of(box)) as api:
        yield box, api


@settings(max_examples=60)
@given(
    at=st.integers(0, len(DATA) - 1),
    mask=st.integers(1, 255),
    keep_time=st.booleans(),
    was_read=st.booleans(),
    first=st.one_of(st.just(0), st.integers(0, len(DATA) - 1)),
    put=st.sampled_from([put_made, put_as_is]),
)
def test_one_byte_flipped_is_never_sent(
    lasting: tuple[LogBox, Served], *,
    at: int, mask: int, keep_time: bool, was_read: bool, first: int, put: Callable[..., Path],
) -> None:  # fmt: skip
    box, api = lasting
    data = os.urandom(8) + DATA[8:]
    url = f"/media/{sha_of(data)}.mp4"
    path = put(box.settings.storage, data)
    if was_read:
        assert api.get(url).body == data
    flip(path, at, mask, keep_time=keep_time)
    chunk = at // CHUNK_BYTES
    for _ in range(3):
        part = api.get(url, Range=f"bytes={first}-")
        if part.status == 404:
            continue
        # Only what was proven may come, up to the chunk that is wrong.
        assert was_read
        assert part.body == data[first : first + len(part.body)]
        assert first + len(part.body) <= chunk * CHUNK_BYTES or chunk < first // CHUNK_BYTES
    assert not api.get(url).is_whole or api.get(url).status == 404
    assert api.get(url).status == 404
    assert alerts_of(box).count(("media_refused", sha_of(data))) == 1
    path.unlink()


def test_a_clip_that_goes_bad_while_it_is_read_is_cut_off(box: LogBox) -> None:
    data = content_of(40 * CHUNK_BYTES)
    path = put_made(box.settings.storage, data)
    url = f"/media/{sha_of(data)}.mp4"
    with served(boxes.app_of(box)) as api:
        assert api.get(url).body == data
        flip(path, 30 * CHUNK_BYTES + 7, 1, keep_time=True)
        cut = api.get(url)
        assert (cut.status, cut.is_whole) == (200, False)
        assert cut.body == data[: len(cut.body)]
        assert len(cut.body) <= 30 * CHUNK_BYTES
        assert api.get(url).status == 404, "it is known as wrong now"
        path.unlink()
        put_made(box.settings.storage, data)
        assert api.get(url).body == data, "another file of that name is looked at anew"
        path.write_bytes(data[:-1])
        assert api.get(url).status == 404
    assert alerts_of(box) == [("media_refused", sha_of(data))]


def test_a_file_that_is_replaced_while_it_is_read_stays_what_it_was(box: LogBox) -> None:
    storage = box.settings.storage
    path = put_made(storage, DATA)
    with client(box) as api:
        assert api.get(URL).content == DATA
        other = storage.tv_curado / "other"
        other.write_bytes(DATA)
        other.rename(path)
        assert api.get(URL).content == DATA
        path.write_bytes(b"x" * len(DATA))
        assert api.get(URL).status_code == 404


def test_a_hundred_first_readers_have_it_proven_once(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_made(box.settings.storage, DATA)
    gate, proven = threading.Event(), []
    hash_file = media_store._hash_file

    def hash_when_all_wait(*given: object) -> object:
        proven.append(given[1])
        assert gate.wait(60)
        return hash_file(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(media_store, "_hash_file", hash_when_all_wait)
    other = content_of(1000)
    put_made(box.settings.storage, other)
    with served(boxes.app_of(box)) as api, ThreadPoolExecutor(100) as pool:
        waiting = [pool.submit(api.get, URL) for _ in range(100)]
        while not proven:
            assert not any(each.done() for each in waiting)
            time.sleep(0.01)
        assert api.get("/healthz").status == 200, "nobody else waits"
        gate.set()
        assert api.get(f"/media/{sha_of(other)}.mp4").body == other
        assert all(each.result(60).body == DATA for each in waiting)
    assert proven == [SHA, sha_of(other)]


def test_who_leaves_does_not_stop_the_proof(box: LogBox) -> None:
    """A reader that goes away in the middle leaves nothing behind that the next one trips over."""
    data = content_of(20 * CHUNK_BYTES)
    put_made(box.settings.storage, data)
    url = f"/media/{sha_of(data)}.mp4"
    with served(boxes.app_of(box)) as api:
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", api.port), 60) as gone:
                gone.sendall(f"GET {url} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                gone.recv(1000)
        assert api.get(url).body == data


def test_an_end_of_the_program_gives_a_proof_up(box: LogBox) -> None:
    path = put_made(box.settings.storage, DATA)
    closing = threading.Event()
    closing.set()
    with path.open("rb") as stream, pytest.raises(media_store._Stopped):
        media_store._hash_file(stream.fileno(), SHA, closing)


def test_a_disk_that_fails_is_not_taken_for_a_wrong_clip(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_made(box.settings.storage, DATA)
    read_at = media_store.read_at
    with client(box) as api:

        def fail(*_: object) -> bytes:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(media_store, "read_at", fail)
        assert api.get(URL).status_code == 404
        monkeypatch.setattr(media_store, "read_at", read_at)
        assert api.get(URL).content == DATA
        monkeypatch.setattr("tv_ui.files.read_at", fail)
        assert api.get(URL).status_code == 404
        monkeypatch.undo()
        assert api.get(URL).content == DATA
    assert alerts_of(box) == []


def test_of_too_many_readers_the_last_are_told_to_come_again(
    box: LogBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tv_ui.media._MAX_READERS", 0)
    monkeypatch.setattr("tv_ui.media._PATIENCE_S", 0.01)
    put_made(box.settings.storage, DATA)
    with client(box) as api:
        busy = api.get(URL)
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "5")


def test_slots_are_given_back(box: LogBox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tv_ui.media._MAX_READERS", 1)
    monkeypatch.setattr("tv_ui.media._PATIENCE_S", 10)
    path = put_made(box.settings.storage, DATA)
    with served(boxes.app_of(box)) as api:
        for headers in (
            {},
            {"Range": "bytes=1-"},
            {"Range": "bytes=900000-"},
            {"If_None_Match": "*"},
        ):
            assert api.get(URL, **headers).status < 500
        assert api.get(URL, "HEAD").status == 200
        assert api.get("/media/x.mp4").status == 404
        assert api.get(f"/media/{'0' * 64}.mp4").status == 404
        flip(path, len(DATA) - 1, 1, keep_time=False)
        assert not api.get(URL).is_whole
        assert api.get(URL).status == 404
