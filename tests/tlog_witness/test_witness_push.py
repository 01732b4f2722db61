"""The box's side: heads go to real witnesses, come back cosigned, and what fails waits on disk."""

from __future__ import annotations

import fcntl
import http.server
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tlog_witness.boxes import START, StepClock, serving
from tests.tlog_witness.logs import LOG_SIGNER, ORIGIN, key_of, plain_entries, write_log
from vv_core.errors import TemporaryError, UnavailableError
from vv_core.tlog.checkpoint import Checkpoint
from vv_core.tlog.note import SignatureKind, Signer, open_note
from vv_core.tlog.own_log import LogContradiction, OwnLog
from vv_core.tlog.witness_client import Response, WitnessUnavailable, http_post, submit_head
from vv_core.tlog.witness_files import WitnessPeer
from vv_core.tlog.witness_push import PushResult, push_head
from vv_core.tlog.witness_receipts import read_receipts, receipt_path, store_receipt
from vv_core.tlog.witness_records import (
    LONGEST_WAIT,
    PushRecord,
    is_due,
    next_wait,
    read_records,
    record_failure,
)

pytestmark = pytest.mark.integration

POST = http_post(5.0)
STATE = "push/witness-push.json"


def make_log(home: Path, size: int, fork_at: int | None = None) -> OwnLog:
    name = f"log-{size}-{fork_at}"
    return write_log(home / name, plain_entries(size, fork_at))


def push(
    log: OwnLog, peers: list[WitnessPeer], home: Path, clock: StepClock, *, now: bool = False
) -> list[PushResult]:
    return push_head(log, peers, home / STATE, POST, clock, ignores_waits=now)


def test_heads_come_back_cosigned(tmp_path: Path) -> None:
    clock = StepClock()
    with serving(tmp_path / "w") as (_, peer):
        for size in (1, 5, 300, 700):
            log = make_log(tmp_path, size)
            assert push(log, [peer], tmp_path, clock) == [PushResult("sala-2", "cosigned", size)]
            assert push(log, [peer], tmp_path, clock) == [PushResult("sala-2", "current", size)]
            note = open_note(
                receipt_path(log.reader.folder, "sala-2").read_bytes(),
                [LOG_SIGNER.verifier, peer.verifier],
            )
            assert len(note.verified) == 2
            (receipt,) = read_receipts(log, [peer])
            assert (receipt.name, receipt.size) == ("sala-2", size)
            assert receipt.when.endswith("Z")


def test_what_the_box_forgot_the_witness_knows(tmp_path: Path) -> None:
    clock = StepClock()
    with serving(tmp_path / "w") as (_, peer):
        push(make_log(tmp_path, 5), [peer], tmp_path, clock)
        (tmp_path / STATE).write_text("torn")
        assert push(make_log(tmp_path, 9), [peer], tmp_path, clock)[0].outcome == "cosigned"


