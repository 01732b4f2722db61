"""Heads that leave the box without a witness's answer: QR code, USB stick, webhook, e-mail."""

from __future__ import annotations

import json
import os
import re
import threading
import xml.etree.ElementTree as ET
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_witness.boxes import START
from tests.tlog_witness.logs import (
    LOG_SIGNER,
    ORIGIN,
    head_of,
    key_of,
    plain_entries,
    write_log,
)
from vv_core.errors import InputDataError, InputMissingError
from vv_core.tlog.head_pictures import MAX_QR_BYTES, draw_png, draw_svg, write_pictures
from vv_core.tlog.heads import add_to_png, extract_note, png_text_chunk, read_heads
from vv_core.tlog.note import (
    NoteError,
    SignatureKind,
    Signer,
    add_signature_line,
    split_note,
)
from vv_core.tlog.own_log import OwnLog, open_own_log
from vv_core.tlog.witness_client import http_post
from vv_core.tlog.witness_webhook import head_document, send_head

HEAD = head_of(plain_entries(1234))


def cosigned(count: int) -> bytes:
    note = HEAD
    for number in range(count):
        signer = Signer(f"vv-witness/n{number}", key_of(50 + number), SignatureKind.COSIGNATURE_V1)
        note = add_signature_line(note, signer.sign(split_note(HEAD)[0], 1_790_000_000))
    return note


@pytest.mark.parametrize("witnesses", [0, 1, 4])
def test_a_camera_reads_the_qr_code(tmp_path: Path, witnesses: int) -> None:
    cv2 = pytest.importorskip("cv2")
    note = cosigned(witnesses)
    (tmp_path / "head.png").write_bytes(draw_png(note))
    picture = cv2.imread(str(tmp_path / "head.png"))
    texts = cv2.QRCodeDetector().detectAndDecodeBytes(picture)[0]
    assert bytes(texts) == note


def test_the_svg_shows_the_same_modules(tmp_path: Path) -> None:
    """Drawn from its paths by hand, the SVG decodes like the PNG."""
    cv2, np = pytest.importorskip("cv2"), pytest.importorskip("numpy")
    root = ET.fromstring(draw_svg(HEAD))
    size = int(root.attrib["width"])
    picture = np.full((size, size), 255, np.uint8)
    path = next(each for each in root.iter() if "stroke" in each.attrib)
    scale = 4
    x, y = 0.0, 0.0
    for command, numbers in re.findall(r"([Mmh])([-0-9. ]+)", path.attrib["d"]):
        values = [float(each) for each in re.findall(r"-?[0-9.]+", numbers)]
        if command == "h":
            row = int(y - 0.5) * scale
            picture[row : row + scale, int(x) * scale : int(x + values[0]) * scale] = 0
            x += values[0]
        else:
            x, y = (values[0], values[1]) if command == "M" else (x + values[0], y + values[1])
    assert bytes(cv2.QRCodeDetector().detectAndDecodeBytes(picture)[0]) == HEAD


def test_pictures_are_read_back_without_a_camera(tmp_path: Path) -> None:
    note = cosigned(2)
    for path in write_pictures(note, tmp_path / "tv" / "head"):
        assert read_heads(path) == [note]


def test_a_head_too_large_for_a_qr_code(tmp_path: Path) -> None:
    assert draw_png(b"x" * MAX_QR_BYTES)
    with pytest.raises(InputDataError, match="QR code takes"):
        draw_png(b"x" * (MAX_QR_BYTES + 1))


def test_a_scanned_text_may_have_lost_its_line_end() -> None:
    for text in (HEAD, HEAD.rstrip(), HEAD.replace(b"\n", b"\r\n"), HEAD + b"\n\n"):
        assert extract_note(text) == HEAD


NOT_HEADS: dict[str, bytes] = {
    "nothing": b"",
    "a text": b"hello\n",
    "a PNG without one": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "a PNG with endless chunks": b"\x89PNG\r\n\x1a\n" + b"\xff\xff\xff\xffiTXt" + b"x" * 100,
    "an SVG without one": b"<svg></svg>",
    "an SVG with something else": b"<svg><desc>hello</desc></svg>",
    "other JSON": b'{"checkpoint":"x"}',
    "a note that is none in JSON": b'{"schema":"vv.log-head/1","checkpoint":"x"}',
    "a number in JSON": b'{"schema":"vv.log-head/1","checkpoint":1}',
    "deep JSON": b'{"a":' * 50_000,
}


@pytest.mark.parametrize("name", NOT_HEADS)
def test_what_is_no_head(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_bytes(NOT_HEADS[name])
    with pytest.raises(NoteError):
        read_heads(tmp_path / "x")


@given(st.binary(max_size=100), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"<svg", b"{"]))
def test_junk_is_never_a_head(junk: bytes, start: bytes) -> None:
    with pytest.raises(NoteError):
        extract_note(start + junk)


def test_special_files_are_no_heads(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/etc/passwd")
    with (tmp_path / "huge").open("wb") as stream:
        stream.truncate(10**9)
    for name in ("fifo", "link", "huge"):
        with pytest.raises(NoteError):
            read_heads(tmp_path / name)
    with pytest.raises(InputMissingError):
        read_heads(tmp_path / "gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoteError, match="no head lies"):
        read_heads(tmp_path / "empty")


def test_a_chunk_goes_right_after_the_header() -> None:
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0dIHDR" + b"h" * 13 + b"crc!" + b"rest"
    assert add_to_png(png, HEAD) == png[:33] + png_text_chunk(HEAD) + b"rest"


@pytest.fixture
def log(tmp_path: Path) -> OwnLog:
    return write_log(tmp_path / "log", plain_entries(300))


class Hook(HTTPServer):
    """A webhook on this machine."""

    def __init__(self, status: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.status = status
        self.received: list[bytes] = []


class Answer(BaseHTTPRequestHandler):
    """Keeps what is sent."""

    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append(body)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.integration
@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
def test_a_webhook_gets_the_head(log: OwnLog, tmp_path: Path) -> None:
    with Hook(204) as hook, Hook(500) as broken:
        threads = [
            threading.Thread(target=each.serve_forever, kwargs={"poll_interval": 0.01})
            for each in (hook, broken)
        ]
        for thread in threads:
            thread.start()
        urls = [
            f"http://user:secret@127.0.0.1:{hook.server_port}/in?token=secret",
            f"http://127.0.0.1:{broken.server_port}/secret",
            "http://127.0.0.1:1/secret",
            f"json://127.0.0.1:{hook.server_port}/",
            f"json://127.0.0.1:{broken.server_port}/",
        ]
        sent = send_head(log, urls, http_post(5), START)
        for each in (hook, broken):
            each.shutdown()
        for thread in threads:
            thread.join()
    assert [bool(each.error) for each in sent] == [False, True, True, False, True]
    assert "secret" not in str(sent)
    (tmp_path / "kept.json").write_bytes(hook.received[0])
    assert read_heads(tmp_path / "kept.json") == [log.note]
    told: dict[str, Any] = json.loads(hook.received[1])
    assert log.note.decode().strip() in told["message"]


def test_the_webhooks_document_is_the_head(log: OwnLog) -> None:
    document = head_document(log, START)
    assert document["size"] == 300
    assert document["time"] == "2026-11-21T05:03:04Z"
    assert extract_note(json.dumps(document).encode()) == log.note


def test_there_is_no_log_yet(tmp_path: Path) -> None:
    with pytest.raises(InputMissingError, match="no log"):
        open_own_log(tmp_path)


def test_a_head_of_another_key_is_not_ours(log: OwnLog) -> None:
    (log.reader.folder / "checkpoint").write_bytes(
        head_of(plain_entries(300), Signer(ORIGIN, key_of(4)))
    )
    with pytest.raises(NoteError):
        open_own_log(log.reader.folder)
    assert LOG_SIGNER.verifier == log.verifier