CONTRADICTIONS: dict[str, tuple[int, int | None]] = {
    "an older backup": (6, None),
    "another history, longer": (12, 3),
    "another history, as long": (9, 3),
    "another history, shorter": (7, 3),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
@pytest.mark.parametrize("forgets", [False, True])
def test_a_contradiction_is_told(tmp_path: Path, name: str, forgets: bool) -> None:
    size, fork_at = CONTRADICTIONS[name]
    clock = StepClock()
    with serving(tmp_path / "w") as (_, peer):
        push(make_log(tmp_path, 9), [peer], tmp_path, clock)
        if forgets:
            (tmp_path / STATE).unlink()
        log = make_log(tmp_path, size, fork_at)
        (result,) = push(log, [peer], tmp_path, clock)
        assert result.outcome == "contradicted"
        assert result.advice
        assert read_records(tmp_path / STATE)["sala-2"].is_contradicted
        assert not receipt_path(log.reader.folder, "sala-2").exists()


def test_one_that_is_down_waits_and_stops_nobody(tmp_path: Path) -> None:
    clock = StepClock()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    down = WitnessPeer(
        "down",
        f"http://127.0.0.1:{port}",
        Signer("down", key_of(8), SignatureKind.COSIGNATURE_V1).verifier,
    )
    log = make_log(tmp_path, 5)
    with serving(tmp_path / "w") as (_, peer):
        results = push(log, [down, peer], tmp_path, clock)
        assert [each.outcome for each in results] == ["failed", "cosigned"]
        assert "does not answer" in results[0].error
        assert push(log, [down, peer], tmp_path, clock)[0].outcome == "waiting"
        clock.wait(minutes=1)
        assert push(log, [down, peer], tmp_path, clock)[0].outcome == "failed"
        clock.wait(minutes=1)
        assert push(log, [down, peer], tmp_path, clock)[0].outcome == "waiting"
        assert push(log, [down], tmp_path, clock, now=True)[0].outcome == "failed"
        assert read_records(tmp_path / STATE)["down"].failures == 3


def test_only_one_push_at_a_time(tmp_path: Path) -> None:
    log = make_log(tmp_path, 2)
    lock = tmp_path / "push" / "witness-push.lock"
    lock.parent.mkdir()
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(TemporaryError, match="being sent already"):
        push(log, [], tmp_path, StepClock())
    os.close(descriptor)
    assert push(log, [], tmp_path, StepClock()) == []


PEER = WitnessPeer(
    "w", "http://127.0.0.1:1", Signer("w", key_of(8), SignatureKind.COSIGNATURE_V1).verifier
)
LIES: dict[str, tuple[Response, type[Exception]]] = {
    "no cosignature": (Response(200, "text/plain", b""), WitnessUnavailable),
    "junk": (Response(200, "text/plain", b"\xff\n\n"), WitnessUnavailable),
    "another's cosignature": (
        Response(
            200,
            "text/plain",
            Signer("x", key_of(9), SignatureKind.COSIGNATURE_V1).sign("x\n", 1).line.encode()
            + b"\n",
        ),
        WitnessUnavailable,
    ),
    "a cosignature of something else": (
        Response(
            200,
            "text/plain",
            Signer("w", key_of(8), SignatureKind.COSIGNATURE_V1).sign("x\n", 1).line.encode()
            + b"\n",
        ),
        WitnessUnavailable,
    ),
    "ever another size": (Response(409, "text/x.tlog.size", b"2\n"), WitnessUnavailable),
    "a size beyond": (Response(409, "text/x.tlog.size", b"99\n"), LogContradiction),
    "a size that is none": (Response(409, "text/x.tlog.size", b"9" * 5000), LogContradiction),
    "no size": (Response(409, "text/plain", b""), LogContradiction),
    "inconsistent": (Response(422, "text/plain", b"\x1b[2J"), LogContradiction),
    "unknown": (Response(404, "text/plain", b""), WitnessUnavailable),
    "another key": (Response(403, "text/plain", b""), WitnessUnavailable),
    "a fault": (Response(500, "text/html", b"<html>"), WitnessUnavailable),
    "no status of HTTP": (Response(999, "", b""), WitnessUnavailable),
}


@pytest.mark.parametrize("name", LIES)
def test_a_witness_that_lies_is_not_believed(tmp_path: Path, name: str) -> None:
    response, error = LIES[name]
    with pytest.raises(error) as caught:
        submit_head(lambda *_: response, PEER, make_log(tmp_path, 5), 0)
    assert getattr(caught.value, "advice", "")


@contextmanager
def answering(reply: Callable[[socket.socket], object]) -> Iterator[str]:
    """Run a server that does anything but HTTP as it should be."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(20)

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    reply(connection)
                except OSError:
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/x"
        thread.join(20)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


def drip_body(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n")
    for _ in range(200):
        connection.sendall(b"x")
        time.sleep(0.05)


REPLIES: dict[str, Callable[[socket.socket], object]] = {
    "a byte at a time": drip,
    "a body a byte at a time": drip_body,
    "nothing": lambda connection: connection.recv(1),
    "silence": lambda connection: [connection.recv(1 << 20), connection.recv(1 << 20)],
    "junk": lambda connection: connection.sendall(b"\x00" * 100 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("name", REPLIES)
def test_no_witness_can_hold_the_box(name: str) -> None:
    begun = time.monotonic()
    with answering(REPLIES[name]) as url:
        with pytest.raises(UnavailableError):
            http_post(0.5)(url, b"x", "text/plain")
        assert time.monotonic() - begun < 30


def test_a_flood_is_cut() -> None:
    class Flood(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * 10**6)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Flood) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        response = POST(f"http://127.0.0.1:{server.server_port}", b"", "text/plain")
        thread.join()
    assert len(response.body) == 64 * 1024


@given(st.integers(0, 10**6))
def test_waits_double_and_end(failures: int) -> None:
    assert timedelta(minutes=1) <= next_wait(failures) <= LONGEST_WAIT
    assert next_wait(failures) <= next_wait(failures + 1)


def test_what_is_due() -> None:
    late = record_failure(PushRecord(size=3), WitnessUnavailable("x", advice="y"), START)
    known = PushRecord(5, "01" * 32)
    assert not is_due(known, Checkpoint(ORIGIN, 5, b"\1" * 32), START)
    assert is_due(known, Checkpoint(ORIGIN, 6, b"\1" * 32), START)
    assert is_due(known, Checkpoint(ORIGIN, 5, b"\2" * 32), START), "one rewritten is asked about"
    assert is_due(known, Checkpoint(ORIGIN, 4, b"\1" * 32), START), "one that shrank, too"
    head = Checkpoint(ORIGIN, 6, b"\1" * 32)
    assert not is_due(late, head, START)
    assert is_due(late, head, START + timedelta(minutes=1))
    assert is_due(late, head, START - timedelta(days=1)), "the clock was put back"


STATES = {
    "nothing": b"",
    "a list": b"[]",
    "no witnesses": b"{}",
    "of another form": json.dumps({"witnesses": {"w": {"size": "x"}}}).encode(),
    "an unknown field": json.dumps({"witnesses": {"w": {"color": 1}}}).encode(),
    "no time": json.dumps({"witnesses": {"w": {"next_try": "soon"}}}).encode(),
    "a number": json.dumps({"witnesses": 4}).encode(),
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("name", STATES)
def test_a_broken_state_begins_anew(tmp_path: Path, name: str) -> None:
    (tmp_path / "state").write_bytes(STATES[name])
    assert read_records(tmp_path / "state") == {}


def test_receipts_that_are_none_are_passed_over(tmp_path: Path) -> None:
    log = make_log(tmp_path, 5)
    assert list(read_receipts(log, [PEER])) == []
    for data in (b"", b"junk", log.note):
        store_receipt(log.reader.folder, "w", data)
        assert list(read_receipts(log, [PEER])) == []
